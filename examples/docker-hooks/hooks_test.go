package dockerhooks

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast"
	"github.com/etcd-holdfast/holdfast/checker"
)

// The commands of hooks are kept by this program itself.
func TestMain(m *testing.M) {
	if code, handled := holdfast.Subprocess(context.Background()); handled {
		os.Exit(code)
	}
	os.Exit(m.Run())
}

// docker runs docker and returns what it says.
func docker(t *testing.T, args ...string) string {
	t.Helper()
	var errs bytes.Buffer
	cmd := exec.Command("docker", args...)
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("docker %s: %v: %s", strings.Join(args, " "), err, errs.String())
	}
	return strings.TrimSpace(string(out))
}

// need skips the test where there is no engine, unless none may be missing.
func need(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("it builds an image and runs containers")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "docker", "version", "--format", "{{.Server.Version}}").CombinedOutput()
	if err == nil {
		return
	}
	if os.Getenv("HOLDFAST_REQUIRE") == "1" {
		t.Fatalf("there is no docker engine: %v: %s", err, out)
	}
	t.Skipf("there is no docker engine: %v", err)
}

// containers starts three members in containers and returns their endpoints. What
// their names begin with, and the network, are in the environment then.
func containers(t *testing.T) []string {
	t.Helper()
	name := fmt.Sprintf("holdfast-hooks-%d", os.Getpid())
	build := t.TempDir()
	compile := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", filepath.Join(build, "etcd"), "./testdata/etcd")
	compile.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := compile.CombinedOutput(); err != nil {
		t.Fatalf("build etcd: %v: %s", err, out)
	}
	if err := os.WriteFile(filepath.Join(build, "Dockerfile"), []byte("FROM scratch\nCOPY etcd /etcd\nENTRYPOINT [\"/etcd\"]\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	docker(t, "build", "--quiet", "--tag", name, build)
	t.Cleanup(func() { docker(t, "rmi", "--force", name) })
	subnet := ""
	for third := range 200 { // one that nobody has
		subnet = fmt.Sprintf("10.231.%d", third+20)
		if exec.Command("docker", "network", "create", "--subnet", subnet+".0/24", name).Run() == nil {
			break
		}
	}
	t.Cleanup(func() { docker(t, "network", "rm", name) })
	t.Setenv("CONTAINERS", name+"-")
	t.Setenv("NETWORK", name)
	t.Setenv("TMPDIR", t.TempDir())
	var cluster, endpoints []string
	for i := range 3 {
		cluster = append(cluster, fmt.Sprintf("m%d=http://%s.%d:2380", i+1, subnet, i+11))
		endpoints = append(endpoints, fmt.Sprintf("http://%s.%d:2379", subnet, i+11))
	}
	for i := range 3 {
		member, ip := fmt.Sprintf("m%d", i+1), fmt.Sprintf("%s.%d", subnet, i+11)
		t.Cleanup(func() { docker(t, "rm", "--force", "--volumes", name+"-"+member) })
		docker(t, "run", "--detach", "--name", name+"-"+member, "--network", name, "--ip", ip, name,
			"--name="+member, "--data-dir=/data", "--initial-cluster="+strings.Join(cluster, ","),
			"--listen-client-urls=http://0.0.0.0:2379", "--listen-peer-urls=http://0.0.0.0:2380",
			"--advertise-client-urls=http://"+ip+":2379", "--initial-advertise-peer-urls=http://"+ip+":2380", "--unsafe-no-fsync")
	}
	return endpoints
}

// started returns a scenario once the cluster serves.
func started(t *testing.T, s holdfast.Scenario) *holdfast.Judgement {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		var story []string
		j, err := holdfast.Run(t.Context(), s, holdfast.RunOptions{Out: t.TempDir(), Progress: func(line string) { story = append(story, line) }})
		if err == nil {
			t.Log(strings.Join(story, "\n"))
			return j
		}
		if time.Now().After(deadline) || !strings.Contains(err.Error(), "start the cluster") { // it may still be starting
			t.Fatalf("%v\n%s", err, strings.Join(story, "\n"))
		}
	}
}

// Each hook harms a container, docker says so, and it is as before afterwards.
func TestDockerHarmsContainers(t *testing.T) {
	need(t)
	endpoints := containers(t)
	text, err := os.ReadFile("scenario.yaml")
	if err != nil {
		t.Fatal(err)
	}
	faults := `[{at: 1s, for: 3s, fault: hook/pause-leader}, {at: 6s, for: 3s, fault: hook/network, choice: 3},
		{at: 12s, for: 2s, fault: hook/kill, choice: 4}, {at: 21s, for: 2s, fault: hook/pause, choice: 5}, {every: 2s..3s, for: 1s..2s, of: [cut-client]}]`
	s, err := holdfast.ParseScenario("scenario.yaml", text,
		`cluster.endpoints=["`+strings.Join(endpoints, `","`)+`"]`, "duration=26s", "faults="+faults)
	if err != nil {
		t.Fatal(err)
	}
	j := started(t, s)
	if got := j.Result().Verdict; got == checker.Violated {
		for _, broken := range j.Result().Mechanisms() {
			t.Errorf("%s: %s: %s", broken.Subject, broken.Mechanism, broken.Violation.Sentence)
		}
	}
	seen := make(map[string]int)
	for _, f := range j.Report.History.Faults {
		if !strings.HasPrefix(f.Kind, "hook/") {
			continue
		}
		if !f.Verified || f.Error != "" || !strings.Contains(f.Evidence, "docker says of "+os.Getenv("CONTAINERS")+"m") {
			t.Errorf("%s of %s: %s %s", f.Kind, f.Target, f.Evidence, f.Error)
		}
		seen[f.Kind]++
	}
	if seen["hook/pause-leader"] != 1 || seen["hook/network"] != 1 || seen["hook/kill"] != 2 || seen["hook/pause"] != 1 { // kill also survives
		t.Errorf("faults: %v", seen)
	}
	for _, member := range []string{"m1", "m2", "m3"} {
		if is := docker(t, "inspect", "--format", "{{.State.Status}} {{len .NetworkSettings.Networks}}", os.Getenv("CONTAINERS")+member); is != "running 1" {
			t.Errorf("%s is %s", member, is)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(os.Getenv("TMPDIR"), "holdfast-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// A container that is not there is no fault, and heals as a failure that is told.
func TestWhatIsNotThere(t *testing.T) {
	if _, err := exec.LookPath("docker"); err != nil {
		need(t)
	}
	cmd := exec.Command("sh", "hook.sh", "pause", "inject")
	cmd.Env = append(os.Environ(), "HOLDFAST_MEMBER=no-such-member", "HOLDFAST_FAULT_ID=1", "CONTAINERS=holdfast-")
	if out, err := cmd.CombinedOutput(); err == nil {
		t.Errorf("it paused something: %s", out)
	}
	cmd = exec.Command("sh", "hook.sh", "dance", "inject")
	cmd.Env = append(os.Environ(), "HOLDFAST_MEMBER=m1", "HOLDFAST_FAULT_ID=1")
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "there is no step inject of dance") {
		t.Errorf("%v: %s", err, out)
	}
}
