package checker

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// Who removes a run's keys ends its leases before their time, too: that is not the
// server's fault, and what was before is judged all the same.
func TestWhatSomebodyElseTookAwayIsNobodysFault(t *testing.T) {
	const ms = time.Millisecond
	gone := func(revision int64, when time.Duration) func(*history.History) {
		return func(h *history.History) {
			h.Events = append(h.Events, history.Event{Kind: history.Disturbed, Key: "p/run", Revision: revision, Detail: "removed", Time: when})
			log := h.Revisions
			ticks := append(slices.Clone(log.Ticks), history.Tick{Call: 1550 * ms, Return: 1551 * ms, Revision: 11}, history.Tick{Call: 1650 * ms, Return: 1651 * ms, Revision: 12})
			changes := append(slices.Clone(log.Changes), history.Change{Revision: 12, Time: 1600 * ms, Key: "p/z", Deleted: true})
			h.Revisions = history.NewRevisionLog(10, 12, changes, []history.LeaseEnd{{Lease: 1, Revision: 11, Time: 900 * ms}}, ticks, nil)
			h.Faults = nil
		}
	}
	for name, c := range map[string]struct {
		change  func(*history.History)
		overall Verdict
	}{
		"nobody did":                         {func(h *history.History) { h.Faults = nil }, Violated},
		"with the revision that ended it":    {gone(11, 900*ms), Unknown},
		"seen late, with that revision":      {gone(11, 1640*ms), Unknown},
		"after it had ended before its time": {gone(12, 1600*ms), Violated},
		"unknown when":                       {gone(0, 880*ms), Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			result := Check(leasesOf(c.change), Options{})
			if result.Verdict != c.overall {
				t.Errorf("the run is %s, want %s: %q", result.Verdict, c.overall, result.Notes)
			}
			noted := slices.ContainsFunc(result.Notes, func(n string) bool {
				return strings.Contains(n, "somebody else has removed the sign of the run, p/run")
			})
			if disturbed := name != "nobody did"; noted != disturbed {
				t.Errorf("notes %q", result.Notes)
			}
			for _, p := range result.Properties {
				if c.overall == Unknown && p.Verdict != Unknown {
					t.Errorf("%s is %s: %s", p.Property, p.Verdict, p.Sentence)
				}
			}
		})
	}
}
