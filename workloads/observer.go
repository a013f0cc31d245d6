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

func (s *sightings) saw(observer string, object int, value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last[observer+"/"+strconv.Itoa(object)] = value
	close(s.changed)
	s.changed = make(chan struct{})
}

// wait returns when as many observers as want see value, or ctx ends.
func (s *sightings) wait(ctx context.Context, object int, value string, want int) {
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
	s, err := o.live(ctx)
	if err != nil {
		return errIfDead(o.ctx)
	}
	var group sync.WaitGroup
	for object := range o.traffic.Objects {
		e, err := o.newElection(s, object, history.Observe)
		if err != nil {
			break
		}
		group.Go(func() { o.follow(ctx, s, e, object) })
		group.Go(func() { o.ask(ctx, s, e, object) })
	}
	group.Wait()
	return errIfDead(o.ctx)
}

func errIfDead(ctx context.Context) error {
	if ctx.Err() != nil {
		return errDead
	}
	return nil
}

// follow keeps an observation open, opening the next when one is lost.
func (o *observer) follow(ctx context.Context, s *session, e Election, object int) {
	for ctx.Err() == nil {
		op := history.Operation{Subject: o.subject.Name, Object: strconv.Itoa(object), Kind: history.Observe, Client: o.Name, Lease: s.lease}
		if !o.env.Recorder.Invoke(&op) {
			return
		}
		done := history.Completion{ID: op.ID, Client: o.Name, Outcome: history.Ok}
		if err := surviving(func(*history.Completion) error { o.deliver(ctx, &op, object, e.Observe(ctx)); return nil }, &done); err != nil {
			done.Outcome, done.Error = history.Info, err.Error()
		}
		o.env.Recorder.Complete(&done)
		sleep(ctx, 50*time.Millisecond, nil, nil)
	}
}

// deliver records what an observation delivers until it ends, or ctx does.
func (o *observer) deliver(ctx context.Context, op *history.Operation, object int, leaderships <-chan Leadership) {
	for {
		select {
		case l, ok := <-leaderships:
			if !ok {
				return
			}
			o.env.Recorder.Event(history.Event{
				Kind: history.Observed, Client: o.Name, Subject: op.Subject, Object: op.Object, Operation: op.ID,
				Value: l.Value, Key: l.Key, Token: l.Token, Revision: l.Revision,
			})
			o.seen.saw(o.Name, object, l.Value)
		case <-ctx.Done():
			return
		}
	}
}

// askPause is the pause between two questions who leads.
var askPause = quantity.Span{Min: 30 * time.Millisecond, Max: 120 * time.Millisecond}

// ask asks who leads.
func (o *observer) ask(ctx context.Context, s *session, e Election, object int) {
	r := Stream(o.env.Seed, "ask/"+o.Name+"/"+strconv.Itoa(object))
	for ctx.Err() == nil {
		within, cancel, deadline := o.within(2*time.Second, false)
		op := history.Operation{Subject: o.subject.Name, Object: strconv.Itoa(object), Kind: history.Leader, Lease: s.lease, Deadline: deadline}
		_, err := o.attempt(op, func(done *history.Completion) error {
			l, err := e.Leader(within)
			if errors.Is(err, ErrNoLeader) {
				return nil
			}
			done.Value, done.Key, done.Token, done.Revision = l.Value, l.Key, l.Token, l.Revision
			return err
		})
		cancel()
		if errors.Is(err, errDead) {
			return
		}
		sleep(ctx, askPause.Draw(r), nil, nil)
	}
}
