package holdfast

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestMistakesInClustersOfContainersAreNamed(t *testing.T) {
	const rest = "\nworkloads: [{subject: mutex, clients: 2}]\nduration: 2s\n"
	for cluster, wants := range map[string][]string{
		"{kind: docker, disk: 512MiB}":                   {"cluster.disk: it is of a cluster of kind process, and this one is docker"},
		"{kind: docker, image: mine, etcd: 3.5.12}":      {"cluster.image: members run either this image or etcd: 3.5.12"},
		"{kind: docker, sim: {delay: 3ms}}":              {"cluster.sim: it is of a cluster of kind sim, and this one is docker"},
		"{kind: docker, etcd: nowhere/etcd, members: 2}": {`cluster.etcd: "nowhere/etcd" is neither a version such as 3.5.12 nor a program`, "cluster.members: 2 is none of 1, 3, 5"},
		"{kind: docker, mixed: {m2: 3.5.12}}":            {"cluster.mixed: m2 would run etcd 3.5.12 and the others etcd 3.7."},
		"{kind: embedded, image: mine}":                  {"cluster.image: it is of a cluster of kind docker, and this one is embedded"},
		"{kind: process, image: mine}":                   {"cluster.image: it is of a cluster of kind docker, and this one is process"},
		"{kind: sim, image: mine}":                       {"cluster.image: it is of a cluster of kind docker, and this one is sim"},
	} {
		expectMistakes(t, cluster, rest, wants)
	}
	s, err := ParseScenario("good.yaml", []byte("name: good\ncluster: {kind: docker, image: mine, mixed: {m2: 3.6.12}}"+rest))
	if err != nil {
		t.Fatal(err)
	}
	text, err := s.YAML()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := ParseScenario("again.yaml", text); err != nil || again.Cluster.Image != "mine" {
		t.Errorf("it became %q, %v", again.Cluster.Image, err)
	}
}

// Without an engine nothing is started, and there is no run directory. What is asked
// for is a process of its own: what is found is kept for as long as one lives.
func TestWithoutAnEngineNothingIsStarted(t *testing.T) {
	const variable, runs = "HOLDFAST_TEST_WITHOUT_ENGINE", "runs"
	if os.Getenv(variable) != "" {
		s, err := BuiltinScenario("calm", "cluster.kind=docker")
		if err != nil {
			t.Fatal(err)
		}
		_, err = Run(context.Background(), s, RunOptions{Out: runs})
		if err == nil || !strings.HasPrefix(err.Error(), "a cluster of kind docker: no Docker engine answers (") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v", err)
		}
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$")
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), variable+"=1", "DOCKER_HOST=unix:///nowhere/docker.sock")
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, said)
	}
	if entries, err := os.ReadDir(cmd.Dir); err != nil || len(entries) != 0 {
		t.Errorf("there is %v, %v", entries, err)
	}
}
