package workloads

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads/internal/wire"
)

// desk answers what the process of one client asks. Its exported methods are
// those that net/rpc calls, each in a goroutine of its own, so that one that
// waits keeps no other from being answered.
//
// All times are taken here: an invocation is recorded, and on its way to disk,
// before the client gets to know that it may make the call, and a completion
// when it has told of it. So calls are recorded a little too long and holds a
// little too short, which is the safe side. Once the client's death is recorded
// nothing more is taken from it, neither a record nor a write to a resource.
type desk struct {
	seat       *seat
	assignment *wire.Assignment
	// requests is how many requests the client's links have carried.
	requests func() int64
	// stop is closed when the client is to end.
	stop <-chan struct{}
	// ctx ends with the client, or when it is to end; end ends it.
	ctx context.Context
	end context.CancelFunc
	// greeted is closed when the client has its assignment and is ready. refused
	// is why it cannot be; over is what its work came to.
	greeted chan struct{}
	refused chan string
	over    chan error
	greets  sync.Once

	mu      sync.RWMutex
	crashed bool
	lease   int64
	before  map[int64]int64 // requests before the call, by operation
	// stepping is true while the client does a step of a script.
	stepping bool
}

func newDesk(ctx context.Context, s *seat) *desk {
	d := &desk{
		seat: s, stop: ctx.Done(), greeted: make(chan struct{}), refused: make(chan string, 1), over: make(chan error, 1),
		before: make(map[int64]int64), requests: func() int64 { return 0 },
	}
	d.ctx, d.end = context.WithCancel(ctx)
	s.ctx, s.crashed = d.ctx, d.hasCrashed
	if r := s.crew.env.Requests; r != nil {
		d.requests = r(s.name)
	}
	return d
}

func (d *desk) name() string { return d.seat.name }

// Lease is the lease of the client's session, or zero.
func (d *desk) Lease() int64 {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.lease
}

func (d *desk) hasCrashed() bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.crashed
}

// die records the client's death, once: from then on nothing is taken from it.
func (d *desk) die(e history.Event) bool {
	d.mu.Lock()
	first := !d.crashed
	d.crashed = true
	d.mu.Unlock()
	d.end()
	e.Kind, e.Subject, e.Client = history.Crashed, d.seat.crew.subject.Name, d.seat.name
	return first && d.seat.crew.env.Recorder.Event(e)
}

// gone ends the step of a script that the client was at, if it was at one.
func (d *desk) gone() {
	d.mu.Lock()
	stepping := d.stepping
	d.stepping = false
	d.mu.Unlock()
	if stepping {
		d.seat.stepDone()
	}
}

// errGone is told to nobody: the client has ended.
var errGone = errors.New("the client has ended")

// Hello tells the client who it is.
func (d *desk) Hello(protocol int, a *wire.Assignment) error {
	if protocol != wire.Protocol {
		return fmt.Errorf("it speaks version %d of the protocol, and the harness version %d: was the program replaced meanwhile?", protocol, wire.Protocol)
	}
	*a = *d.assignment
	return nil
}

// Ready says that the client is about to begin, Refuse why it cannot.
func (d *desk) Ready(bool, *bool) error {
	d.greets.Do(func() { close(d.greeted) })
	return nil
}

// Refuse says why the client cannot begin.
func (d *desk) Refuse(why string, _ *bool) error {
	select {
	case d.refused <- why:
	default:
	}
	return nil
}

// Over says what the client's work came to: "" is to its end.
func (d *desk) Over(failure string, _ *bool) error {
	var err error
	if failure != "" {
		err = errors.New(failure)
	}
	select {
	case d.over <- err:
	default:
	}
	return nil
}

// Await returns when what the client waits for has come.
func (d *desk) Await(what string, _ *bool) error {
	var c <-chan struct{}
	switch env := d.seat.crew.env; what {
	case wire.Healed:
		c = env.Healed
	case wire.Final:
		c = env.Final
	case wire.OthersFinished:
		c = d.seat.othersFinished()
	case wire.Stop:
		c = d.stop
	default:
		return fmt.Errorf("there is no %q to wait for", what)
	}
	select {
	case <-c:
		return nil
	case <-d.ctx.Done():
		if what == wire.Stop && isClosed(d.stop) { // of two that are true, select takes any
			return nil
		}
		return errGone
	}
}

// Invoke records an invocation.
func (d *desk) Invoke(op *history.Operation, reply *wire.Recorded) error {
	if !d.seat.crew.env.Recorder.Invoke(op) {
		return nil
	}
	*reply = wire.Recorded{Taken: true, At: op.Call, ID: op.ID}
	d.mu.Lock()
	defer d.mu.Unlock()
	if op.Kind == history.CloseSession && op.Lease == d.lease {
		d.lease = 0
	}
	if op.Kind != history.Observe { // which goes on beside other calls
		d.before[op.ID] = d.requests()
	}
	return nil
}

// Complete records a completion.
func (d *desk) Complete(c *history.Completion, reply *wire.Recorded) error {
	d.mu.Lock()
	if before, counted := d.before[c.ID]; counted {
		c.Requests = max(0, d.requests()-before)
		delete(d.before, c.ID)
	}
	d.mu.Unlock()
	reply.At, reply.Taken = d.seat.crew.env.Recorder.Complete(c)
	return nil
}

// Event records an event.
func (d *desk) Event(e *history.Event, taken *bool) error {
	if *taken = d.seat.crew.env.Recorder.Event(*e); *taken && e.Kind == history.SessionOpened {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.lease = e.Lease
	}
	return nil
}
