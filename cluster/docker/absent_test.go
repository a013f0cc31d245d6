package docker_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/etcd-holdfast/holdfast/internal/offspring"
)

// asker is the role of a process that asks whether there is an engine: what
// testcontainers has found it keeps for as long as a process lives.
const asker = "ask"

func ask(t *testing.T, environment ...string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), append(environment, offspring.RoleVariable+"="+asker)...)
	said, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	return strings.TrimSpace(string(said))
}

// Where there is no engine that is said in one sentence, whether nobody listens or
// nobody answers. The patience is the program's own: nobody ends it here.
func TestNoEngine(t *testing.T) {
	silent, err := net.Listen("unix", filepath.Join(t.TempDir(), "silent"))
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close() // nobody accepts, and the kernel does
	for host, want := range map[string]string{
		"unix:///nowhere/docker.sock":      "unix:///nowhere/docker.sock",
		"tcp://127.0.0.1:1":                "127.0.0.1:1",
		"unix://" + silent.Addr().String(): "does not answer within 1.5s",
		"tcp://192.0.2.1:2375":             "192.0.2.1:2375",
		"what is this":                     "what is this",
	} {
		said := ask(t, "DOCKER_HOST="+host)
		if !strings.HasPrefix(said, "no Docker engine answers (") || !strings.Contains(said, want) || !strings.Contains(said, "DOCKER_HOST") || strings.Contains(said, "\n") {
			t.Errorf("%s: %q, want it to say %q", host, said, want)
		}
	}
}

// testcontainers says nothing of its own.
func TestAnEngineIsFoundSilently(t *testing.T) {
	needEngine(t)
	if said := ask(t); said != "" {
		t.Errorf("it said %q", said)
	}
}
