package reports

import (
	"slices"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// maxMembers bounds the lanes of members.
const maxMembers = 25

// down is the state of a member whose server does not run.
const down = "down"

// memberRecord is what became of one member.
type memberRecord struct {
	name   string
	states []memberState
	// ends are the times at which its server ended and nobody had ended it.
	ends []*history.Event
}

// memberState is what a member said of itself, until it said something else. One that
// has ended is down until it says something again.
type memberState struct {
	from, to time.Duration
	state    string
}

// memberRecords are the members of which the history tells, by name, maxMembers at most.
func memberRecords(h *history.History) []*memberRecord {
	byName := map[string]*memberRecord{}
	var all []*memberRecord
	for i := range h.Events {
		e := &h.Events[i]
		if e.Kind != history.Leads && e.Kind != history.Ended {
			continue
		}
		m := byName[e.Client]
		if m == nil {
			m = &memberRecord{name: e.Client}
			byName[e.Client] = m
			all = append(all, m)
		}
		state := e.Detail
		if e.Kind == history.Ended {
			m.ends = append(m.ends, e)
			state = down
		}
		if n := len(m.states); n > 0 {
			if m.states[n-1].state == state {
				continue
			}
			m.states[n-1].to = e.Time
		}
		m.states = append(m.states, memberState{e.Time, max(h.End, e.Time), state})
	}
	slices.SortStableFunc(all, func(a, b *memberRecord) int { return natural(a.name, b.name) })
	return all[:min(len(all), maxMembers)]
}

// endTitle says that and how a member ended.
func endTitle(e *history.Event) string {
	title := oneLine(e.Client) + " was seen to have ended at " + at(e.Time) + ", and holdfast had not ended it"
	if e.Detail != "" {
		title += ": " + shorten(oneLine(e.Detail), 160)
	}
	return title
}
