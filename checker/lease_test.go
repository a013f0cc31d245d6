package checker

import (
	"strings"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// leasesOf is a run in which a's lease 1 was renewed at 400 ms for a second and
// ended at 900 ms, beside a leader whose disk had stalled.
func leasesOf(change func(*history.History)) *history.History {
	const ms = time.Millisecond
	h := &history.History{
		Header: history.Header{Prefix: "p/", Subjects: []history.SubjectInfo{{Name: "x", Primitive: history.Mutex, Origin: history.FromEtcd, Layout: history.OldestKey}}},
		Events: []history.Event{
			{Kind: history.Leads, Client: "m1", Detail: "leader"}, {Kind: history.Leads, Client: "m2", Detail: "follower"}, {Kind: history.Leads, Client: "m3", Detail: "follower"},
			{Kind: history.SessionOpened, Subject: "x", Client: "a", Lease: 1, TTL: time.Second},
			{Kind: history.Renewed, Client: "a", Lease: 1, Time: 300 * ms, TTL: 600 * ms},
			{Kind: history.Renewed, Client: "a", Lease: 1, Time: 400 * ms, TTL: time.Second},
			{Time: 1500 * ms, Kind: history.PhaseBegan, Detail: history.PhaseHealed},
			{Time: 1600 * ms, Kind: history.PhaseBegan, Detail: history.PhaseFinal},
			{Time: 1700 * ms, Kind: history.PhaseBegan, Detail: history.PhaseEnd},
		},
		Operations: []history.Operation{{ID: 1, Subject: "x", Object: "o", Client: "a", Lease: 1, Kind: history.Acquire, Call: 100 * ms, Return: 110 * ms, Outcome: history.Ok, Key: "p/x/o/1", Token: 10}},
		Faults:     []history.Fault{{ID: 1, Kind: "stall-leader-disk", Target: "m1 (leader)", From: 200 * ms, To: 850 * ms, Verified: true}},
		End:        1700 * ms,
	}
	h.Revisions = history.NewRevisionLog(10, 11,
		[]history.Change{{Revision: 10, Time: 105 * ms, Key: "p/x/o/1", Create: 10, Version: 1, Lease: 1}, {Revision: 11, Time: 900 * ms, Key: "p/x/o/1", Deleted: true}},
		[]history.LeaseEnd{{Lease: 1, Revision: 11, Time: 900 * ms}},
		[]history.Tick{{Call: 890 * ms, Return: 891 * ms, Revision: 10}, {Call: 901 * ms, Return: 902 * ms, Revision: 11}}, nil)
	change(h)
	return h
}

// parted is a leader that is cut off until to, and another one, or itself, that leads
// from 400 ms on.
func parted(target string, to time.Duration, next string) func(*history.History) {
	return func(h *history.History) {
		h.Faults = []history.Fault{{ID: 1, Kind: "split", Target: target, From: 200 * time.Millisecond, To: to, Verified: true}}
		h.Events = append(h.Events, history.Event{Kind: history.Leads, Client: next, Detail: "leader", Time: 400 * time.Millisecond})
	}
}

// hooked is the same, harmed by a hook.
func hooked(target string, to time.Duration, next string) func(*history.History) {
	return func(h *history.History) {
		parted(target, to, next)(h)
		h.Faults[0].Kind = "hook/pause-leader"
	}
}

func TestALeaseThatEndsBeforeItsTimeIsTheServers(t *testing.T) {
	const ms = time.Millisecond
	for name, c := range map[string]struct {
		change  func(*history.History)
		verdict Verdict // vacuous where it is not judged
		known   string
	}{
		"too early, after the leader's disk had stalled":                      {func(*history.History) {}, Violated, "etcd#15247"},
		"too early, and nothing explains it":                                  {func(h *history.History) { h.Faults = nil }, Violated, ""},
		"the disk was another member's":                                       {func(h *history.History) { h.Faults[0].Target = "m2" }, Violated, ""},
		"too early, after a leader that was parted from the others came back": {parted("m1 | m2+m3", 850*ms, "m2"), Violated, "etcd#12528"},
		"too early, after a leader that a hook had paused came back":          {hooked("m1 (leader)", 850*ms, "m2"), Violated, "etcd#12528"},
		"a hook harmed a member that did not lead":                            {hooked("m3", 850*ms, "m2"), Violated, ""},
		"a hook harmed the leader, and nobody succeeded it":                   {hooked("m1 (leader)", 850*ms, "m1"), Violated, ""},
		"a member was parted that did not lead":                               {parted("m3", 850*ms, "m2"), Violated, ""},
		"a leader was parted, and nobody succeeded it":                        {parted("m1", 850*ms, "m1"), Violated, ""},
		"a leader was parted, and has not come back":                          {parted("m1", 2000*ms, "m2"), Violated, ""},
		"the stall was not seen":                                              {func(h *history.History) { h.Faults[0].Verified = false }, Violated, ""},
		"a cluster of one":                                                    {func(h *history.History) { h.Events = h.Events[2:] }, Violated, ""},
		"when its time had come":                                              {func(h *history.History) { h.Events[5].TTL = 500 * ms }, Holds, ""},
		"a little early":                                                      {func(h *history.History) { h.Events[5].TTL = 550 * ms }, Holds, ""},
		"its client closed it": {func(h *history.History) {
			h.Operations = append(h.Operations, history.Operation{ID: 2, Subject: "x", Client: "a", Lease: 1, Kind: history.CloseSession, Call: 880 * ms, Return: 905 * ms, Outcome: history.Info})
		}, Holds, ""},
		"its client closed it later": {func(h *history.History) {
			h.Operations = append(h.Operations, history.Operation{ID: 2, Subject: "x", Client: "a", Lease: 1, Kind: history.CloseSession, Call: 950 * ms, Return: 960 * ms, Outcome: history.Fail})
		}, Violated, "etcd#15247"},
		"a fault revoked it": {func(h *history.History) {
			h.Faults = append(h.Faults, history.Fault{ID: 2, Kind: "revoke-lease", Target: "a", From: 880 * ms, To: 890 * ms, Verified: true})
		}, Holds, ""},
		"a fault revoked another's": {func(h *history.History) {
			h.Faults = append(h.Faults, history.Fault{ID: 2, Kind: "revoke-lease", Target: "b", From: 880 * ms, To: 890 * ms, Verified: true})
		}, Violated, "etcd#15247"},
		"it was never told that it was renewed": {func(h *history.History) { h.Events = append(h.Events[:4], h.Events[6:]...) }, Vacuous, ""},
		"there is no log":                       {func(h *history.History) { h.Revisions = nil }, Vacuous, ""},
		"a planted bug":                         {func(h *history.History) { h.Header.Subjects[0].Origin = history.Broken }, Vacuous, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := propertyOf(leasesOf(c.change), Lease)
			if p.Verdict != c.verdict {
				t.Fatalf("%q: %+v", p.Verdict, p)
			}
			if c.verdict != Violated {
				return
			}
			v := p.Violations[0]
			if v.Blame != BlameServer || v.Known != c.known || len(v.Witness) != 1 || !strings.Contains(v.Sentence, "500 ms too early") {
				t.Errorf("%+v", v)
			}
		})
	}
}
