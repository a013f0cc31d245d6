package faults

import (
	"testing"

	"github.com/etcd-holdfast/holdfast/history"
)

// newWatched returns a lookout on which something of the subject mutex is waited
// for.
func newWatched(t *testing.T) *story {
	t.Helper()
	s := &story{Lookout: NewLookout(history.NewClock(), "run/")}
	t.Cleanup(s.Close)
	s.add(&watch{subject: "mutex", event: Event{Family: Lost}})
	return s
}

// The lease of a waiter that has told of none is the one that its key is on, if no
// other can have made it.
func TestLeaseThatWasNotToldIsReadFromTheKey(t *testing.T) {
	const key = "run/mutex/0/x"
	for name, c := range map[string]struct {
		before func(s *story)
		lease  int64
		after  func(s *story)
		want   int64
	}{
		"the only one who waits":               {lease: 5, want: 5},
		"another waits too, who has a session": {before: func(s *story) { s.event("c2", history.SessionOpened, 7, ""); s.call("c2", history.Acquire) }, lease: 5, want: 5},
		"another waits too, who has none":      {before: func(s *story) { s.call("c2", history.Acquire) }, lease: 5},
		"another who had one and lost it": {before: func(s *story) {
			s.event("c2", history.SessionOpened, 7, "")
			s.event("c2", history.Lost, 7, "")
			s.call("c2", history.Acquire)
		}, lease: 5},
		"it is on another's":                           {before: func(s *story) { s.event("c2", history.SessionOpened, 5, "") }, lease: 5},
		"it is on none":                                {},
		"it has told of one since":                     {lease: 5, after: func(s *story) { s.event("c1", history.SessionOpened, 5, "") }},
		"it died since":                                {lease: 5, after: func(s *story) { s.event("c1", history.Crashed, 0, "") }},
		"it has a session, and the key is not on that": {before: func(s *story) { s.event("c1", history.SessionOpened, 9, "") }, lease: 5},
	} {
		t.Run(name, func(t *testing.T) {
			s := newWatched(t)
			if c.before != nil {
				c.before(s)
			}
			s.call("c1", history.Acquire)
			s.Changed(history.Change{Key: key, Version: 1, Lease: c.lease}, 0)
			if c.after != nil {
				c.after(s)
			}
			if got := s.LeaseOf("c1"); got != c.want {
				t.Errorf("lease %d, want %d", got, c.want)
			}
		})
	}
}
