package checker

import (
	"strings"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// survivableRun is one client that acquires in its last round, while a fault
// lasts, or tries to.
func survivableRun(change func(*history.History)) *history.History {
	ms := time.Millisecond
	h := &history.History{
		Header: history.Header{Version: 1, Subjects: []history.SubjectInfo{{Name: "x", Primitive: history.Mutex, Origin: history.FromUser}}},
		Operations: []history.Operation{
			{ID: 1, Client: "c1", Subject: "x", Object: "o", Kind: history.Acquire, Call: 1100 * ms, Return: 1200 * ms, Outcome: history.Ok},
			{ID: 2, Client: "c1", Subject: "x", Object: "o", Kind: history.Release, Call: 1300 * ms, Return: 1301 * ms, Outcome: history.Ok, Hold: 1},
		},
		Events: []history.Event{
			{Time: 0, Kind: history.PhaseBegan, Detail: history.PhaseLoad},
			{Time: 999 * ms, Kind: history.PhaseBegan, Detail: history.PhaseSurvivable},
			{Time: 1000 * ms, Kind: history.PhaseBegan, Detail: history.PhaseHealed},
			{Time: 9000 * ms, Kind: history.PhaseBegan, Detail: history.PhaseFinal},
			{Time: 9900 * ms, Kind: history.PhaseBegan, Detail: history.PhaseEnd},
		},
		Faults: []history.Fault{{ID: 1, Kind: "crash-member", Target: "m2", From: 990 * ms, To: 9100 * ms, Verified: true, Evidence: "m2 running: false"}},
		End:    9900 * ms,
	}
	change(h)
	return h
}

func TestProgressIsJudgedInTheStateThatLasts(t *testing.T) {
	for name, c := range map[string]struct {
		change  func(*history.History)
		verdict Verdict
		says    string
	}{
		"a round that goes well": {func(*history.History) {}, Holds, "crash-member m2 lasted meanwhile"},
		"a round that does not": {func(h *history.History) {
			h.Operations = h.Operations[:1]
			h.Operations[0].Outcome, h.Operations[0].Return = history.Pending, 0
		}, Violated, "although all was healed at 1.000 s but that crash-member m2 lasted"},
		"a fault without evidence": {func(h *history.History) { h.Faults[0].Verified = false }, Vacuous, "no fault was seen to last"},
		"a fault that was over":    {func(h *history.History) { h.Faults[0].To = 995 * time.Millisecond }, Vacuous, "no fault was seen to last"},
		"a fault that ended early": {func(h *history.History) { h.Faults[0].To = 5 * time.Second }, Vacuous, "no fault was seen to last"},
		"a run that has no such state": {func(h *history.History) {
			h.Events = append(h.Events[:1], h.Events[2:]...)
			h.Faults[0].To = 995 * time.Millisecond
		}, Holds, "after the heal 1 request finished"},
	} {
		t.Run(name, func(t *testing.T) {
			p := propertyOf(survivableRun(c.change), Progress)
			if p.Verdict != c.verdict || !strings.Contains(p.Sentence, c.says) {
				t.Errorf("%s: %s", p.Verdict, p.Sentence)
			}
		})
	}
}
