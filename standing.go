package holdfast

import (
	"slices"
	"sync"
)

// Standing is how far a series of runs has come: those of a catalogue, or of the
// zoo.
type Standing struct {
	// Done counts what is decided, and Planned what there is to decide: the runs of
	// a catalogue, the subjects of the zoo.
	Done, Planned int
	// Found, Missed and Alarms count what is decided: what was to be found and was,
	// or was not, and where something showed that should not have.
	Found, Missed, Alarms int
	// Running are the names of what is under way, the first begun first.
	Running []string
}

// stand keeps the standing of a catalogue whose runs may be several at a time.
type stand struct {
	mu   sync.Mutex
	now  Standing
	tell func(Standing)
}

// newStand is the standing before the first run; tell may be nil.
func newStand(planned int, tell func(Standing)) *stand {
	s := &stand{now: Standing{Planned: planned}, tell: tell}
	s.change(func(*Standing) {})
	return s
}

// change makes a change and tells of it.
func (s *stand) change(how func(*Standing)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	how(&s.now)
	if s.tell != nil {
		now := s.now
		now.Running = slices.Clone(now.Running)
		s.tell(now)
	}
}

// begin notes that something is under way.
func (s *stand) begin(name string) {
	s.change(func(now *Standing) { now.Running = append(now.Running, name) })
}

// end notes that it is not any more, and what became of it.
func (s *stand) end(name string, how func(*Standing)) {
	s.change(func(now *Standing) {
		if i := slices.Index(now.Running, name); i >= 0 {
			now.Running = slices.Delete(now.Running, i, i+1)
		}
		how(now)
	})
}

// judge counts what a run showed that was to find something.
func (s *Standing) judge(found, alarm bool) {
	s.Done++
	count(&s.Found, found)
	count(&s.Missed, !found)
	count(&s.Alarms, alarm)
}

// count adds one to a number if something is so.
func count(n *int, so bool) {
	if so {
		*n++
	}
}
