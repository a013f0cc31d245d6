package answers

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// memberPatience is how long a member may take to end, and to come back.
const memberPatience = time.Minute

// errNoLeader says that a round found no leader to crash.
var errNoLeader = errors.New("no member leads the cluster")

// kill lets every holder die and returns when all waiters have the lock or
// their time is over, and all members serve again.
func (r *deathRound) kill(ctx context.Context, samples []*sample) error {
	moments := workloads.Stream(r.options.Seed, r.name)
	strike := make(chan struct{}) // the moment at which the leader crashes
	var dying sync.WaitGroup
	for _, s := range samples {
		after := time.Duration(moments.Int64N(int64(deathSpread)))
		if s.spoiled != "" {
			continue
		}
		dying.Go(func() {
			if s.death == WithLeader {
				s.die(ctx, r, strike)
				return
			}
			moment := make(chan struct{})
			timer := time.AfterFunc(after, func() { close(moment) })
			defer timer.Stop()
			s.die(ctx, r, moment)
		})
	}
	var err error
	if r.deaths[0] == WithLeader {
		err = r.crashLeader(ctx, strike, &dying)
	}
	dying.Wait()
	return err
}

// crashLeader crashes the leader when strike is closed, which it does, and
// restarts it when all waiters are done.
func (r *deathRound) crashLeader(ctx context.Context, strike chan struct{}, dying *sync.WaitGroup) error {
	leader := r.lab.leader()
	close(strike)
	if leader == "" {
		return errNoLeader
	}
	// Not interrupted: a member half dead would be left behind.
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), memberPatience)
	defer cancel()
	err := r.lab.cluster.Crash(within, leader)
	r.leaderCrashed = err == nil
	dying.Wait()
	if ctx.Err() != nil {
		return err
	}
	return errors.Join(err, r.lab.cluster.Restart(within, leader))
}

// die lets the holder die when moment is closed, and waits for what its waiter
// and, if it was cut off, its session make of it.
func (s *sample) die(ctx context.Context, r *deathRound, moment <-chan struct{}) {
	lost := s.session.Session.Done()
	select {
	case <-moment:
	case <-lost:
	case <-ctx.Done():
	}
	select {
	case o := <-s.next:
		s.spoiled = fmt.Sprintf("the waiter's acquire returned before the holder died (error: %v)", o.err)
		return
	case <-lost:
		s.spoiled = "the holder's session ended before the holder died"
		return
	case <-ctx.Done():
		s.spoiled = ErrInterrupted.Error()
		return
	default:
	}

	s.died = r.lab.clock.Now()
	switch s.death {
	case Closed:
		if err := s.session.Session.Close(); err != nil {
			s.spoiled = "closing the holder's session: " + err.Error()
			return
		}
	case CutOff:
		s.holder.cut()
	default:
		s.holder.die()
	}
	if s.death != CutOff {
		lost = nil // the dead are told nothing
	}
	over := time.NewTimer(s.ttl + r.options.Patience)
	defer over.Stop()
	for !s.granted || lost != nil {
		select {
		case o := <-s.next:
			if o.err != nil {
				s.spoiled = "the waiter's acquire: " + o.err.Error()
				return
			}
			s.next, s.granted, s.handover.next = nil, true, o.at
		case <-lost:
			s.told, s.wasTold, lost = r.lab.clock.Now(), true, nil
		case <-over.C:
			return
		case <-ctx.Done():
			s.spoiled = ErrInterrupted.Error()
			return
		}
	}
}
