package holdfast

import (
	"context"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/internal/playground"
	"github.com/etcd-holdfast/holdfast/quantity"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// claimed takes the prefix of a cluster for a run that never comes.
func claimed(t *testing.T, o *outside) *estate {
	t.Helper()
	c, err := startExternal(t.Context(), &launch{spec: o.spec()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	e, err := newEstate(t.Context(), c, "holdfast/outside/", workloads.Login{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.close)
	if err := e.claim(t.Context(), "outside"); err != nil {
		t.Fatal(err)
	}
	return e
}

// What a run has whose process lives on this machine is not swept; what one has left
// whose process is dead, or of which nobody can say it, is.
func TestALivingRunIsNotSwept(t *testing.T) {
	t.Parallel()
	o := newOutside(t, playground.Config{Members: 1})
	e := claimed(t, o)
	o.put(t, "holdfast/outside/x", "of the run")
	keys, leases := o.inventory(t)
	spec := o.spec()
	spec.Prefix = "holdfast/outside/"
	for _, remove := range []bool{false, true} {
		if _, err := SweepPrefix(t.Context(), spec, remove); err == nil || !strings.Contains(err.Error(), "of the run outside on ") || !strings.Contains(err.Error(), "goes on on this machine") {
			t.Errorf("swept: %v", err)
		}
	}
	if text, _ := refused(t, outsideScenario(o)); !strings.Contains(text, "goes on on this machine: wait for its end") {
		t.Error(text)
	}
	compare(t, o, keys, leases)

	// Whose process has ended.
	child := exec.Command("true")
	if err := child.Run(); err != nil {
		t.Fatal(err)
	}
	value := string(e.mine.Value)
	mark := value[strings.Index(value, claimHarness):]
	_, rest, _ := strings.Cut(mark, "/")
	for name, left := range map[string]string{
		"dead":            value[:strings.Index(value, claimHarness)] + claimHarness + strconv.Itoa(child.Process.Pid) + "/" + rest,
		"another machine": strings.Replace(value, claimMachine, claimMachine+"not-", 1),
		"says nothing":    "holdfast outside on a machine\n",
	} {
		o.put(t, "holdfast/outside/run", left)
		o.put(t, "holdfast/outside/x", "of the run")
		if claim, err := SweepPrefix(t.Context(), spec, true); err != nil || claim.Keys != 2 || !strings.HasPrefix(claim.Run, "outside on ") || strings.Contains(claim.Run, "\n") {
			t.Errorf("%s: %+v, %v", name, claim, err)
		}
	}
}

// A prefix that somebody else has by now is not cleared, whatever they have there.
func TestAnEstateThatIsAnothersByNow(t *testing.T) {
	t.Parallel()
	o := newOutside(t, playground.Config{Members: 1})
	e := claimed(t, o)
	if err := e.hold(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := o.root.Delete(t.Context(), "holdfast/outside/", clientv3.WithPrefix()); err != nil {
		t.Fatal(err)
	}
	o.put(t, "holdfast/outside/run", string(e.mine.Value)) // it looks the same, and is another's
	o.put(t, "holdfast/outside/x", "another's")
	keys, leases := o.inventory(t)
	if err := e.hold(t.Context()); err == nil || !strings.Contains(err.Error(), "somebody else uses it") {
		t.Errorf("held: %v", err)
	}
	if n, err := e.clear(t.Context()); n != 0 || err == nil || !strings.Contains(err.Error(), "may be somebody else's, and stays") {
		t.Errorf("removed %d: %v", n, err)
	}
	compare(t, o, keys, leases)
}

// A run whose keys somebody removes says so, blames nobody for it, and leaves what they
// have below the prefix by then.
func TestARunWhoseKeysAreRemoved(t *testing.T) {
	t.Parallel()
	long(t)
	o := newOutside(t, playground.Config{Members: 1})
	s := outsideScenario(o)
	s.Duration = 4 * time.Second
	s.Faults[0].Of, s.Faults[0].Every = []string{"cut-client"}, quantity.Span{Min: time.Second, Max: time.Second}
	done := make(chan error, 1)
	j, err := Run(t.Context(), s, RunOptions{Out: t.TempDir(), Progress: func(line string) {
		if strings.Contains(line, "  cut-client") && len(done) == 0 { // it is under way
			_, err := o.root.Delete(context.Background(), "holdfast/outside/", clientv3.WithPrefix())
			all, err2 := o.root.Leases(context.Background())
			if err == nil && err2 == nil {
				for _, l := range all.Leases {
					_, _ = o.root.Revoke(context.Background(), l.ID) // it may have ended
				}
				_, err = o.root.Put(context.Background(), "holdfast/outside/run", "somebody's")
			}
			done <- err
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if len(done) == 0 || <-done != nil {
		t.Fatal("nobody removed the keys")
	}
	if j.Report.Result.Verdict != checker.Unknown {
		t.Errorf("the run is %s", j.Report.Result.Verdict)
	}
	for _, p := range j.Report.Result.Properties {
		if p.Verdict == checker.Violated {
			t.Errorf("%s of %s is violated: %s", p.Property, p.Subject, p.Sentence)
		}
	}
	warnings := strings.Join(j.Info.Warnings, "\n")
	for _, want := range []string{"somebody has removed holdfast/outside/run", "may be somebody else's, and stays"} {
		if !strings.Contains(warnings, want) {
			t.Errorf("%q is not among the warnings\n%s", want, warnings)
		}
	}
	if reply, err := o.root.Get(t.Context(), "holdfast/outside/run"); err != nil || len(reply.Kvs) != 1 {
		t.Errorf("what is another's by now: %v, %v", reply, err)
	}
}
