package workloads

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/quantity"
)

// sightings remembers which leader value each observer saw last.
type sightings struct {
	mu      sync.Mutex
	last    map[string]string // observer and object → value
	changed chan struct{}
}

func newSightings() *sightings {
	return &sightings{last: make(map[string]string), changed: make(chan struct{})}
}

func (s *sightings) saw(observer string, object string, value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last[observer+"/"+object] = value
	close(s.changed)
	s.changed = make(chan struct{})
}

// wait returns when as many observers as want see value, or ctx ends.
func (s *sightings) wait(ctx context.Context, object string, value string, want int) {
	for {
		s.mu.Lock()
		seeing := 0
		for _, v := range s.last {
			if v == value {
				seeing++
			}
		}
		changed := s.changed
		s.mu.Unlock()
		if seeing >= want {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

// observer watches every election of a subject and asks now and then who
// leads, until the run says that leaders may step down.
type observer struct{ *crewMember }

func (o *observer) observe() error {
	ctx, cancel := context.WithCancel(o.ctx)
	defer cancel()
	go func() {
		select {
		case <-o.env.Final:
		case <-ctx.Done():
		}
		cancel()
	}()
	for ctx.Err() == nil {
		s, err := o.live(ctx)
		if err != nil {
			return errIfDead(o.ctx)
		}
		if s.Partner == nil {
			o.observeIn(ctx, s)
			break
		}
		o.observeThrough(ctx, s)
	}
	return errIfDead(o.ctx)
}

// observeThrough observes through a partner until it is lost, or ctx ends. The
// next one follows.
func (o *observer) observeThrough(ctx context.Context, s *session) {
	within, cancel := context.WithCancel(ctx)
	defer cancel()
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-s.told:
			cancel()
		case <-within.Done():
		}
	}()
	o.observeIn(within, s)
	<-within.Done() // it may be unable to observe
	<-watched
	if ctx.Err() == nil {
		o.abandon(s)
	}
}

// observeIn observes in one session until ctx ends.
func (o *observer) observeIn(ctx context.Context, s *session) {
	var group sync.WaitGroup
	for index := range o.traffic.Objects {
		object := strconv.Itoa(index)
		e, err := o.newElection(s, object, history.Observe)
		if err != nil {
			break
		}
		if !lacks(e, history.Observe) {
			group.Go(func() { o.follow(ctx, s, e, object) })
		}
		if !lacks(e, history.Leader) {
			group.Go(func() { o.ask(ctx, s, e, object) })
		}
	}
	group.Wait()
}

func errIfDead(ctx context.Context) error {
	if ctx.Err() != nil {
		return errDead
	}
	return nil
}

// follow keeps an observation open, opening the next when one is lost.
func (o *observer) follow(ctx context.Context, s *session, e Election, object string) {
	for ctx.Err() == nil {
		if !o.followOnce(ctx, s, e, object) {
			return
		}
		sleep(ctx, 50*time.Millisecond, nil, nil)
	}
}

// followOnce follows one observation until it ends, or ctx does. It returns
// false if the client is dead.
func (m *crewMember) followOnce(ctx context.Context, s *session, e Election, object string) bool {
	op := history.Operation{Subject: m.subject.Name, Object: object, Kind: history.Observe, Client: m.Name, Lease: s.lease}
	if !m.env.Recorder.Invoke(&op) {
		return false
	}
	done := history.Completion{ID: op.ID, Client: m.Name, Outcome: history.Ok}
	err := surviving(func(done *history.Completion) error {
		if !m.deliver(ctx, &op, object, e.Observe(ctx)) {
			done.Number = 1
		}
		return nil
	}, &done)
	if err != nil {
		done.Outcome, done.Error = history.Info, err.Error()
	}
	_, ok := m.env.Recorder.Complete(&done)
	return ok
}

// deliver records what an observation delivers until it ends, or ctx does. It
// returns false if it ended by itself.
func (m *crewMember) deliver(ctx context.Context, op *history.Operation, object string, leaderships <-chan Leadership) bool {
	for {
		select {
		case l, ok := <-leaderships:
			if !ok {
				return ctx.Err() != nil
			}
			m.env.Recorder.Event(history.Event{
				Kind: history.Observed, Client: m.Name, Subject: op.Subject, Object: op.Object, Operation: op.ID,
				Value: l.Value, Key: l.Key, Token: l.Token, Revision: l.Revision,
			})
			m.saw(object, l.Value)
		case <-ctx.Done():
			return true
		}
	}
}

// askPause is the pause between two questions who leads.
var askPause = quantity.Span{Min: 30 * time.Millisecond, Max: 120 * time.Millisecond}

// ask asks who leads.
func (o *observer) ask(ctx context.Context, s *session, e Election, object string) {
	pause := o.env.pauses("ask/"+o.Name+"/"+object, askPause)
	for ctx.Err() == nil {
		if err := o.askOnce(s, e, object, 2*time.Second); errors.Is(err, errDead) {
			return
		}
		sleep(ctx, pause(), nil, nil)
	}
}

// askOnce asks once who leads.
func (m *crewMember) askOnce(s *session, e Election, object string, patience time.Duration) error {
	ctx, cancel, deadline := m.within(patience, false)
	defer cancel()
	op := history.Operation{Subject: m.subject.Name, Object: object, Kind: history.Leader, Lease: s.lease, Deadline: deadline}
	_, err := m.attempt(op, func(done *history.Completion) error {
		l, err := e.Leader(ctx)
		if errors.Is(err, ErrNoLeader) {
			return nil
		}
		done.Value, done.Key, done.Token, done.Revision = l.Value, l.Key, l.Token, l.Revision
		return err
	})
	return err
}
