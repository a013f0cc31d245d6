package workloads

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// Item is what a queue gives out.
type Item struct {
	// Value is unique in the run.
	Value string
	// Priority is given to Enqueue of a priority queue: lower comes first.
	Priority uint16
	// Key is the key that stood for the item, and Revision that of its creation,
	// zero if the subject cannot tell.
	Key      string
	Revision int64
}

// Queue is a queue, or a priority queue. Errors are as for Lock.
type Queue interface {
	// Enqueue adds an item, of which Value and Priority are given.
	Enqueue(ctx context.Context, item Item) error
	// Dequeue waits for an item and takes it. It takes none, or one.
	Dequeue(ctx context.Context) (Item, error)
}

// queuer runs the rounds of one client of a queue or priority queue.
//
// The clients of slots with an even index enqueue, each after a pause, and the
// others dequeue, so that these wait most of the time. A client that is alone
// does both. In the last round the first client goes on enqueueing until
// nobody waits any more, and then drains every queue up to an item of its own
// that comes last.
type queuer struct {
	*crewMember
	session *session
	queues  map[string]Queue
}

// feedPause is the pause between the items that the last round enqueues for
// those who wait still.
const feedPause = 50 * time.Millisecond

// last place of a priority queue, and how many priorities the rounds use.
const (
	lastPriority = 1<<16 - 1
	priorities   = 12
)

func (q *queuer) operation(kind history.Kind, s *session, object string) history.Operation {
	return history.Operation{Subject: q.subject.Name, Object: object, Kind: kind, Lease: s.lease}
}

// queueOf returns the client's queue for an object in its present session.
func (q *queuer) queueOf(s *session, object string, kind history.Kind) (Queue, error) {
	if q.session != s {
		q.session, q.queues = s, make(map[string]Queue)
	}
	if made, ok := q.queues[object]; ok {
		return made, nil
	}
	create := q.subject.NewQueue
	if create == nil {
		create = q.subject.NewPriorityQueue
	}
	var made Queue
	err := q.construct(q.operation(kind, s, object), func() {
		made = create(&s.Session, q.env.Prefix+q.subject.Name+"/"+object)
	})
	if err == nil {
		q.queues[object] = made
	}
	return made, err
}

// enqueue adds an item with a value of its own, which it returns.
func (q *queuer) enqueue(s *session, object string, priority uint16, patience time.Duration, cancelling bool) (string, error) {
	made, err := q.queueOf(s, object, history.Enqueue)
	if err != nil {
		return "", err
	}
	op := q.operation(history.Enqueue, s, object)
	op.Value = q.value()
	if q.subject.NewPriorityQueue != nil {
		op.Number = int64(priority)
	}
	_, err = q.timed(op, patience, cancelling, func(ctx context.Context, _ *history.Completion) error {
		return made.Enqueue(ctx, Item{Value: op.Value, Priority: priority})
	})
	return op.Value, err
}

// dequeue takes an item and returns its value.
func (q *queuer) dequeue(s *session, object string, patience time.Duration, cancelling bool) (string, error) {
	made, err := q.queueOf(s, object, history.Dequeue)
	if err != nil {
		return "", err
	}
	op, err := q.timed(q.operation(history.Dequeue, s, object), patience, cancelling, func(ctx context.Context, done *history.Completion) error {
		item, err := made.Dequeue(ctx)
		done.Value, done.Key, done.Revision = item.Value, item.Key, item.Revision
		return err
	})
	return op.Value, err
}

// produces and consumes say which half of the work is the client's.
func (q *queuer) produces() bool { return q.index%2 == 0 }
func (q *queuer) consumes() bool { return q.index%2 == 1 || q.traffic.Clients == 1 }

// priorityOf draws a priority from what a decision draws anyway.
func priorityOf(d Decision) uint16 { return uint16(d.Patience/time.Millisecond) % priorities }

// round enqueues after a pause, or dequeues. It returns true if it went well.
func (q *queuer) round(d Decision) (bool, error) {
	s, err := q.live(q.ctx)
	if err != nil {
		return false, err
	}
	object := strconv.Itoa(d.Objects[0])
	patience, cancelling := q.patience(d)
	if q.produces() {
		sleep(q.ctx, d.Hold, q.env.Healed, nil)
		if _, err = q.enqueue(s, object, priorityOf(d), patience, cancelling); err != nil {
			return q.failed(s, err, d)
		}
	}
	if q.consumes() {
		if _, err = q.dequeue(s, object, patience, cancelling); err != nil {
			return q.failed(s, err, d)
		}
	}
	return true, nil
}

// failed does as giveUp, unless the round keeps its session.
func (m *crewMember) failed(s *session, err error, d Decision) (bool, error) {
	if d.Keep && !errors.Is(err, errDead) {
		return false, nil
	}
	return m.giveUp(s, err)
}

// giveUp gives the session up after an error that is not certain. It returns
// the error only if the client is dead.
func (m *crewMember) giveUp(s *session, err error) (bool, error) {
	if errors.Is(err, errDead) {
		return false, err
	}
	if !Certain(err) {
		m.abandon(s)
	}
	return false, nil
}

// last enqueues into every queue, or dequeues from it, until that went well.
func (q *queuer) last(ctx context.Context) error {
	for object := range q.traffic.Objects {
		err := q.retry(ctx, func() (bool, error) {
			return q.round(Decision{Objects: []int{object}, Patience: patienceOf(ctx)})
		})
		if err != nil {
			return err
		}
	}
	if q.index != 0 {
		return nil
	}
	rest := q.othersFinished()
	for object := 0; ctx.Err() == nil && !isClosed(rest); object = (object + 1) % q.traffic.Objects {
		err := q.retry(ctx, func() (bool, error) { return q.put(ctx, strconv.Itoa(object), 0) })
		if err != nil {
			return err
		}
		sleep(ctx, feedPause/time.Duration(q.traffic.Objects), rest, nil)
	}
	return q.drain(ctx)
}

// put enqueues with what is left of the last round.
func (q *queuer) put(ctx context.Context, object string, priority uint16) (bool, error) {
	s, err := q.live(ctx)
	if err != nil {
		return false, errIfDead(q.ctx)
	}
	if _, err = q.enqueue(s, object, priority, patienceOf(ctx), false); err != nil {
		return q.giveUp(s, err)
	}
	return true, nil
}

// drain dequeues all that is in the queues. Nobody else works on them any more.
func (q *queuer) drain(ctx context.Context) error {
	for index := range q.traffic.Objects {
		object := strconv.Itoa(index)
		err := q.retry(ctx, func() (bool, error) {
			s, err := q.live(ctx)
			if err != nil {
				return false, errIfDead(q.ctx)
			}
			end, err := q.enqueue(s, object, lastPriority, patienceOf(ctx), false)
			for value := ""; err == nil && value != end; {
				value, err = q.dequeue(s, object, patienceOf(ctx), false)
			}
			if err != nil {
				return q.giveUp(s, err)
			}
			return true, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// retry does what went wrong again until it went well, ctx ends or the client
// is dead.
func (m *crewMember) retry(ctx context.Context, do func() (bool, error)) error {
	for ctx.Err() == nil {
		well, err := do()
		if err != nil || well {
			return err
		}
		sleep(ctx, 20*time.Millisecond, nil, nil)
	}
	return nil
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// timed makes a call of the subject that may take patience, or as long as it
// likes if the subject takes no context. A call that outlived its client, which
// was closed meanwhile, has come to nothing that anybody was told.
func (m *crewMember) timed(op history.Operation, patience time.Duration, cancelling bool, call func(context.Context, *history.Completion) error) (history.Operation, error) {
	if m.subject.Blocking {
		patience = 0
	}
	ctx, cancel, deadline := m.within(patience, cancelling)
	defer cancel()
	op.Deadline = deadline
	return m.attempt(op, func(done *history.Completion) (err error) {
		defer func() {
			if ended := m.ctx.Err(); ended != nil {
				_ = recover()
				*done = history.Completion{ID: done.ID, Client: done.Client}
				err = ended
			}
		}()
		return call(ctx, done)
	})
}

// perform does a step of a script: enqueue and dequeue.
func (q *queuer) perform(s *session, step Step) error {
	d := step.decision()
	if step.Verb == "enqueue" {
		priority, _ := strconv.ParseUint(step.Value, 10, 16) // validated
		_, err := q.enqueue(s, step.Object, uint16(priority), d.Patience, d.Cancel)
		return err
	}
	_, err := q.dequeue(s, step.Object, d.Patience, d.Cancel)
	return err
}
