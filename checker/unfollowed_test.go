package checker

import (
	"strings"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// missedLeader is a run in which b observes a, who resigns at rev 12, at which the
// history is then compacted, and is not told of c, who leads from 2 s to 12 s.
func missedLeader(change func(*history.History)) *history.History {
	const ms = time.Millisecond
	h := &history.History{
		Header: history.Header{Prefix: "p/", Subjects: []history.SubjectInfo{{Name: "x", Primitive: history.Election, Origin: history.FromEtcd, Layout: history.OldestKey}}},
		Events: []history.Event{
			{Time: 300 * ms, Kind: history.Observed, Client: "b", Operation: 2, Value: "a-1", Key: "p/x/o/1", Token: 10, Revision: 10},
			{Time: 12500 * ms, Kind: history.PhaseBegan, Detail: history.PhaseHealed},
			{Time: 12600 * ms, Kind: history.PhaseBegan, Detail: history.PhaseFinal},
			{Time: 12700 * ms, Kind: history.PhaseBegan, Detail: history.PhaseEnd},
		},
		Operations: []history.Operation{
			{ID: 1, Client: "a", Kind: history.Campaign, Value: "a-1", Call: 100 * ms, Return: 110 * ms, Outcome: history.Ok, Key: "p/x/o/1", Token: 10},
			{ID: 2, Client: "b", Kind: history.Observe, Call: 200 * ms, Return: 11000 * ms, Outcome: history.Ok},
			{ID: 3, Client: "a", Kind: history.Resign, Hold: 1, Call: 400 * ms, Return: 410 * ms, Outcome: history.Ok},
			{ID: 4, Client: "c", Kind: history.Campaign, Value: "c-1", Call: 1990 * ms, Return: 2000 * ms, Outcome: history.Ok, Key: "p/x/o/3", Token: 13},
			{ID: 5, Client: "c", Kind: history.Resign, Hold: 4, Call: 12000 * ms, Return: 12010 * ms, Outcome: history.Ok},
		},
		Faults: []history.Fault{{ID: 1, Kind: "compact-here", Target: "revision 12", From: 500 * ms, To: 510 * ms, Verified: true}},
		End:    12700 * ms,
	}
	for i := range h.Operations {
		h.Operations[i].Subject, h.Operations[i].Object = "x", "o"
	}
	change(h)
	changes := []history.Change{
		{Revision: 10, Time: 105 * ms, Key: "p/x/o/1", Create: 10, Version: 1, Value: "a-1"},
		{Revision: 11, Time: 120 * ms, Key: "p/other", Create: 11, Version: 1},
		{Revision: 12, Time: 405 * ms, Key: "p/x/o/1", Deleted: true},
		{Revision: 13, Time: 1995 * ms, Key: "p/x/o/3", Create: 13, Version: 1, Value: "c-1"},
		{Revision: 14, Time: 12005 * ms, Key: "p/x/o/3", Deleted: true},
	}
	ticks := []history.Tick{}
	for _, c := range changes {
		ticks = append(ticks, history.Tick{Call: c.Time - ms, Return: c.Time - ms, Revision: c.Revision - 1}, history.Tick{Call: c.Time, Return: c.Time, Revision: c.Revision})
	}
	ticks = append(ticks, history.Tick{Call: 12600 * ms, Return: 12600 * ms, Revision: 14})
	h.Revisions = history.NewRevisionLog(10, 14, changes, nil, ticks, nil)
	return h
}

func TestALeaderWhoStaysIsObserved(t *testing.T) {
	const ms = time.Millisecond
	fault := func(f history.Fault) func(*history.History) {
		return func(h *history.History) { h.Faults = append(h.Faults, f) }
	}
	for name, c := range map[string]struct {
		change func(*history.History)
		found  bool
		blame  Blame
		known  string
	}{
		"the deletion was at the compacted revision": {func(*history.History) {}, true, BlameServer, "etcd#18089"},
		"and the member was killed after that":       {fault(history.Fault{ID: 2, Kind: "crash-member", Target: "m1 (leader)", From: 600 * ms, To: 900 * ms, Verified: true}), true, BlameServer, "etcd#19179"},
		"the compaction was at another revision":     {func(h *history.History) { h.Faults[0].Target = "revision 11" }, true, BlameLibrary, ""},
		"the compaction was not seen":                {func(h *history.History) { h.Faults[0].Verified = false }, true, BlameLibrary, ""},
		"the leader was delivered": {func(h *history.History) {
			h.Events = append(h.Events, history.Event{Time: 2100 * ms, Kind: history.Observed, Client: "b", Operation: 2, Value: "c-1", Key: "p/x/o/3", Token: 13, Revision: 13})
		}, false, "", ""},
		"the observation ended before long":        {func(h *history.History) { h.Operations[1].Return = 6900 * ms }, false, "", ""},
		"the observer was cut off":                 {fault(history.Fault{ID: 2, Kind: "cut-client", Target: "b", From: 7000 * ms, To: 8000 * ms, Verified: true}), false, "", ""},
		"another client was cut off":               {fault(history.Fault{ID: 2, Kind: "cut-client", Target: "c", From: 7000 * ms, To: 8000 * ms, Verified: true}), true, BlameServer, "etcd#18089"},
		"a member was isolated":                    {fault(history.Fault{ID: 2, Kind: "isolate-member", Target: "m1", From: 7000 * ms, To: 8000 * ms, Verified: true}), false, "", ""},
		"a user's own, that looks at its own pace": {func(h *history.History) { h.Header.Subjects[0].Origin = history.FromUser }, false, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := propertyOf(missedLeader(c.change), Observe)
			if found := p.Verdict == Violated; found != c.found {
				t.Fatalf("%+v", p)
			}
			if !c.found {
				return
			}
			v := p.Violations[0]
			if len(p.Violations) != 1 || v.Blame != c.blame || v.Known != c.known || !strings.Contains(v.Sentence, `had not delivered the leader "c-1"`) {
				t.Errorf("%+v", p.Violations)
			}
		})
	}
}
