package workloads

import (
	"context"
	"errors"
	"strconv"

	"github.com/etcd-holdfast/holdfast/history"
)

// ErrDiffers is returned by CompareAndSet if it found another value than the
// one that it was to replace. Nothing was written.
var ErrDiffers = errors.New("the register holds another value")

// Reading is what a read of a register found.
type Reading struct {
	// Value is "" if nothing was written yet.
	Value string
	// Made is the revision that made the value, zero if there is none, and
	// Revision the store revision at which it was read; both are zero if the
	// subject cannot tell.
	Made, Revision int64
}

// Register is a value that is read and written. Errors are as for Lock.
type Register interface {
	Get(ctx context.Context) (Reading, error)
	// Put returns the revision that it made, zero if unknown.
	Put(ctx context.Context, value string) (revision int64, err error)
	// CompareAndSet writes value if the register holds prior, where "" is
	// nothing, and returns the revision that it made. Else it returns ErrDiffers
	// and the revision at which it found another value. Revisions are zero if
	// unknown.
	CompareAndSet(ctx context.Context, prior, value string) (revision int64, err error)
}

// writer runs the rounds of one client of a register. What it writes leaves
// nothing behind that others would wait for, so it keeps its session whatever
// becomes of a write.
type writer struct {
	*crewMember
	session   *session
	registers map[string]Register
	// last values seen, by object: what a comparison expects.
	seen map[string]string
}

// registerOf returns the client's register for an object in its present session.
func (w *writer) registerOf(s *session, object string) (Register, error) {
	if w.session != s {
		w.session, w.registers = s, make(map[string]Register)
	}
	if w.seen == nil {
		w.seen = make(map[string]string)
	}
	if r, ok := w.registers[object]; ok {
		return r, nil
	}
	var made Register
	wanted := history.Operation{Subject: w.subject.Name, Object: object, Kind: history.Get, Lease: s.lease}
	err := w.construct(wanted, func() { made = w.subject.NewRegister(&s.Session, w.env.Prefix+w.subject.Name+"/"+object) })
	if err == nil {
		w.registers[object] = made
	}
	return made, err
}

// round makes one call and stays idle for the time that it would have held a
// lock.
func (w *writer) round(d Decision) (bool, error) {
	s, err := w.live(w.ctx)
	if err != nil {
		return false, err
	}
	object := strconv.Itoa(d.Objects[0])
	kind := history.Put
	switch {
	case d.Draw < auditShare:
		kind = history.Get
	case d.Choice < 0.5:
		kind = history.CompareAndSet
	}
	r, err := w.registerOf(s, object)
	if err == nil {
		err = w.call(s, r, object, kind, d)
	}
	if errors.Is(err, errDead) {
		return false, err
	}
	sleep(w.ctx, d.Hold, w.env.Healed, nil)
	return err == nil || errors.Is(err, ErrDiffers), nil
}

// call makes one call on a register.
func (w *writer) call(s *session, r Register, object string, kind history.Kind, d Decision) error {
	op := history.Operation{Subject: w.subject.Name, Object: object, Kind: kind, Lease: s.lease}
	if kind != history.Get {
		op.Value = w.value()
	}
	if kind == history.CompareAndSet {
		op.Prior = w.seen[object]
	}
	ctx, cancel, deadline := w.within(w.patience(d))
	defer cancel()
	op.Deadline = deadline
	done, err := w.attempt(op, func(done *history.Completion) (err error) {
		switch kind {
		case history.Get:
			var reading Reading
			reading, err = r.Get(ctx)
			done.Value, done.Token, done.Revision = reading.Value, reading.Made, reading.Revision
		case history.Put:
			done.Revision, err = r.Put(ctx, op.Value)
		default:
			done.Revision, err = r.CompareAndSet(ctx, op.Prior, op.Value)
		}
		return err
	})
	switch {
	case err == nil && kind == history.Get:
		w.seen[object] = done.Value
	case err == nil:
		w.seen[object] = op.Value
	}
	return err
}

// last reads and writes every object, each retried until it went well or ctx
// ends.
func (w *writer) last(ctx context.Context) error {
	return w.eachObject(ctx, func(d Decision) (bool, error) {
		d.Draw, d.Choice = 1, 1
		if well, err := w.round(d); !well || err != nil {
			return well, err
		}
		d.Draw = 0
		return w.round(d)
	})
}

// perform does a step of a script: get, put or compare-and-set, which expects
// what the client last knew.
func (w *writer) perform(s *session, step Step) error {
	r, err := w.registerOf(s, step.Object)
	if err != nil {
		return err
	}
	return w.call(s, r, step.Object, history.Kind(step.Verb), step.decision())
}
