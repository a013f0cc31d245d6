package checker

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// unexplained are the ends of members that the run had not ended and that none of its
// faults is known to bring about: what was judged was another cluster than the one that
// the scenario describes, and why is not known.
func (r *record) unexplained() []*history.Event {
	var all []*history.Event
	for i := range r.h.Events {
		e := &r.h.Events[i]
		if e.Kind == history.Ended && !slices.ContainsFunc(r.h.Faults, func(f history.Fault) bool { return f.MayEnd(e.Client, e.Time, r.o.Grace) }) {
			all = append(all, e)
		}
	}
	return all
}

// mourned says how a member ended, and which faults that were under way do not explain
// it.
func (r *record) mourned(e *history.Event) string {
	text := fmt.Sprintf("member %s was seen to have ended at %s, and holdfast had not ended it (%s): ", e.Client, at(e.Time), e.Detail)
	var names []string
	for i := range r.h.Faults {
		if f := &r.h.Faults[i]; underWay(f, e.Time) {
			names = append(names, strings.TrimSpace(f.Kind+" "+f.Target))
		}
	}
	if len(names) == 0 {
		return text + "no fault was under way"
	}
	return text + "what was under way does not end it like that: " + strings.Join(names, ", ")
}

// underWay is true if a fault was in force at time t, seen or not.
func underWay(f *history.Fault, t time.Duration) bool {
	return !f.Uninjected && f.From > 0 && f.From <= t && (f.To == 0 || f.To >= t)
}
