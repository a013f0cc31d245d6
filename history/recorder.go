package history

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// Recorder appends operations and events to a journal as they happen. Each
// record is handed to the writer in one Write before the method returns, so
// that with a file beneath it outlives the process: an invocation is in the
// journal before the call is made. The recorder of a Memory keeps each record
// instead, or besides.
//
// Records are stamped while they are appended, each later than the one before.
// All methods are safe for concurrent use.
type Recorder struct {
	clock *Clock

	mu      sync.Mutex
	w       io.Writer    // nil if no lines are wanted
	memory  *keptHistory // nil if only lines are
	line    []byte
	last    time.Duration
	lastID  int64
	crashed map[string]bool
	sealed  bool
	err     error
	listen  func(Record)
	turn    func(client string, alone bool, what func() []byte) (slot uint64)
	still   func(slot uint64) bool
}

// Record is what a listener is told: an operation at its invocation or its
// completion, or an event.
type Record struct {
	Time       time.Duration
	Operation  *Operation
	Completion *Completion
	Event      *Event
}

// Completion is what a call's return adds to its operation. Fields left zero
// keep what the invocation said.
type Completion struct {
	ID       int64
	Client   string
	Outcome  Outcome
	Error    string
	Panicked bool
	Breach   string
	// Lease, if not zero, is the lease on which what was won rests, where the
	// client did not know it at the call.
	Lease    int64
	Key      string
	Token    int64
	Value    string
	Revision int64
	Number   int64
	Requests int64

	slot  uint64
	alone bool
}

// Completes returns the completion of an operation that was invoked, without
// what came of it.
func (op *Operation) Completes() Completion {
	return Completion{ID: op.ID, Client: op.Client, slot: op.slot, alone: op.alone}
}

// NewRecorder returns a recorder that appends to w, and writes the header.
func NewRecorder(w io.Writer, clock *Clock, h Header) (*Recorder, error) {
	h.Version = FormatVersion
	r := newRecorder(clock)
	r.w = w
	line, err := appendHeader(nil, &h)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(line); err != nil {
		return nil, fmt.Errorf("write history header: %w", err)
	}
	return r, nil
}

func newRecorder(clock *Clock) *Recorder {
	return &Recorder{clock: clock, crashed: make(map[string]bool), last: -1}
}

// Listen makes f hear every record after it was written. It must be called
// before the first record; f must be quick and must not call the recorder.
func (r *Recorder) Listen(f func(Record)) { r.listen = f }

// TakeTurns makes clients wait for turn before each record of what they do. It is
// called before the record is stamped, and what tells apart the records of one
// client. What completes while it is still the slot of its call needs no other. It
// must be called before the first record. Deaths do not wait.
func (r *Recorder) TakeTurns(turn func(client string, alone bool, what func() []byte) (slot uint64), still func(slot uint64) bool) {
	r.turn, r.still = turn, still
}

// Clock is the clock that stamps the records.
func (r *Recorder) Clock() *Clock { return r.clock }

// Err is the first error of writing; records after it are lost.
func (r *Recorder) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// Seal ends the record: nothing is recorded after it, as if every client had
// crashed.
func (r *Recorder) Seal() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sealed = true
}

// Invoke records that op is about to be called, sets its ID and Call, and
// returns true. It returns false, and the call must not be made, if the
// client has crashed or the record was sealed.
func (r *Recorder) Invoke(op *Operation) bool {
	if r.turn != nil && !r.dead(op.Client) {
		op.slot = r.turn(op.Client, op.alone, func() []byte { return appendInvocation(nil, op) })
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sealed || r.crashed[op.Client] {
		return false
	}
	r.lastID++
	op.ID = r.lastID
	op.Call = r.stamp()
	if r.w != nil {
		r.line = appendInvocation(r.line[:0], op)
		r.write()
	}
	if r.memory != nil {
		r.memory.invoked(op)
	}
	if r.listen != nil {
		r.listen(Record{Time: op.Call, Operation: op})
	}
	return true
}

// dead is true if nothing is recorded of a client any more.
func (r *Recorder) dead(client string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sealed || r.crashed[client]
}

// Complete records that the call of an operation returned, and returns when.
// It returns false, and records nothing, if the client has crashed.
func (r *Recorder) Complete(c *Completion) (time.Duration, bool) {
	if r.turn != nil && !r.dead(c.Client) && (c.slot == 0 || !r.still(c.slot)) {
		r.turn(c.Client, c.alone, func() []byte { return appendCompletion(nil, c, 0) })
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sealed || r.crashed[c.Client] {
		return 0, false
	}
	at := r.stamp()
	if r.w != nil {
		r.line = appendCompletion(r.line[:0], c, at)
		r.write()
	}
	if r.memory != nil {
		if err := r.memory.completed(c, at); err != nil && r.err == nil {
			r.err = err
		}
	}
	if r.listen != nil {
		r.listen(Record{Time: at, Completion: c})
	}
	return at, true
}

// Event records e, sets its Time, and returns true. After a Crashed event
// nothing more is recorded of its client, and false returned.
func (r *Recorder) Event(e Event) bool {
	if r.turn != nil && e.ofClient() && !r.dead(e.Client) {
		r.turn(e.Client, false, func() []byte { return appendEvent(nil, &e) })
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sealed || e.Client != "" && r.crashed[e.Client] {
		return false
	}
	if e.Kind == Crashed {
		r.crashed[e.Client] = true
	}
	e.Time = r.stamp()
	if r.w != nil {
		r.line = appendEvent(r.line[:0], &e)
		r.write()
	}
	if r.memory != nil {
		r.memory.happened(&e)
	}
	if r.listen != nil {
		told := e // or every event would be on the heap
		r.listen(Record{Time: e.Time, Event: &told})
	}
	return true
}

// stamp returns the time for the next record: now, and later than the last.
func (r *Recorder) stamp() time.Duration {
	r.last = max(r.clock.Now(), r.last+1)
	return r.last
}

func (r *Recorder) write() {
	if r.err != nil {
		return
	}
	if _, err := r.w.Write(r.line); err != nil {
		r.err = fmt.Errorf("write history: %w", err)
	}
}

// complete adds what a call's return says.
func (o *Operation) complete(c *Completion, at time.Duration) {
	o.Outcome, o.Return, o.Error, o.Panicked, o.Breach = c.Outcome, at, c.Error, c.Panicked, c.Breach
	set(&o.Lease, c.Lease)
	set(&o.Key, c.Key)
	set(&o.Token, c.Token)
	set(&o.Value, c.Value)
	set(&o.Revision, c.Revision)
	set(&o.Number, c.Number)
	set(&o.Requests, c.Requests)
}

func set[T comparable](field *T, v T) {
	var zero T
	if v != zero {
		*field = v
	}
}
