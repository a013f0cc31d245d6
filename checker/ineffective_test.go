package checker

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

func TestFaultsWithoutEffectAreToldApart(t *testing.T) {
	for name, c := range map[string]struct {
		fault history.Fault
		says  string
	}{
		"nothing was seen":           {history.Fault{Kind: "pause-leader", Target: "m1", From: 1, To: 2, Evidence: "it went on"}, "1 of 1 pause-leader fault had no effect that was seen: not counted as injected"},
		"it could not be injected":   {history.Fault{Kind: "restart-member", From: 1, To: 2, Uninjected: true, Evidence: "not injected: m2 is down already"}, "1 of 1 restart-member fault was not injected: m2 is down already"},
		"it was seen to be in force": {history.Fault{Kind: "pause-leader", Target: "m1", From: 1, To: 2, Verified: true}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := Check(survivableRun(func(h *history.History) { h.Faults = []history.Fault{c.fault} }), Options{}).Notes
			if c.says == "" && strings.Contains(strings.Join(got, ""), "not injected") || c.says != "" && !slices.Contains(got, c.says) {
				t.Errorf("got %q, want %q", got, c.says)
			}
		})
	}
}

func TestAFaultThatCouldNotBeHealedLeavesItUnknown(t *testing.T) {
	run := survivableRun(func(h *history.History) {
		h.Events = append(h.Events[:1], h.Events[2:]...)
		h.Faults[0].From, h.Faults[0].To = 500*time.Millisecond, 900*time.Millisecond
	})
	if got := Check(run, Options{}); got.Verdict == Unknown {
		t.Fatalf("healed: %s, %q", got.Verdict, got.Notes)
	}
	run.Faults[0].To, run.Faults[0].Error = 0, "it does not start"
	got := Check(run, Options{})
	const says = "crash-member of m2, injected at 0.500 s, could not be healed: it does not start"
	if got.Verdict != Unknown || !strings.Contains(strings.Join(got.Notes, "\n"), says) {
		t.Errorf("%s, %q", got.Verdict, got.Notes)
	}
	if p := propertyOf(run, Progress); p.Verdict != Unknown || !strings.HasPrefix(p.Sentence, says) {
		t.Errorf("progress: %s: %s", p.Verdict, p.Sentence)
	}
}
