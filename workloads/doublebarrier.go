package workloads

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// DoubleBarrier is entered by a number of clients together, and left by them
// together. Errors are as for Lock.
type DoubleBarrier interface {
	// Enter returns nil only if, at some time during the call, as many clients as
	// the barrier is for were in it, the caller among them.
	Enter(ctx context.Context) error
	// Leave returns nil only when everybody who was in it with the caller has
	// begun to leave, or is dead.
	Leave(ctx context.Context) error
}

// enterer runs the rounds of one client of a double barrier. The clients are in
// groups of as many as must enter, each with an object of its own; see
// meetings.
type enterer struct {
	*crewMember
	session  *session
	barriers map[string]DoubleBarrier
}

// group is the client's group, which is its object too.
func (e *enterer) group() int { return e.index / max(e.traffic.Permits, 1) }

// barrierOf returns the client's barrier for an object in its present session.
func (e *enterer) barrierOf(s *session, object string, kind history.Kind) (DoubleBarrier, error) {
	if e.session != s {
		e.session, e.barriers = s, make(map[string]DoubleBarrier)
	}
	if made, ok := e.barriers[object]; ok {
		return made, nil
	}
	var made DoubleBarrier
	err := e.construct(e.operation(kind, s, object), func() {
		made = e.subject.NewDoubleBarrier(&s.Session, e.env.Prefix+e.subject.Name+"/"+object, e.traffic.Permits)
	})
	if err == nil {
		e.barriers[object] = made
	}
	return made, err
}

func (e *enterer) operation(kind history.Kind, s *session, object string) history.Operation {
	return history.Operation{Subject: e.subject.Name, Object: object, Kind: kind, Lease: s.lease}
}

// call makes one call of a kind. If untilLost, it ends when the client is told
// that its session is over.
func (e *enterer) call(kind history.Kind, s *session, object string, patience time.Duration, cancelling, untilLost bool) error {
	made, err := e.barrierOf(s, object, kind)
	if err != nil {
		return err
	}
	_, err = e.timed(e.operation(kind, s, object), patience, cancelling, func(ctx context.Context, _ *history.Completion) error {
		switch {
		case kind == history.Enter && untilLost:
			return s.untilLost(func() error { return made.Enter(ctx) })
		case kind == history.Enter:
			return made.Enter(ctx)
		}
		return made.Leave(ctx)
	})
	return err
}

// errSessionLost is why a call that takes no context was ended.
var errSessionLost = errors.New("the session was lost while the client waited")

// untilLost makes a call that takes no context, and closes the connection, which
// ends it, when the client is told that its session is over: its key is gone
// with the lease, and the others it waits for need not come. What a call returns
// after that says nothing.
func (s *session) untilLost(call func() error) (err error) {
	ended := make(chan struct{})
	lost := false
	var watch sync.WaitGroup
	watch.Go(func() {
		select {
		case <-s.told:
			lost = true
			_ = s.Client.Close() // it can only say that it is closed already
		case <-ended:
		}
	})
	defer func() {
		close(ended)
		watch.Wait()
		if lost {
			_ = recover()
			err = errSessionLost
		}
	}()
	return call()
}

// round meets the others, enters, and leaves. It returns true if all of it
// went well.
func (e *enterer) round(d Decision) (bool, error) {
	if !e.meet(e.ctx, e.group(), false) {
		return false, errIfDead(e.ctx)
	}
	well, err := e.enterAndLeave(d)
	e.parted(e.group(), well)
	return well, err
}

func (e *enterer) enterAndLeave(d Decision) (bool, error) {
	s, err := e.live(e.ctx)
	if err != nil {
		return false, err
	}
	object := strconv.Itoa(e.group())
	patience, cancelling := e.patience(d)
	sleep(e.ctx, d.Hold/2, e.env.Healed, nil) // else all come at once, and nobody waits
	if err := e.call(history.Enter, s, object, patience, cancelling, e.subject.Blocking); err != nil {
		well, dead := e.giveUp(s, err)
		if errors.Is(err, errSessionLost) {
			e.redial()
		}
		return well, dead
	}
	e.entered(e.group())
	sleep(e.ctx, d.Hold/2, e.env.Healed, nil)
	if err := e.call(history.Leave, s, object, patience, false, false); err != nil {
		return e.giveUp(s, err)
	}
	return true, nil
}

// last enters and leaves until all of the group went well together.
func (e *enterer) last(ctx context.Context) error {
	for ctx.Err() == nil && e.meet(ctx, e.group(), true) {
		well, err := e.enterAndLeave(Decision{Patience: patienceOf(ctx), Hold: 2 * time.Millisecond})
		e.parted(e.group(), well)
		if err != nil {
			return err
		}
		if !well {
			sleep(ctx, 20*time.Millisecond, nil, nil)
		}
	}
	return errIfDead(e.ctx)
}

// perform does a step of a script: enter and leave.
func (e *enterer) perform(s *session, step Step) error {
	d := step.decision()
	return e.call(history.Kind(step.Verb), s, step.Object, d.Patience, d.Cancel, false)
}
