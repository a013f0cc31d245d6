package checker

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// MemberEnd is the end of a member that the run had not ended.
type MemberEnd struct {
	Member string
	At     time.Duration
	// How is what was seen of it.
	How string
	// Fault is the fault that may have brought it about, as in "full-disk m1": "" if
	// nothing explains it, and then the run is at best unknown.
	Fault string
}

// ends are the ends of members that the run had not ended.
func (r *record) ends() []MemberEnd {
	var all []MemberEnd
	for i := range r.h.Events {
		e := &r.h.Events[i]
		if e.Kind != history.Ended {
			continue
		}
		end := MemberEnd{Member: e.Client, At: e.Time, How: e.Detail}
		if k := slices.IndexFunc(r.h.Faults, func(f history.Fault) bool { return f.MayEnd(e.Client, e.Time, r.o.Grace) }); k >= 0 {
			end.Fault = strings.TrimSpace(r.h.Faults[k].Kind + " " + r.h.Faults[k].Target)
		}
		all = append(all, end)
	}
	return all
}

// unexplained are those that none of the run's faults is known to bring about: what
// was judged was another cluster than the one that the scenario describes, and why is
// not known.
func (r *record) unexplained() []MemberEnd {
	return slices.DeleteFunc(r.ends(), func(e MemberEnd) bool { return e.Fault != "" })
}

// mourned says how a member ended, and which faults that were under way do not explain
// it.
func (r *record) mourned(e MemberEnd) string {
	text := fmt.Sprintf("member %s was seen to have ended at %s, and holdfast had not ended it (%s): ", e.Member, at(e.At), e.How)
	var names []string
	for i := range r.h.Faults {
		if f := &r.h.Faults[i]; underWay(f, e.At) {
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
