package chaosmesh

import (
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/etcd-holdfast/holdfast"
	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/cluster/embedded"
	"github.com/etcd-holdfast/holdfast/history"
)

var rewrite = flag.Bool("rewrite", false, "write testdata/calls.golden anew")

// The commands of hooks are kept by this program itself.
func TestMain(m *testing.M) {
	if code, handled := holdfast.Subprocess(context.Background()); handled {
		os.Exit(code)
	}
	os.Exit(m.Run())
}

// run runs the scenario with these faults, against a cluster whose kubectl is that of
// testdata, and returns the record of the hooks and the calls.
func run(t *testing.T, faults string) (*holdfast.Judgement, []history.Fault, string) {
	t.Helper()
	if testing.Short() {
		t.Skip("it runs a whole scenario")
	}
	c, err := embedded.Start(t.Context(), embedded.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	endpoints, err := c.Connect("outside")
	if err != nil {
		t.Fatal(err)
	}
	fake, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", fake+string(filepath.ListSeparator)+os.Getenv("PATH"))
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv("NAMESPACE", "etcd")
	calls := filepath.Join(t.TempDir(), "calls")
	t.Setenv("CALLS", calls)
	text, err := os.ReadFile("scenario.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s, err := holdfast.ParseScenario("scenario.yaml", text, `cluster.endpoints=["`+strings.Join(endpoints, `","`)+`"]`, "duration=8s", "faults="+faults)
	if err != nil {
		t.Fatal(err)
	}
	var story []string
	j, err := holdfast.Run(t.Context(), s, holdfast.RunOptions{Out: t.TempDir(), Progress: func(line string) { story = append(story, line) }})
	if err != nil {
		t.Fatalf("%v\n%s", err, strings.Join(story, "\n"))
	}
	t.Log(strings.Join(story, "\n"))
	said, err := os.ReadFile(calls)
	if err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(os.Getenv("TMPDIR")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	return j, j.Report.History.Faults, string(said)
}

// What is applied to the cluster, asked of it and deleted is as it was reviewed: every
// argument, and every line of the manifests.
func TestWhatChaosMeshIsTold(t *testing.T) {
	j, all, calls := run(t, `[{at: 100ms, for: 200ms, fault: hook/partition, choice: 1, chain: 1}, {at: 200ms, for: 200ms, fault: hook/delay, choice: 2, chain: 1},
		{at: 300ms, for: 200ms, fault: hook/kill, choice: 4, chain: 1}, {at: 400ms, for: 200ms, fault: hook/failure, choice: 3, chain: 1}]`)
	if j.Result().Verdict == checker.Violated {
		t.Errorf("verdict %s", j.Result().Verdict)
	}
	for _, f := range all {
		if !f.Verified || f.Error != "" {
			t.Errorf("%s of %s: %s %s", f.Kind, f.Target, f.Evidence, f.Error)
		}
	}
	const golden = "testdata/calls.golden"
	if *rewrite {
		if err := os.WriteFile(golden, []byte(calls), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if calls != string(want) {
		t.Errorf("calls:\n%s\nwant (go test -rewrite):\n%s", calls, want)
	}
}

// What kubectl refuses is not injected, is healed all the same, and its words are in the
// record.
func TestWhatIsForbidden(t *testing.T) {
	t.Setenv("FAIL", "apply")
	_, all, calls := run(t, `[{at: 100ms, for: 200ms, fault: hook/delay}]`)
	if len(all) != 1 || all[0].Verified || !strings.Contains(all[0].Evidence, "not injected") || !strings.Contains(all[0].Evidence, "Error from server (Forbidden)") {
		t.Errorf("%+v", all)
	}
	if !strings.Contains(calls, "delete networkchaos.chaos-mesh.org holdfast-chaos-mesh-1 ") {
		t.Errorf("it was not healed: %s", calls)
	}
}

// What cannot be healed is told, and nobody is asked for progress.
func TestWhatCannotBeHealed(t *testing.T) {
	t.Setenv("FAIL", "delete")
	j, all, _ := run(t, `[{at: 100ms, for: 200ms, fault: hook/partition-leader}]`)
	if len(all) != 1 || !strings.Contains(all[0].Error, "Error from server (Forbidden)") || !strings.Contains(all[0].Target, "(leader)") {
		t.Errorf("%+v", all)
	}
	if len(j.Info.Warnings) == 0 {
		t.Error("no warning")
	}
	for _, p := range j.Result().Properties {
		if p.Property == "progress" && (p.Verdict == checker.Holds || p.Verdict == checker.Violated) {
			t.Errorf("progress of %s is %s: %s", p.Subject, p.Verdict, p.Sentence)
		}
	}
}

func TestWordsThatAreNone(t *testing.T) {
	for _, words := range [][]string{{"dance", "inject"}, {"kill", "dance"}} {
		cmd := exec.Command("sh", "hook.sh", words[0], words[1])
		cmd.Env = append(os.Environ(), "HOLDFAST_MEMBER=m1", "HOLDFAST_RUN=a", "HOLDFAST_FAULT_ID=1")
		if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "there is no ") {
			t.Errorf("%v: %v: %s", words, err, out)
		}
	}
}
