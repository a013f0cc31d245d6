//go:build linux

package etcdbuild

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// fakeGo is a go command that knows version 3.5.12 of etcd, and makes a program
// that says so, or what SAYS is. It notes how it was called in the file "calls"
// beside it.
const fakeGo = `#!/bin/sh
echo "$1 GOWORK=$GOWORK GOFLAGS=$GOFLAGS" >> "$(dirname "$0")/calls"
case "$1" in
env) echo go1.26.8 ;;
mod)
	case "$4" in
	*@v3.5.12) echo '{"Path": "go.etcd.io/etcd/server/v3"}' ;;
	*) echo '{"Error": "no such thing"}'; exit 1 ;;
	esac ;;
list)
	test -z "$OFFLINE" || { echo 'no network' >&2; exit 1; }
	echo '{"Versions": ["v3.5.0", "v3.5.9", "v3.5.10", "v3.5.11", "v3.5.12", "v3.5.13-rc.0", "v3.5.15", "v3.6.0"]}' ;;
build)
	test -z "$HANGS" || { echo 'go: downloading m v1' >&2; sleep 1000 & wait; }
	test -z "$FAILS" || { echo '# etcd' >&2; echo './main.go:4:2: it does not build' >&2; exit 1; }
	i=0
	while test $i -lt 60; do i=$((i+1)); echo "go: downloading m v$i" >&2; echo "package/$i" >&2; done
	mkdir -p "$(dirname "$6")"
	printf '#!/bin/sh\necho "etcd Version: %s"\n' "${SAYS:-3.5.12}" > "$6"
	chmod +x "$6" ;;
esac
`

func builder(t *testing.T) Builder {
	t.Helper()
	dir := t.TempDir()
	b := Builder{Cache: dir, Go: filepath.Join(dir, "go")}
	if err := os.WriteFile(b.Go, []byte(fakeGo), 0o755); err != nil {
		t.Fatal(err)
	}
	return b
}

// calls are those of the go command, each with its first argument.
func calls(t *testing.T, b Builder) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(filepath.Dir(b.Go), "calls"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

// nothingElse fails the test if the cache has anything but these, besides locks.
func nothingElse(t *testing.T, b Builder, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(b.Cache, "etcd"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	var have []string
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".lock") {
			have = append(have, e.Name())
		}
	}
	if !slices.Equal(have, want) {
		t.Errorf("the cache has %q, and should have %q", have, want)
	}
}

func TestAServerIsBuiltOnceAndKept(t *testing.T) {
	t.Setenv("GOFLAGS", "-mod=vendor")
	t.Setenv("GOWORK", "/somewhere/go.work")
	b := builder(t)
	var lines []string
	path, err := b.Ensure(t.Context(), "v3.5.12", func(line string) { lines = append(lines, line) })
	if err != nil {
		t.Fatal(err)
	}
	if v, err := VersionOf(t.Context(), path); err != nil || v != "3.5.12" {
		t.Errorf("it is %q, %v", v, err)
	}
	for _, want := range []string{"is built, once", "downloading modules: 50", "compiling packages: 50", "etcd 3.5.12 is built"} {
		if !strings.Contains(strings.Join(lines, "\n"), want) {
			t.Errorf("nobody is told %q: %q", want, lines)
		}
	}
	built := calls(t, b)
	for _, call := range built {
		if !strings.HasSuffix(call, " GOWORK=off GOFLAGS=-mod=mod") {
			t.Errorf("the user's workspace or flags reach it: %q", call)
		}
	}
	b.Go = "no-such-go"
	again, err := b.Ensure(t.Context(), "3.5.12", nil)
	if err != nil || again != path {
		t.Errorf("%q, %v; it was kept at %q", again, err, path)
	}
	all, err := b.List(t.Context())
	if err != nil || len(all) != 1 || all[0].Version != "3.5.12" || all[0].Says != "3.5.12" || all[0].Path != path || all[0].Bytes == 0 {
		t.Errorf("%+v, %v", all, err)
	}
	if err := b.Remove("3.5.12"); err != nil {
		t.Error(err)
	}
	if err := b.Remove("3.5.12"); !errors.Is(err, ErrNotKept) {
		t.Errorf("removed twice: %v", err)
	}
	nothingElse(t, b)
}

func TestTwoBuildsOfOneVersionAreOne(t *testing.T) {
	b := builder(t)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			if _, err := b.Ensure(t.Context(), "3.5.12", nil); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	builds := 0
	for _, call := range calls(t, b) {
		if strings.HasPrefix(call, "build ") {
			builds++
		}
	}
	if builds != 1 {
		t.Errorf("it was built %d times", builds)
	}
}

func TestWhatCannotBeBuiltIsSaid(t *testing.T) {
	for name, c := range map[string]struct {
		version string
		set     map[string]string
		change  func(*Builder)
		says    []string
	}{
		"no version":           {version: "3.5", says: []string{`"3.5" is no version`}},
		"there is none":        {version: "3.5.14", says: []string{"no such thing", "near it there are 3.5.0, 3.5.9, 3.5.10, 3.5.11, 3.5.12, 3.5.15", "--etcd PATH"}},
		"of 3.4, one not had":  {version: "3.4.16", says: []string{"3.4.15", "--etcd PATH"}},
		"too old":              {version: "3.3.27", says: []string{"before 3.4"}},
		"nothing is reached":   {version: "3.5.14", set: map[string]string{"OFFLINE": "1"}, says: []string{"cannot be had", "GOPROXY", "--etcd PATH"}},
		"there is no go":       {version: "3.5.12", change: func(b *Builder) { b.Go = "no-such-go" }, says: []string{"install it from", "--etcd PATH"}},
		"it does not compile":  {version: "3.5.12", set: map[string]string{"FAILS": "1"}, says: []string{"it does not build"}},
		"it is something else": {version: "3.5.12", set: map[string]string{"SAYS": "3.5.11"}, says: []string{`says that it is "3.5.11"`}},
	} {
		t.Run(name, func(t *testing.T) {
			for k, v := range c.set {
				t.Setenv(k, v)
			}
			b := builder(t)
			if c.change != nil {
				c.change(&b)
			}
			path, err := b.Ensure(t.Context(), c.version, nil)
			if err == nil {
				t.Fatalf("built: %s", path)
			}
			for _, want := range c.says {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			nothingElse(t, b)
		})
	}
}

func TestABuildEndsWithItsContext(t *testing.T) {
	t.Setenv("HANGS", "1")
	b := builder(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err := b.Ensure(ctx, "3.5.12", func(line string) {
		if strings.Contains(line, "downloading modules: 1") {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	nothingElse(t, b)
}
