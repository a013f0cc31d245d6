package holdfast

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/cluster/process"
)

// aged makes a directory that nobody has changed for an hour.
func aged(t *testing.T, path string) string {
	t.Helper()
	if err := os.MkdirAll(path, 0o755); err != nil {
		t.Fatal(err)
	}
	then := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path, then, then); err != nil {
		t.Fatal(err)
	}
	return path
}

// leftBelow returns the leftovers below a directory; others may run beside.
func leftBelow(t *testing.T, runs, below string) (found []Leftover) {
	t.Helper()
	all, err := FindLeftovers(runs)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range all {
		if strings.Contains(l.Which, below) {
			found = append(found, l)
		}
	}
	return found
}

func which(found []Leftover) (names []string) {
	for _, l := range found {
		names = append(names, l.Which)
	}
	slices.Sort(names)
	return names
}

// What killed runs have left is found and removed; what living ones use, what is
// new, and what was recorded stays.
func TestLeftDirectoriesAreFound(t *testing.T) {
	root := t.TempDir()
	runs := filepath.Join(root, "runs")
	t.Setenv("TMPDIR", filepath.Join(root, "tmp"))
	left := []string{aged(t, filepath.Join(runs, "killed", "data")), aged(t, filepath.Join(root, "tmp", "holdfast-1"))}
	slices.Sort(left)
	living := aged(t, filepath.Join(runs, "living", "data"))
	record, err := os.Create(filepath.Join(runs, "living", "history.jsonl")) // a run keeps it open
	if err != nil {
		t.Fatal(err)
	}
	defer record.Close()
	fresh := filepath.Join(runs, "fresh", "data")
	others := aged(t, filepath.Join(root, "tmp", "somebody-else"))
	if err := os.MkdirAll(fresh, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("living", filepath.Join(runs, "latest")); err != nil {
		t.Fatal(err)
	}
	found := leftBelow(t, runs, root)
	if !slices.Equal(which(found), left) {
		t.Fatalf("found %q, want %q", which(found), left)
	}
	for _, l := range found {
		if err := l.Remove(); err != nil {
			t.Error(err)
		}
	}
	for _, path := range left {
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("%s is still there: %v", path, err)
		}
	}
	for _, path := range []string{living, fresh, others, filepath.Join(runs, "killed")} {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
	if again := leftBelow(t, runs, root); len(again) != 0 {
		t.Errorf("found again: %q", which(again))
	}
}

// A process whose harness is dead is found with the directory that it uses.
func TestALeftProcessIsFound(t *testing.T) {
	root := t.TempDir()
	runs := filepath.Join(root, "runs")
	data := aged(t, filepath.Join(runs, "killed", "data"))
	// As a harness would have started it that has not been there since the last boot
	// but one: nobody can have its process id and its time of birth.
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sleep", "3600")
	cmd.Dir = data
	cmd.Env = append(os.Environ(), "HOLDFAST_HARNESS=1/-1/"+strings.TrimSpace(string(boot)))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	all, err := FindLeftovers(runs)
	if err != nil {
		t.Fatal(err)
	}
	removed := 0
	for _, l := range all {
		if l.Which == data || l.What == "process" && strings.HasPrefix(l.Which, fmt.Sprintf("%d (", cmd.Process.Pid)) {
			removed++
			if err := l.Remove(); err != nil {
				t.Error(err)
			}
		}
	}
	if removed != 2 {
		t.Errorf("%d of the two were found: %q", removed, which(all))
	}
	if err := <-ended; err == nil {
		t.Error("the process ended by itself")
	}
	if _, err := os.Stat(data); !os.IsNotExist(err) {
		t.Errorf("its directory: %v", err)
	}
}

// A member's file system that nobody uses is unmounted.
func TestALeftFileSystemIsFound(t *testing.T) {
	if err := process.OwnDisks(); err != nil {
		t.Skip(err)
	}
	root := t.TempDir()
	data := filepath.Join(root, "data m1")
	if err := os.Mkdir(data, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount(process.DiskSource, data, "tmpfs", 0, "size=64k"); err != nil {
		t.Skip(err) // in a container even root may not
	}
	defer func() { _ = syscall.Unmount(data, syscall.MNT_DETACH) }()
	if found := leftBelow(t, root, root); len(found) != 0 {
		t.Errorf("a new one was found: %q", which(found))
	}
	aged(t, data)
	found := leftBelow(t, root, root)
	if len(found) != 1 || found[0].What != "file system" || found[0].Which != data {
		t.Fatalf("found %+v", found)
	}
	if err := found[0].Remove(); err != nil {
		t.Fatal(err)
	}
	disks, err := process.Disks()
	if err != nil || slices.Contains(disks, data) {
		t.Errorf("mounted: %q, %v", disks, err)
	}
}
