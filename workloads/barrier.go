package workloads

import (
	"context"
	"strconv"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// Barrier is closed by Block and opened by Unblock. Errors are as for Lock; a
// Block of what is closed already is refused with one that is certain.
type Barrier interface {
	Block(ctx context.Context) error
	// Unblock opens the barrier, whoever closed it. It may be open already.
	Unblock(ctx context.Context) error
	// Pass returns nil only if the barrier was open at some time during the call.
	Pass(ctx context.Context) error
}

// passer runs the rounds of one client of a barrier.
//
// The first client blocks and, after a while, opens; the others pass. In the
// last round the first one opens every barrier again and again until the
// others have passed: a Block of unknown outcome may come late.
type passer struct {
	*crewMember
	session  *session
	barriers map[string]Barrier
}

// barrierOf returns the client's barrier for an object in its present session.
func (p *passer) barrierOf(s *session, object string, kind history.Kind) (Barrier, error) {
	if p.session != s {
		p.session, p.barriers = s, make(map[string]Barrier)
	}
	if made, ok := p.barriers[object]; ok {
		return made, nil
	}
	var made Barrier
	err := p.construct(p.operation(kind, s, object), func() {
		made = p.subject.NewBarrier(&s.Session, p.env.Prefix+p.subject.Name+"/"+object)
	})
	if err == nil {
		p.barriers[object] = made
	}
	return made, err
}

func (p *passer) operation(kind history.Kind, s *session, object string) history.Operation {
	return history.Operation{Subject: p.subject.Name, Object: object, Kind: kind, Lease: s.lease}
}

// call makes one call of a kind.
func (p *passer) call(kind history.Kind, s *session, object string, patience time.Duration, cancelling bool) error {
	made, err := p.barrierOf(s, object, kind)
	if err != nil {
		return err
	}
	_, err = p.timed(p.operation(kind, s, object), patience, cancelling, func(ctx context.Context, _ *history.Completion) error {
		switch kind {
		case history.Block:
			return made.Block(ctx)
		case history.Unblock:
			return made.Unblock(ctx)
		default:
			return made.Pass(ctx)
		}
	})
	return err
}

// coordinates is true for the client that blocks and opens.
func (p *passer) coordinates() bool { return p.index == 0 }

// round blocks and opens, or passes. It returns true if all of it went well.
func (p *passer) round(d Decision) (bool, error) {
	s, err := p.live(p.ctx)
	if err != nil {
		return false, err
	}
	object := strconv.Itoa(d.Objects[0])
	patience, cancelling := p.patience(d)
	if !p.coordinates() {
		if err := p.call(history.Pass, s, object, patience, cancelling); err != nil {
			return p.failed(s, err, d)
		}
		return true, nil
	}
	// A barrier that a predecessor left closed is refused, and opened below.
	if err := p.call(history.Block, s, object, patience, cancelling); err != nil && !Certain(err) {
		return p.failed(s, err, d)
	}
	sleep(p.ctx, d.Hold, p.env.Healed, nil)
	return p.open(p.ctx, s, object)
}

// open opens a barrier, whatever becomes of its session: else nobody passes.
func (p *passer) open(ctx context.Context, s *session, object string) (bool, error) {
	err := p.call(history.Unblock, s, object, releasePatience, false)
	if err == nil {
		return true, nil
	}
	if well, err := p.giveUp(s, err); err != nil {
		return well, err
	}
	return false, p.retry(ctx, func() (bool, error) {
		s, err := p.live(ctx)
		if err != nil {
			return false, errIfDead(p.ctx)
		}
		if err := p.call(history.Unblock, s, object, releasePatience, false); err != nil {
			return p.giveUp(s, err)
		}
		return true, nil
	})
}

// last passes every barrier once. The first client opens them before, and as
// long as others wait.
func (p *passer) last(ctx context.Context) error {
	kinds := []history.Kind{history.Pass}
	if p.coordinates() {
		kinds = []history.Kind{history.Unblock, history.Pass}
	}
	for index := range p.traffic.Objects {
		for _, kind := range kinds {
			if err := p.retried(ctx, kind, strconv.Itoa(index)); err != nil {
				return err
			}
		}
	}
	if !p.coordinates() {
		return nil
	}
	rest := p.othersFinished()
	for object := 0; ctx.Err() == nil && !isClosed(rest); object = (object + 1) % p.traffic.Objects {
		if err := p.retried(ctx, history.Unblock, strconv.Itoa(object)); err != nil {
			return err
		}
		sleep(ctx, feedPause, rest, nil)
	}
	return nil
}

// retried makes a call until it went well.
func (p *passer) retried(ctx context.Context, kind history.Kind, object string) error {
	return p.retry(ctx, func() (bool, error) {
		s, err := p.live(ctx)
		if err != nil {
			return false, errIfDead(p.ctx)
		}
		if err := p.call(kind, s, object, patienceOf(ctx), false); err != nil {
			return p.giveUp(s, err)
		}
		return true, nil
	})
}

// perform does a step of a script: block, unblock and pass.
func (p *passer) perform(s *session, step Step) error {
	d := step.decision()
	return p.call(history.Kind(step.Verb), s, step.Object, d.Patience, d.Cancel)
}
