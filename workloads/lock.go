package workloads

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// either is a Lock, a Semaphore, which looks the same, or an RWLock.
type either struct {
	lock Lock
	rw   RWLock
}

func (e *either) acquire(ctx context.Context, mode history.Mode, try bool) (Grant, error) {
	switch {
	case e.rw != nil && mode == history.ReadMode:
		return e.rw.AcquireRead(ctx)
	case e.rw != nil:
		return e.rw.Acquire(ctx)
	case try:
		return e.lock.(TryLock).TryAcquire(ctx)
	default:
		return e.lock.Acquire(ctx)
	}
}

func (e *either) release(ctx context.Context, mode history.Mode) error {
	switch {
	case e.rw != nil && mode == history.ReadMode:
		return e.rw.ReleaseRead(ctx)
	case e.rw != nil:
		return e.rw.Release(ctx)
	default:
		return e.lock.Release(ctx)
	}
}

func (e *either) canTry() bool {
	_, ok := e.lock.(TryLock)
	return ok && !lacks(e.lock, history.TryAcquire)
}

func (e *either) worker() Worker {
	if w, ok := e.lock.(Worker); ok {
		return works(w)
	}
	w, _ := e.rw.(Worker)
	return works(w)
}

func (e *either) guard() Guard {
	if g, ok := e.lock.(Guard); ok {
		return g
	}
	g, _ := e.rw.(Guard)
	return g
}

// locker runs the rounds of one client of a lock, read-write lock or semaphore.
type locker struct {
	*crewMember
	session *session
	locks   map[string]*either
	// held are the holds of a script, the last of each object.
	held map[string]*hold
}

// lockOf returns the client's lock for an object in its present session.
func (l *locker) lockOf(s *session, object string) (*either, error) {
	if l.session != s {
		l.session, l.locks = s, make(map[string]*either)
	}
	if e, ok := l.locks[object]; ok {
		return e, nil
	}
	prefix := l.env.Prefix + l.subject.Name + "/" + object
	e := &either{}
	wanted := history.Operation{Subject: l.subject.Name, Object: object, Kind: history.Acquire, Lease: s.lease}
	err := l.construct(wanted, func() {
		switch {
		case l.subject.NewRWLock != nil:
			e.rw = l.subject.NewRWLock(&s.Session, prefix)
		case l.subject.NewSemaphore != nil:
			e.lock = l.subject.NewSemaphore(&s.Session, prefix, l.traffic.Permits)
		default:
			e.lock = l.subject.NewLock(&s.Session, prefix)
		}
	})
	if err == nil {
		l.locks[object] = e
	}
	return e, err
}

// round takes the objects of d, works, and gives them back. It returns true if
// all of it went well.
func (l *locker) round(d Decision) (bool, error) {
	s, err := l.live(l.ctx)
	if err != nil {
		return false, err
	}
	var holds []*hold
	var locks []*either
	well, uncertain := true, false
	for _, index := range d.Objects {
		object := strconv.Itoa(index)
		e, err := l.lockOf(s, object)
		var h *hold
		if err == nil {
			h, err = l.acquire(s, e, object, d)
		}
		if errors.Is(err, errDead) {
			return false, err
		}
		if err != nil {
			well, uncertain = false, !Certain(err) && !d.Keep
			break
		}
		holds, locks = append(holds, h), append(locks, e)
	}
	believes := true
	if well {
		if believes, err = l.work(s, holds, d.Hold, d.Guard); err != nil {
			return false, err
		}
	}
	for i := len(holds) - 1; i >= 0; i-- {
		if l.heeds && !l.believes(s, holds[i]) {
			believes = false
			break
		}
		err := l.release(s, locks[i], holds[i], releasePatience)
		if errors.Is(err, errDead) {
			return false, err
		}
		if err != nil {
			well, uncertain = false, true
		}
	}
	if uncertain || !believes {
		l.abandon(s)
	}
	return well && believes, nil
}

func (l *locker) acquire(s *session, e *either, object string, d Decision) (*hold, error) {
	op := history.Operation{
		Subject: l.subject.Name, Object: object, Kind: history.Acquire, Lease: s.lease,
	}
	if e.rw != nil {
		op.Mode = d.Mode
	}
	try := d.Try && e.canTry()
	if try {
		op.Kind = history.TryAcquire
	}
	patience, cancelling := l.patience(d)
	if l.subject.Blocking {
		patience = 0
	}
	ctx, cancel, deadline := l.within(patience, cancelling)
	defer cancel()
	op.Deadline = deadline
	done, err := l.attempt(op, func(done *history.Completion) error {
		g, err := e.acquire(ctx, op.Mode, try)
		done.Key, done.Token = g.Key, g.Token
		if try && errors.Is(err, ErrTaken) {
			done.Number = 1
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	h := &hold{
		subject: op.Subject, object: op.Object, mode: op.Mode, acquire: done.ID,
		grant: Grant{Key: done.Key, Token: done.Token}, guard: e.guard(), worker: e.worker(),
	}
	if l.subject.Protects() {
		h.resource = l.resource(object)
		if done.Token != 0 {
			l.fence()
		}
	}
	return h, nil
}

// releasePatience is how long a release may take before the client gives its
// session up instead.
const releasePatience = 3 * time.Second

func (l *locker) release(s *session, e *either, h *hold, patience time.Duration) error {
	op := h.operation(history.Release, s)
	op.Key, op.Token = h.grant.Key, h.grant.Token
	if l.subject.Blocking {
		patience = 0
	}
	ctx, cancel, deadline := l.within(patience, false)
	defer cancel()
	op.Deadline = deadline
	_, err := l.attempt(op, func(*history.Completion) error { return e.release(ctx, h.mode) })
	return err
}

// perform does a step of a script: acquire, acquire-read, try-acquire, work,
// release and release-read. A release without a hold is made too.
func (l *locker) perform(s *session, step Step) error {
	e, err := l.lockOf(s, step.Object)
	if err != nil {
		return err
	}
	if l.held == nil {
		l.held = make(map[string]*hold)
	}
	d := step.decision()
	switch step.Verb {
	case "acquire-read":
		d.Mode = history.ReadMode
		fallthrough
	case "acquire", "try-acquire":
		d.Try = step.Verb == "try-acquire"
		if h := l.held[step.Object]; h != nil && !h.given {
			return errHolds
		}
		delete(l.held, step.Object)
		h, err := l.acquire(s, e, step.Object, d)
		if err == nil {
			l.held[step.Object] = h
		}
		return err
	case "work":
		return l.workOn(s, l.held[step.Object], step)
	default:
		h := l.held[step.Object]
		if h == nil {
			h = &hold{subject: l.subject.Name, object: step.Object}
			if e.rw != nil {
				h.mode = history.WriteMode
			}
		}
		if step.Verb == "release-read" {
			h.mode = history.ReadMode
		}
		patience := releasePatience
		if step.Within > 0 {
			patience = step.Within
		}
		h.given = true
		return l.release(s, e, h, patience)
	}
}

// errHolds is why a script's client does not ask for what it holds: to which of
// two holds its release belonged would not be known.
var errHolds = &skippedError{"its client holds it already"}

// workOn does the work of a script's hold, for the step's time.
func (m *crewMember) workOn(s *session, h *hold, step Step) error {
	if h == nil {
		return &skippedError{"there is no hold to work under"}
	}
	length, err := time.ParseDuration(step.Value)
	if err != nil {
		length = time.Millisecond
	}
	_, err = m.work(s, []*hold{h}, length, false)
	return err
}

// last makes the last rounds: every object once in each, retried until it went
// well or ctx ends.
func (l *locker) last(ctx context.Context) error {
	for object := range l.traffic.lastRounds(l.early(ctx)) {
		if l.traffic.LastRounds > 0 && l.traffic.Try > 0 { // it may be refused
			if _, err := l.round(Decision{Objects: []int{object}, Mode: history.WriteMode, Try: true, Patience: patienceOf(ctx), Hold: time.Millisecond}); err != nil {
				return err
			}
		}
		for ctx.Err() == nil {
			d := Decision{Objects: []int{object}, Mode: history.WriteMode, Patience: patienceOf(ctx), Hold: time.Millisecond, Guard: true}
			well, err := l.round(d)
			if err != nil {
				return err
			}
			if well {
				break
			}
			sleep(ctx, 20*time.Millisecond, nil, nil)
		}
	}
	return nil
}

// early returns what is true in the first third of the quiet time, whose end is
// that of ctx.
func (m *crewMember) early(ctx context.Context) func() bool {
	return func() bool { return patienceOf(ctx) > m.env.Quiet*2/3 }
}
