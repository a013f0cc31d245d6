package process_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/etcd/api/v3/version"

	"github.com/etcd-holdfast/holdfast/cluster/internal/conform"
	"github.com/etcd-holdfast/holdfast/cluster/link"
	"github.com/etcd-holdfast/holdfast/cluster/members"
	"github.com/etcd-holdfast/holdfast/cluster/process"
)

// self is this test program, which is an etcd server if it is started with an
// etcd server's flags.
func self(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// A binary that knows nothing of holdfast does all that its own members do.
func TestForeignBinary(t *testing.T) {
	binary := self(t)
	conform.Run(t, conform.Backend{Kind: "process", Version: version.Version, Brief: testing.Short(), Start: func(ctx context.Context, c members.Config) (conform.Cluster, error) {
		return process.Start(ctx, process.Config{Config: c, Binary: binary})
	}})
}

// Each link between two members knows its dialler, whichever way members are made.
func TestMembersOfTwoMakes(t *testing.T) {
	c := start(t, process.Config{Binaries: map[string]string{"m2": self(t)}})
	for _, from := range c.Members() {
		for _, to := range c.Members() {
			if from != to && c.Link(from, to).Stats().Accepted == 0 {
				t.Errorf("%s was not seen to dial %s", from, to)
			}
		}
	}
	if n := c.Network().Strangers(); n != 0 {
		t.Errorf("%d connections came from nobody knows whom", n)
	}
	// What is imposed on one member by name hits it and nobody else.
	lift := c.Link("m2", "m1").Impose(link.Condition{Cut: true})
	conform.Eventually(t, "m2 is refused", func() bool { return c.Link("m2", "m1").Stats().Refused > 0 })
	if s := c.Link("m3", "m1").Stats(); s.Refused != 0 || s.Severed != 0 {
		t.Errorf("the link of m3: %+v", s)
	}
	lift()
}

func TestBinariesThatAreNoMembers(t *testing.T) {
	directory := t.TempDir()
	script := func(name, text string) string {
		path := filepath.Join(directory, name)
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, test := range map[string]struct {
		config process.Config
		want   string
	}{
		"not there":      {process.Config{Binary: filepath.Join(directory, "nothing")}, "cannot be run"},
		"no such member": {process.Config{Binaries: map[string]string{"m7": "/bin/true"}}, `there is no member "m7"`},
		"ends at once":   {process.Config{Binary: script("mute", "exit 3")}, "exit status 3"},
		"says why":       {process.Config{Binary: script("old", "echo flag provided but not defined >&2; exit 2")}, "flag provided but not defined"},
		"panics":         {process.Config{Binary: script("panic", "echo panic: at the disco >&2; echo goroutine 1 >&2; exit 2")}, "panic: at the disco"},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := process.Start(conform.Bounded(t), test.config)
			if err == nil {
				_ = c.Close()
				t.Fatal("it started")
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("%q does not say %q", err, test.want)
			}
		})
	}
}

// A member whose dials cannot be told from others' is no member of a cluster in
// which single links are to be harmed.
func TestABinaryThatIsNotRecognisedIsRefused(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes as long as members may take to dial each other")
	}
	binary := filepath.Join(t.TempDir(), "etcd")
	deaf := "#!/bin/sh\nfor a; do shift; case $a in --cipher-suites) skip=1;; *) [ $skip ] || set -- \"$@\" \"$a\"; skip=;; esac; done\nexec " + self(t) + " \"$@\"\n"
	if err := os.WriteFile(binary, []byte(deaf), 0o755); err != nil {
		t.Fatal(err)
	}
	c, err := process.Start(conform.Bounded(t), process.Config{Binaries: map[string]string{"m2": binary}})
	if err == nil {
		_ = c.Close()
		t.Fatal("it started")
	}
	for _, want := range []string{"m2", binary, "was not recognised"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
}
