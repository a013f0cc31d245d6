package workloads

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/etcd-holdfast/holdfast/workloads/internal/wire"
)

// What a client shares with its crew, asked for by its process: see shared.

// Began, Finished and Fence pass on what the client says.
func (d *desk) Began(bool, *bool) error    { d.seat.began(); return nil }
func (d *desk) Finished(bool, *bool) error { d.seat.finished(); return nil }
func (d *desk) Fence(bool, *bool) error    { d.seat.fence(); return nil }

// Access is an access of the living to a protected resource.
func (d *desk) Access(a *wire.Access, reply *wire.Accessed) error {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.crashed {
		return errGone
	}
	defer func() {
		if p := recover(); p != nil { // the resource may be a user's own
			reply.Panic = fmt.Sprint(p)
		}
	}()
	r := d.seat.resource(a.Object)
	var err error
	switch {
	case a.Write && a.Fenced:
		reply.Position, err = r.WriteFenced(a.Token, a.Value)
	case a.Write:
		reply.Position = r.Write(a.Value)
	case a.Fenced:
		reply.Value, reply.Position, err = r.ReadFenced(a.Token)
	default:
		reply.Value, reply.Position = r.Read()
	}
	if reply.Stale = errors.Is(err, ErrStale); reply.Stale {
		return nil
	}
	return err
}

// Saw passes on a leader value that the client saw.
func (d *desk) Saw(s *wire.Sight, _ *bool) error {
	d.seat.saw(s.Object, s.Value)
	return nil
}

// Sighted returns when all observers have seen a value, or its time is over.
func (d *desk) Sighted(s *wire.Sight, _ *bool) error {
	ctx, cancel := d.until(s.Deadline)
	defer cancel()
	d.seat.await(ctx, s.Object, s.Value)
	return nil
}

// until is the client's time, no longer than to a time on the run's clock; zero is
// no such time.
func (d *desk) until(deadline time.Duration) (context.Context, context.CancelFunc) {
	if deadline == 0 {
		return d.ctx, func() {}
	}
	return context.WithTimeout(d.ctx, deadline-d.seat.crew.env.Recorder.Clock().Now())
}

// KeepWon, TakeWon and LeftBy are about leaderships that outlive their clients.
func (d *desk) KeepWon(w *wire.Won, _ *bool) error {
	d.seat.keepWon(won{object: w.Object, lease: w.Lease, grant: Grant{Key: w.Key, Token: w.Token}})
	return nil
}

// TakeWon takes what a predecessor left.
func (d *desk) TakeWon(_ bool, w *wire.Won) error {
	*w = sent(d.seat.takeWon())
	return nil
}

// LeftBy is what the client with that index keeps.
func (d *desk) LeftBy(index int, w *wire.Won) error {
	*w = sent(d.seat.leftBy(index))
	return nil
}

func sent(w won, there bool) wire.Won {
	return wire.Won{There: there, Object: w.object, Lease: w.lease, Key: w.grant.Key, Token: w.grant.Token}
}

// Meet returns when the client should enter.
func (d *desk) Meet(m *wire.Meeting, enters *bool) error {
	ctx, cancel := d.until(m.Deadline)
	defer cancel()
	*enters = d.seat.meet(ctx, m.Group, m.Last)
	return nil
}

// Entered and Parted pass on how far the client is.
func (d *desk) Entered(m *wire.Meeting, _ *bool) error { d.seat.entered(m.Group); return nil }
func (d *desk) Parted(m *wire.Meeting, _ *bool) error  { d.seat.parted(m.Group, m.Well); return nil }

// NextStep returns the next step of the client's script. What the client does
// not live to end is ended by gone.
func (d *desk) NextStep(_ bool, reply *wire.Step) error {
	step, more, err := d.seat.nextStep(d.ctx)
	if err != nil {
		return err
	}
	if more {
		d.mu.Lock()
		d.stepping = true
		d.mu.Unlock()
	}
	*reply = wire.Step{Line: step.line, More: more}
	return nil
}

// StepDone says that the step has ended.
func (d *desk) StepDone(bool, *bool) error {
	d.gone()
	return nil
}
