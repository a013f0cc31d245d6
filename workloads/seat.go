package workloads

import "context"

// seat is the place of one client in its crew. It is the shared of a client in
// this process.
type seat struct {
	crew       *Crew
	index      int
	slot, name string
	// ctx lasts as long as the client. crashed is true once it has crashed.
	ctx     context.Context
	crashed func() bool
	// finish is called when the client has finished.
	finish func()
}

func (s *seat) began() {
	now := s.crew.env.Recorder.Clock().Now()
	s.crew.mu.Lock()
	defer s.crew.mu.Unlock()
	s.crew.began[s.name] = append(s.crew.began[s.name], now)
}

func (s *seat) finished()                       { s.finish() }
func (s *seat) othersFinished() <-chan struct{} { return s.crew.rest.over }
func (s *seat) resource(object string) Resource { return s.crew.resources.of(object) }
func (s *seat) fence()                          { s.crew.fenced.Store(true) }
func (s *seat) saw(object, value string)        { s.crew.seen.saw(s.name, object, value) }

func (s *seat) await(ctx context.Context, object, value string) {
	s.crew.seen.wait(ctx, object, value, s.crew.traffic.Observers)
}

// A client that is dead does nothing to its disk.

func (s *seat) keepWon(w won) {
	if s.crashed() {
		return
	}
	s.crew.mu.Lock()
	defer s.crew.mu.Unlock()
	s.crew.left[s.slot] = w
}

func (s *seat) takeWon() (won, bool) {
	if s.crashed() {
		return won{}, false
	}
	s.crew.mu.Lock()
	defer s.crew.mu.Unlock()
	w, ok := s.crew.left[s.slot]
	delete(s.crew.left, s.slot)
	return w, ok
}

func (s *seat) leftBy(index int) (won, bool) {
	s.crew.mu.Lock()
	defer s.crew.mu.Unlock()
	w, ok := s.crew.left[s.crew.slots[index]]
	return w, ok
}

func (s *seat) meeting(group int) *meeting {
	return s.crew.meetings.of(group, s.crew.traffic.Permits)
}

func (s *seat) meet(ctx context.Context, group int, last bool) bool {
	if last {
		return s.meeting(group).beginLast(ctx, s)
	}
	return s.meeting(group).begin(ctx, s, s.crew.env.Healed)
}

func (s *seat) entered(group int)           { s.meeting(group).enter(s) }
func (s *seat) parted(group int, well bool) { s.meeting(group).end(s, well) }

func (s *seat) role() *role { return s.crew.script.roles[s.index] }

func (s *seat) nextStep(ctx context.Context) (Step, bool, error) {
	return s.role().take(ctx, s.crew.env.Healed)
}

func (s *seat) stepDone() { s.role().finish() }

func (s *seat) sharer(name string) (*crewMember, bool) {
	owner, shares := s.crew.traffic.Shared[name]
	if !shares {
		return nil, false
	}
	index, _ := RoleIndex(owner) // validated
	return s.crew.script.roles[index].filledBy(), true
}
