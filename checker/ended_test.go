package checker

import (
	"slices"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

func TestMembersThatEndUnasked(t *testing.T) {
	const ms = time.Millisecond
	for name, c := range map[string]struct {
		fault history.Fault
		note  string // "" if the end is explained
	}{
		"no fault at all": {history.Fault{Kind: "compact", From: 1 * ms, To: 2 * ms, Verified: true},
			"member m1 was seen to have ended at 0.500 s, and holdfast had not ended it (signal: killed): no fault was under way"},
		"a fault that ends nobody": {history.Fault{Kind: "isolate-leader", Target: "m1", From: 400 * ms, To: 600 * ms, Verified: true},
			"member m1 was seen to have ended at 0.500 s, and holdfast had not ended it (signal: killed): what was under way does not end it like that: isolate-leader m1"},
		"another's full disk": {history.Fault{Kind: "full-disk", Target: "m2", From: 400 * ms, To: 600 * ms, Verified: true},
			"member m1 was seen to have ended at 0.500 s, and holdfast had not ended it (signal: killed): what was under way does not end it like that: full-disk m2"},
		"a full disk that comes after": {history.Fault{Kind: "full-disk", Target: "m1", From: 501 * ms, To: 600 * ms, Verified: true},
			"member m1 was seen to have ended at 0.500 s, and holdfast had not ended it (signal: killed): no fault was under way"},
		"its full disk":                   {history.Fault{Kind: "full-disk", Target: "m1 (leader)", From: 400 * ms, To: 600 * ms, Verified: true}, ""},
		"its full disk a moment ago":      {history.Fault{Kind: "full-disk", Target: "m1", From: 400 * ms, To: 450 * ms, Verified: true}, ""},
		"its memory, for good":            {history.Fault{Kind: "squeeze-memory", Target: "m1", From: 400 * ms, Verified: true}, ""},
		"a hook, whatever it does":        {history.Fault{Kind: "hook/power", Target: "m3", From: 400 * ms, To: 600 * ms, Verified: true}, ""},
		"a hook that was partly injected": {history.Fault{Kind: "hook/power", Target: "m3", From: 400 * ms, To: 600 * ms, Uninjected: true, Evidence: "not injected: x"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			run := survivableRun(func(h *history.History) {
				h.Events = append(h.Events[:1], h.Events[2:]...)
				h.Faults = []history.Fault{c.fault}
			})
			before := Check(run, Options{})
			run.Events = slices.Insert(run.Events, 1, history.Event{Time: 500 * ms, Kind: history.Ended, Client: "m1", Detail: "signal: killed"})
			after := Check(run, Options{})
			if len(after.Ends) != 1 || after.Ends[0].Member != "m1" || after.Ends[0].At != 500*ms || (after.Ends[0].Fault == "") != (c.note != "") {
				t.Errorf("the ends are %+v", after.Ends)
			}
			if c.note == "" {
				if after.Verdict != before.Verdict || !slices.Equal(after.Notes, before.Notes) {
					t.Errorf("%s with notes %q became %s with notes %q", before.Verdict, before.Notes, after.Verdict, after.Notes)
				}
				return
			}
			if before.Verdict == Unknown || after.Verdict != Unknown || !slices.Contains(after.Notes, c.note) {
				t.Errorf("%s became %s with notes %q, want %q", before.Verdict, after.Verdict, after.Notes, c.note)
			}
		})
	}
}
