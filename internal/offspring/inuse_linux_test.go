package offspring_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/etcd-holdfast/holdfast/internal/offspring"
)

// A directory is in use if a process works in it or below, or has a file of it open,
// even one that is gone; its name's beginning another's makes no difference.
func TestDirectoriesInUse(t *testing.T) {
	root := t.TempDir()
	directory := func(name string) string {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(path, 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	open := func(path string) {
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Close() })
	}
	idle, busy, deep, gone := directory("run"), directory("run-2"), directory("deep"), directory("gone")
	open(filepath.Join(busy, "file"))
	open(filepath.Join(directory("deep/below"), "file"))
	open(filepath.Join(gone, "file"))
	if err := os.Remove(filepath.Join(gone, "file")); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(root, "link")
	if err := os.Symlink("run-2", link); err != nil {
		t.Fatal(err)
	}
	used, err := offspring.InUse([]string{idle, busy, deep, gone, link}, nil)
	if err != nil {
		t.Fatal(err)
	}
	maps.DeleteFunc(used, func(_ string, is bool) bool { return !is })
	want := []string{busy, deep, gone, link}
	slices.Sort(want)
	if got := slices.Sorted(maps.Keys(used)); !slices.Equal(got, want) {
		t.Errorf("in use: %q, want %q", got, want)
	}
	// But for who is left out.
	used, err = offspring.InUse([]string{busy}, map[int]bool{os.Getpid(): true})
	if err != nil || used[busy] {
		t.Errorf("without this process: %v, %v", used, err)
	}
	if used, err = offspring.InUse([]string{filepath.Join(root, "nothing")}, nil); err != nil || len(used) != 0 {
		t.Errorf("a directory that there is not: %v, %v", used, err)
	}
}
