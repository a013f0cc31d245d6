package checker

import (
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// lateCleanUp is a lock service of which b asked for the lock, gave up, and
// asked again, and whose key was deleted while it held; c held then too.
func lateCleanUp(change func(*history.History, []history.Change)) *history.History {
	ms := time.Millisecond
	h := &history.History{
		Header: history.Header{Version: 1, Prefix: "p/", Subjects: []history.SubjectInfo{
			{Name: "x", Primitive: history.Mutex, Origin: history.FromEtcd, Layout: history.OldestKey},
		}},
		Operations: []history.Operation{
			{ID: 1, Client: "b", Lease: 2, Kind: history.Acquire, Call: 10 * ms, Return: 20 * ms, Outcome: history.Info},
			{ID: 2, Client: "b", Lease: 2, Kind: history.Acquire, Call: 21 * ms, Return: 30 * ms, Outcome: history.Ok, Key: "p/x/o/2", Token: 10},
			{ID: 3, Client: "c", Lease: 3, Kind: history.Acquire, Call: 22 * ms, Return: 50 * ms, Outcome: history.Ok, Key: "p/x/o/3", Token: 11},
			{ID: 4, Client: "b", Lease: 2, Kind: history.Release, Call: 80 * ms, Return: 81 * ms, Outcome: history.Ok, Hold: 2},
		},
		End: 900 * ms,
	}
	for i := range h.Operations {
		h.Operations[i].Subject, h.Operations[i].Object = "x", "o"
	}
	for lease, client := range map[int64]string{2: "b", 3: "c"} {
		h.Events = append(h.Events, history.Event{Kind: history.SessionOpened, Client: client, Lease: lease, TTL: time.Second})
	}
	h.Events = append(h.Events,
		history.Event{Time: 700 * ms, Kind: history.PhaseBegan, Detail: history.PhaseHealed},
		history.Event{Time: 750 * ms, Kind: history.PhaseBegan, Detail: history.PhaseFinal},
		history.Event{Time: 900 * ms, Kind: history.PhaseBegan, Detail: history.PhaseEnd})
	changes := []history.Change{
		{Revision: 10, Time: 12 * ms, Key: "p/x/o/2", Create: 10, Version: 1, Lease: 2},
		{Revision: 11, Time: 24 * ms, Key: "p/x/o/3", Create: 11, Version: 1, Lease: 3},
		{Revision: 12, Time: 40 * ms, Key: "p/x/o/2", Deleted: true},
	}
	change(h, changes)
	ticks := []history.Tick{{Revision: 9}}
	for _, c := range changes {
		ticks = append(ticks, history.Tick{Call: c.Time, Return: c.Time, Revision: c.Revision})
	}
	ticks = append(ticks, history.Tick{Call: 800 * ms, Return: 800 * ms, Revision: 12})
	var ends []history.LeaseEnd
	if h.Operations[0].Error == "the lease ends" {
		ends = []history.LeaseEnd{{Lease: 2, Revision: 12, Time: 40 * ms}}
	}
	h.Revisions = history.NewRevisionLog(10, 12, changes, ends, ticks, nil)
	return h
}

func TestLateCleanUpIsKnownByItsMechanism(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*history.History, []history.Change)
		known  string
		blame  Blame
	}{
		"the key of the call before":            {func(*history.History, []history.Change) {}, "v3lock-late-clean-up", BlameLibrary},
		"a call before that had its answer":     {func(h *history.History, _ []history.Change) { h.Operations[0].Outcome = history.Fail }, "", BlameLibrary},
		"a key that the call itself has made":   {func(_ *history.History, c []history.Change) { c[0].Time = 23 * time.Millisecond }, "", BlameLibrary},
		"the lease took the key":                {func(h *history.History, _ []history.Change) { h.Operations[0].Error = "the lease ends" }, "", BlameLease},
		"a call before of another's, its lease": {func(h *history.History, _ []history.Change) { h.Operations[0].Lease = 7 }, "", BlameLibrary},
		"a subject that is not etcd's":          {func(h *history.History, _ []history.Change) { h.Header.Subjects[0].Origin = history.Broken }, "", BlameSubject},
	} {
		t.Run(name, func(t *testing.T) {
			p := propertyOf(lateCleanUp(c.change), Exclusion)
			if p.Verdict != Violated || p.Violations[0].Known != c.known || p.Violations[0].Blame != c.blame {
				t.Errorf("%+v", p)
			}
		})
	}
}
