package checker

import (
	"strings"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// wentBack is a run on one member, killed at 200 ms: b was told of its lock, made at
// rev 12, and a read after that found the store at rev 11.
func wentBack(change func(*history.History)) *history.History {
	const ms = time.Millisecond
	h := &history.History{
		Header: history.Header{Prefix: "p/", Subjects: []history.SubjectInfo{{Name: "x", Primitive: history.Mutex, Origin: history.FromEtcd, Layout: history.OldestKey}}},
		Events: []history.Event{
			{Kind: history.Leads, Client: "m1", Detail: "leader"},
			{Kind: history.SessionOpened, Subject: "x", Client: "a", Lease: 1, TTL: time.Second},
			{Kind: history.SessionOpened, Subject: "x", Client: "b", Lease: 2, TTL: time.Second},
			{Time: 700 * ms, Kind: history.PhaseBegan, Detail: history.PhaseHealed},
			{Time: 750 * ms, Kind: history.PhaseBegan, Detail: history.PhaseFinal},
			{Time: 900 * ms, Kind: history.PhaseBegan, Detail: history.PhaseEnd},
		},
		Operations: []history.Operation{
			{ID: 1, Client: "a", Lease: 1, Object: "o", Kind: history.Acquire, Call: 100 * ms, Return: 110 * ms, Outcome: history.Ok, Key: "p/x/o/1", Token: 11},
			{ID: 2, Client: "b", Lease: 2, Object: "q", Kind: history.Acquire, Call: 190 * ms, Return: 195 * ms, Outcome: history.Ok, Key: "p/x/q/2", Token: 12},
		},
		Faults: []history.Fault{{ID: 1, Kind: "kill-under-load", Target: "m1 (leader)", From: 200 * ms, To: 300 * ms, Verified: true}},
		End:    900 * ms,
	}
	for i := range h.Operations {
		h.Operations[i].Subject = "x"
	}
	ticks := []history.Tick{{Call: 120 * ms, Return: 121 * ms, Revision: 11}, {Call: 300 * ms, Return: 301 * ms, Revision: 11}, {Call: 800 * ms, Return: 801 * ms, Revision: 13}}
	h.Revisions = history.NewRevisionLog(11, 13, []history.Change{{Revision: 11, Time: 105 * ms, Key: "p/x/o/1", Create: 11, Version: 1, Lease: 1}}, nil, ticks, nil)
	change(h)
	return h
}

// kept has the log show b's key after all.
func kept(h *history.History) {
	log := h.Revisions
	changes := append(log.Changes, history.Change{Revision: 12, Time: 193 * time.Millisecond, Key: "p/x/q/2", Create: 12, Version: 1, Lease: 2})
	h.Revisions = history.NewRevisionLog(11, 13, changes, nil, log.Ticks, nil)
}

func TestAStoreThatWentBackIsTheServers(t *testing.T) {
	const ms = time.Millisecond
	for name, c := range map[string]struct {
		change  func(*history.History)
		verdict Verdict // of durability; vacuous where it is not judged
		known   string
	}{
		"a lock that vanished with the kill of the only member": {func(*history.History) {}, Violated, "etcd#14370"},
		"one of three members": {func(h *history.History) {
			h.Events = append(h.Events, history.Event{Kind: history.Leads, Client: "m2", Detail: "follower"})
		}, Violated, ""},
		"the log lacks it, whatever was read": {func(h *history.History) { h.Revisions.Ticks[1].Revision = 12 }, Violated, "etcd#14370"},
		"nobody was killed":                   {func(h *history.History) { h.Faults = nil }, Violated, ""},
		"the kill was not seen":               {func(h *history.History) { h.Faults[0].Verified = false }, Violated, ""},
		"the read was called before":          {func(h *history.History) { h.Revisions.Ticks[1].Call = 194 * ms; kept(h) }, Vacuous, ""},
		"the read found it":                   {func(h *history.History) { h.Revisions.Ticks[1].Revision = 12; kept(h) }, Vacuous, ""},
		"b was not told of it":                {func(h *history.History) { h.Operations[1].Outcome = history.Info }, Vacuous, ""},
		"a planted bug told it":               {func(h *history.History) { h.Header.Subjects[0].Origin = history.Broken }, Vacuous, ""},
		"tokens that are no keys":             {func(h *history.History) { h.Header.Subjects[0].Layout = history.NoLayout }, Vacuous, ""},
		"there is no log":                     {func(h *history.History) { h.Revisions = nil }, Vacuous, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := propertyOf(wentBack(c.change), Durability)
			if p.Verdict != c.verdict {
				t.Fatalf("%q: %+v", p.Verdict, p)
			}
			if c.verdict != Violated {
				return
			}
			v := p.Violations[0]
			if v.Blame != BlameServer || v.Known != c.known || len(v.Witness) != 1 || v.Witness[0] != 2 || !strings.Contains(v.Sentence, "b was told at 0.195 s of its acquire of q") {
				t.Errorf("%+v", v)
			}
		})
	}
}

// What is told after a store went back rests on what the store has taken back.
func TestWhatFollowsARollbackIsTheServers(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*history.History)
		blame  Blame
		known  string
	}{
		"it went back":      {func(*history.History) {}, BlameServer, "etcd#14370"},
		"nobody was killed": {func(h *history.History) { h.Faults = nil; h.Revisions.Ticks[1].Revision = 12 }, BlameServer, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := propertyOf(wentBack(c.change), Ownership)
			if p.Verdict != Violated {
				t.Fatalf("%+v", p)
			}
			for _, v := range p.Violations {
				if v.Blame == c.blame && v.Known == c.known {
					return
				}
			}
			t.Errorf("%+v", p.Violations)
		})
	}
}
