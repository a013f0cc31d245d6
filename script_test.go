package holdfast

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/quantity"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// scripted is a scenario with one script on one subject.
func scripted(subject string, clients int, duration time.Duration, script ...string) Scenario {
	s := NewScenario("scripted")
	s.Duration, s.Seed, s.Cluster.Members, s.Clients.TTL = duration, 1, 1, 5*time.Second
	w := NewWorkload(subject)
	w.Clients, w.Script = clients, script
	s.Workloads = []Workload{w}
	s.Complete()
	return s
}

// told lists what a script's clients did, with what came of it.
func told(h *history.History) []string {
	var lines []string
	for _, op := range h.Operations {
		if op.Object != "" && op.Client != "harness" && (op.Kind.Acquires() || op.Kind.Releases()) {
			outcome := string(op.Outcome)
			if op.Outcome == history.Pending {
				outcome = "pending"
			}
			lines = append(lines, fmt.Sprintf("%s %s %s %s", op.Client, op.Kind, op.Object, outcome))
		}
	}
	return lines
}

// signals lists the signals of a script in their order.
func signals(h *history.History) []string {
	var details []string
	for _, e := range h.Events {
		if e.Kind == history.Signalled {
			details = append(details, strings.TrimSpace(e.Client+" "+e.Detail))
		}
	}
	return details
}

// Steps in the background, what waits for them and for events, a crash, whose
// replacement takes the next steps, a session of two, and a step that cannot be
// done, in one script that is played to its end.
func TestAScriptIsPlayed(t *testing.T) {
	t.Parallel()
	long(t)
	s := scripted("mutex-checked", 3, 30*time.Second,
		"A acquire x",
		"A signal held",
		"until signal held",
		"B acquire x &",
		"B until created",
		"A work x 20ms",
		"A release x",
		"B join",
		"A work z",
		"C acquire y",
		"B crash",
		"B acquire y within 300ms",
		"C release y",
		"B acquire y",
		"B release y",
		"B acquire w cancelled after 20s",
		"B close",
		"signal done",
	)
	s.Workloads[0].Shared = map[string]string{"C": "A"}
	j := run1(t, t.Context(), s)
	h := j.Report.History
	want := []string{
		"c1 acquire x ok", "c2 acquire x ok", "c1 release x ok",
		"c3 acquire y ok", "c2.1 acquire y info", "c3 release y ok", "c2.1 acquire y ok", "c2.1 release y ok", "c2.1 acquire w ok",
	}
	if got := told(h); !slices.Equal(got, want) {
		t.Errorf("it did\n%s\nand was to do\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got, want := signals(h), []string{"c1 held", `c1 skipped "A work z": there is no hold to work under`, "done", history.ScriptEnd}; !slices.Equal(got, want) {
		t.Errorf("signals %q, want %q", got, want)
	}
	leases := make(map[string]int64)
	for _, op := range h.Operations {
		if op.Kind == history.Acquire {
			leases[op.Client] = op.Lease
		}
	}
	if leases["c3"] != leases["c1"] || leases["c2.1"] == leases["c1"] || leases["c2.1"] == leases["c2"] {
		t.Errorf("the sessions of the clients are %v: only c3 shares that of c1", leases)
	}
	if r := j.Result(); r.Verdict != checker.Holds {
		t.Errorf("the run is %s: %v", r.Verdict, r.Notes)
	}
}

// A script that waits for what never comes is cut short by the end of the run:
// it says where, and the run is unknown.
func TestAScriptThatDoesNotEndSaysSo(t *testing.T) {
	t.Parallel()
	long(t)
	for name, test := range map[string]struct {
		script []string
		cut    string
	}{
		"until": {[]string{"A acquire x", "A release x", "A until lost", "A acquire x"}, "cut short at: A until lost"},
		"step":  {[]string{"A acquire x", "B acquire x"}, "cut short at: B acquire x"},
		"background": {
			[]string{"A acquire x", "B acquire x &"}, "cut short at: the steps in the background",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := run1(t, t.Context(), scripted("mutex", 2, 2*time.Second, test.script...))
			if got := signals(j.Report.History); !slices.Equal(got, []string{test.cut}) {
				t.Errorf("it signalled %q, and no end was to come: want %q", got, test.cut)
			}
			r := j.Result()
			if r.Verdict != checker.Unknown || r.Exit != checker.ExitUnknown {
				t.Errorf("the run is %s, exit %d", r.Verdict, r.Exit)
			}
			if !slices.ContainsFunc(r.Notes, func(n string) bool {
				return strings.HasPrefix(n, fmt.Sprintf("the script of mutex did not come to its end (it was at %q)", strings.TrimPrefix(test.cut, history.ScriptCut)))
			}) {
				t.Errorf("no note says so: %q", r.Notes)
			}
		})
	}
}

// Who shares the session of a client that died without one goes on: what it
// cannot do meanwhile it skips.
func TestAScriptOutlivesWhoSharesItsSession(t *testing.T) {
	t.Parallel()
	long(t)
	s := scripted("mutex", 2, 20*time.Second, "A session", "A close", "A crash", "B acquire y", "A acquire x", "B acquire y", "B release y")
	s.Workloads[0].Shared = map[string]string{"B": "A"}
	j := run1(t, t.Context(), s)
	got := signals(j.Report.History)
	if len(got) == 0 || got[len(got)-1] != history.ScriptEnd {
		t.Errorf("signals %q, and no end", got)
	}
	// Unless another was there in A's place at once.
	if skip := `c2 skipped "B acquire y": B shares the session of A, which is dead`; len(got) > 1 && got[0] != skip {
		t.Errorf("signals %q, want %q", got, skip)
	}
	if did := told(j.Report.History); !slices.Contains(did, "c1.1 acquire x ok") || did[len(did)-1] != "c2 release y ok" {
		t.Errorf("it did %q", did)
	}
}

// A script hears of a fault that is no subject's, as of a member's or of one that
// comes on a rhythm.
func TestAScriptAwaitsATimedFault(t *testing.T) {
	t.Parallel()
	long(t)
	s := scripted("mutex", 1, 20*time.Second, "until injected compact", "A acquire x", "until healed compact", "A release x")
	s.Faults = []Fault{{Of: []string{"compact"}, Every: quantity.Span{Min: time.Second, Max: time.Second}, For: quantity.Span{Min: time.Second, Max: time.Second}}}
	s.Complete()
	j := run1(t, t.Context(), s)
	if got := signals(j.Report.History); !slices.Equal(got, []string{history.ScriptEnd}) {
		t.Errorf("it signalled %q", got)
	}
}

// A client with a watchdog that is cut off stops believing before its lease has
// ended in etcd; one that is not goes on with its lease, far beyond its
// time-to-live.
func TestAWatchdogStopsInTime(t *testing.T) {
	t.Parallel()
	long(t)
	s := scripted("mutex", 3, 30*time.Second,
		"A acquire x",
		"C acquire y",
		"B acquire x &",
		"B until created",
		"A signal cut",
		"B join",
		"until healed cut-client",
		"C release y",
		"B release x",
	)
	s.Clients.TTL, s.Workloads[0].TTL, s.Workloads[0].OnLoss = 2*time.Second, 2*time.Second, workloads.Watchdog
	s.Faults = []Fault{{
		Of: []string{"cut-client"}, For: quantity.Span{Min: 8 * time.Second, Max: 8 * time.Second},
		When: triggerOn("mutex", "signal cut", 0),
	}}
	s.Complete()
	j := run1(t, t.Context(), s)
	h := j.Report.History
	lost := make(map[string]time.Duration)
	leases := make(map[string]int64)
	for _, e := range h.Events {
		switch e.Kind {
		case history.Lost:
			lost[e.Client] = e.Time
		case history.SessionOpened:
			if leases[e.Client] == 0 {
				leases[e.Client] = e.Lease
			}
		}
	}
	end, ended := h.Revisions.LeaseEnd(leases["c1"])
	if lost["c1"] == 0 || !ended {
		t.Fatalf("c1 was cut off for 8 s: told of its loss at %v, its lease ended: %v", lost["c1"], ended)
	}
	if earliest := h.Revisions.Earliest(end.Revision); lost["c1"] >= earliest {
		t.Errorf("c1 stopped believing at %v, and its lease may have ended at %v", lost["c1"], earliest)
	}
	if lost["c2"] != 0 || lost["c3"] != 0 {
		t.Errorf("clients that were not cut off stopped believing: %v", lost)
	}
	if p := property(t, j, "mutex", checker.Exclusion); len(p.Violations) > 0 {
		t.Error(p.Sentence)
	}
	for _, hold := range h.Holds() {
		if hold.Client == "c3" && (hold.Ended != history.EndReleased || hold.End-hold.Start < 4*time.Second) {
			t.Errorf("c3 held y from %v until %v: %v", hold.Start, hold.End, hold.Ended)
		}
	}
}
