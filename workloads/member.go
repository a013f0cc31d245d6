package workloads

import (
	"context"
	"time"
)

// crewMember is one client at work for its crew.
type crewMember struct {
	*Client
	shared
	env     *Env
	subject *Subject
	traffic *Traffic
	// index is the client's place among its crew's.
	index int
}

// shared is what the clients of a crew have in common, as one of them sees it.
type shared interface {
	// began takes note that the client begins a round.
	began()
	// finished says that the client has made its last round, and whatever of it
	// others wait for. It may be called more than once.
	finished()
	// othersFinished is closed when all clients but the first have.
	othersFinished() <-chan struct{}
	// resource is the protected resource of an object.
	resource(object string) Resource
	// fence says that a hold had a token.
	fence()
	// saw says which leader value the client saw; await returns when all observers
	// have seen one, or ctx ends.
	saw(object, value string)
	await(ctx context.Context, object, value string)
	// keepWon remembers a leadership for the client's replacement, as a client
	// would on its disk; takeWon forgets it and returns it. leftBy is the one of
	// the client with that index.
	keepWon(w won)
	takeWon() (won, bool)
	leftBy(index int) (won, bool)
	// meet returns when the client should enter a double barrier with its group,
	// or false if it should not any more; see meeting. entered says that it has,
	// and parted that it is out, and whether all went well.
	meet(ctx context.Context, group int, last bool) bool
	entered(group int)
	parted(group int, well bool)
	// nextStep returns the next step of the script for the client, or false when
	// there are no more and all is healed. stepDone says that the step has ended.
	nextStep(ctx context.Context) (step Step, more bool, err error)
	stepDone()
	// sharer is the client whose session a role shares, nil if it has not begun.
	sharer(role string) (m *crewMember, shares bool)
}

// part is what one client does with a primitive.
type part interface {
	// round does what a decision says. It returns true if all of it went well.
	round(Decision) (bool, error)
	// last makes the last round, retried until it went well or ctx ends.
	last(ctx context.Context) error
	// perform does one step of a script with a session. Its error is of the
	// call; only errDead ends the client.
	perform(s *session, step Step) error
}

// part returns what the client does with its subject.
func (m *crewMember) part() part {
	switch {
	case m.subject.NewElection != nil:
		return &candidate{crewMember: m}
	case m.subject.NewQueue != nil, m.subject.NewPriorityQueue != nil:
		return &queuer{crewMember: m}
	case m.subject.NewBarrier != nil:
		return &passer{crewMember: m}
	case m.subject.NewDoubleBarrier != nil:
		return &enterer{crewMember: m}
	case m.subject.NewService != nil:
		return &steward{crewMember: m}
	case m.subject.NewBank != nil:
		return &teller{crewMember: m}
	case m.subject.NewRegister != nil:
		return &writer{crewMember: m}
	default:
		return &locker{crewMember: m}
	}
}

// serve does all that one client does in its life.
func (m *crewMember) serve() error {
	if m.index >= m.traffic.Clients {
		return (&observer{m}).observe()
	}
	part := m.part()
	if len(m.traffic.Script) > 0 {
		err := m.play(part)
		m.finished()
		return m.end(err)
	}
	_, steward := part.(*steward)
	m.alone = !steward && m.attach == nil
	finished := func() {
		m.alone = false // whoever waits for the crew goes on beside the client
		m.finished()
	}
	decide := Planned(m.env.Seed, m.Name, m.traffic)
	for !m.env.healed() {
		d, more := decide()
		if !more {
			select {
			case <-m.env.Healed:
			case <-m.ctx.Done():
				return errDead
			}
			break
		}
		m.began()
		if len(d.Objects) > 0 {
			if _, err := part.round(d); err != nil {
				return err
			}
		}
		sleep(m.ctx, d.Think, m.env.Healed, nil)
	}
	if m.traffic.NoLastRound {
		finished()
		return m.end(nil)
	}
	ctx, cancel := context.WithTimeout(m.ctx, m.env.Quiet)
	defer cancel()
	if err := part.last(ctx); err != nil {
		return err
	}
	if leader, ok := part.(*candidate); ok && m.index == 0 {
		select {
		case <-m.othersFinished():
		case <-ctx.Done():
		}
		return m.end(leader.finale(ctx, finished))
	}
	finished()
	return m.end(nil)
}

// end closes the client's session, if it has one.
func (m *crewMember) end(err error) error {
	m.mu.Lock()
	s := m.current
	m.mu.Unlock()
	if err == nil && s != nil {
		m.abandon(s)
	}
	return err
}

// dropWon forgets a leadership that was kept.
func (m *crewMember) dropWon() { m.takeWon() }

// patienceOf is the time until ctx's deadline.
func patienceOf(ctx context.Context) time.Duration {
	if deadline, ok := ctx.Deadline(); ok {
		return max(time.Until(deadline), time.Millisecond)
	}
	return time.Minute
}
