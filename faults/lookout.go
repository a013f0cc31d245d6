package faults

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/etcd-holdfast/holdfast/cluster/link"
	"github.com/etcd-holdfast/holdfast/history"
)

// Lookout knows what happens to the clients of a run, and which are waiting and
// which are holding, and for how long. Hear must be given every record. Changed
// and See are for what the records do not tell. All methods are safe for
// concurrent use.
type Lookout struct {
	clock *history.Clock
	// prefix is before every key of the run.
	prefix string
	// done is closed when nothing is held any more.
	done  chan struct{}
	close func()

	mu      sync.Mutex
	waiting map[int64]state
	holding map[int64]state
	struck  map[int64]bool
	changed chan struct{}
	awaited int

	watches []*watch
	counts  []*Count
	// open are the operations under way, leases whose each lease is, and keys on
	// which lease each is. They are kept only while there are watches or counts.
	open   map[int64]opened
	leases map[int64]string
	keys   map[string]int64
	// sessions are the leases of the clients' sessions, untold those of clients
	// without one whose keys show them.
	sessions, untold map[string]int64
}

type state struct {
	client, subject string
	since           time.Duration
	// holds is true if success begins a hold.
	holds bool
}

type opened struct {
	client, subject string
	kind            history.Kind
}

// NewLookout returns a lookout on a run with the given clock, whose every key
// begins with prefix.
func NewLookout(clock *history.Clock, prefix string) *Lookout {
	l := &Lookout{
		clock: clock, prefix: prefix, done: make(chan struct{}),
		waiting: make(map[int64]state), holding: make(map[int64]state), struck: make(map[int64]bool), changed: make(chan struct{}),
		open: make(map[int64]opened), leases: make(map[int64]string), keys: make(map[string]int64),
		sessions: make(map[string]int64), untold: make(map[string]int64),
	}
	l.close = sync.OnceFunc(func() { close(l.done) })
	return l
}

// Close lets every message that See holds go on. Nothing is held after it.
func (l *Lookout) Close() { l.close() }

// add makes w hear what happens from now on, once it is armed.
func (l *Lookout) add(w *watch) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w.fired = make(chan *moment, 1)
	l.watches = append(l.watches, w)
}

func (l *Lookout) arm(w *watch) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w.arm()
}

func (l *Lookout) disarm(w *watch) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w.disarm()
}

// await returns when w has fired, or with nil when ctx has ended before: then w
// is disarmed.
func (l *Lookout) await(ctx context.Context, w *watch) *moment {
	select {
	case m := <-w.fired:
		return m
	case <-ctx.Done():
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case m := <-w.fired: // what has begun is done
		return m
	default:
		w.disarm()
		return nil
	}
}

// happens tells all watches, and returns the moments of those that hold what
// happened. l.mu is locked.
func (l *Lookout) happens(o occurrence) (held []*moment) {
	for _, c := range l.counts {
		c.heard(o)
	}
	for _, w := range l.watches {
		if m := w.hear(o); m != nil && w.holds {
			held = append(held, m)
		}
	}
	return held
}

// See takes note of a message on the links of a client, and returns when it may
// pass: when the faults that it triggered have been injected.
func (l *Lookout) See(client string, m link.Message) {
	event, ok := eventOf(m)
	if !ok {
		return
	}
	l.mu.Lock()
	held := l.happens(occurrence{client: client, event: event})
	l.mu.Unlock()
	for _, moment := range held {
		select {
		case <-moment.passed:
		case <-l.done:
		}
	}
}

// Changed takes note of a change in the store. ended is the lease of whose end
// it tells, or zero.
func (l *Lookout) Changed(c history.Change, ended int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.watches)+len(l.counts) == 0 {
		return
	}
	if client := l.leases[ended]; client != "" {
		l.happens(occurrence{client: client, event: Event{Family: LeaseEnded}})
	}
	rest, ours := strings.CutPrefix(c.Key, l.prefix)
	subject, _, object := strings.Cut(rest, "/")
	if !ours || !object || !l.awaits(subject) {
		return
	}
	event := Event{Family: Changed}
	switch {
	case c.Deleted:
		event.Family, c.Lease = Deleted, l.keys[c.Key]
		delete(l.keys, c.Key)
	case c.Version == 1:
		event.Family = Created
		l.keys[c.Key] = c.Lease
		l.attribute(subject, c.Lease)
	default:
		l.keys[c.Key] = c.Lease
	}
	l.happens(occurrence{client: l.leases[c.Lease], subject: subject, event: event})
}

// attribute takes note of whose a lease is that a new key of a subject is on, and
// of which no session has told: a program tells of its lease with its first
// success. It is that of the only client of the subject who waits and has no
// session; of several, nobody can say which. l.mu is locked.
func (l *Lookout) attribute(subject string, lease int64) {
	if _, known := l.leases[lease]; known || lease == 0 {
		return
	}
	maker := ""
	for _, s := range l.waiting {
		if s.subject != subject || s.client == maker || l.sessions[s.client] != 0 {
			continue
		}
		if maker != "" {
			return
		}
		maker = s.client
	}
	if maker != "" {
		l.untold[maker] = lease
	}
}

// LeaseOf returns the lease of a client without a session, as far as a key of its
// in the store shows it, or zero.
func (l *Lookout) LeaseOf(client string) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.untold[client]
}

// session takes note that a client has a session with a lease, or with zero none.
func (l *Lookout) session(client string, lease int64) {
	delete(l.untold, client)
	delete(l.sessions, client)
	if lease != 0 {
		l.sessions[client] = lease
	}
}

// awaits is true if something of a subject is waited for.
func (l *Lookout) awaits(subject string) bool {
	return slices.ContainsFunc(l.watches, func(w *watch) bool { return w.subject == subject }) ||
		slices.ContainsFunc(l.counts, func(c *Count) bool { return c.subject == subject })
}

// Hear takes note of a record.
func (l *Lookout) Hear(r history.Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.watches)+len(l.counts) > 0 {
		l.hearEvents(r)
	}
	switch {
	case r.Operation != nil && (r.Operation.Kind.Acquires() || r.Operation.Kind.Waits()):
		l.waiting[r.Operation.ID] = state{r.Operation.Client, r.Operation.Subject, r.Time, r.Operation.Kind.Acquires()}
	case r.Operation != nil && r.Operation.Kind.Releases():
		delete(l.holding, r.Operation.Hold)
	case r.Completion != nil:
		s, ok := l.waiting[r.Completion.ID]
		if !ok {
			return
		}
		delete(l.waiting, r.Completion.ID)
		if r.Completion.Outcome == history.Ok && s.holds {
			s.since = r.Time
			l.holding[r.Completion.ID] = s
		}
	case r.Event != nil && (r.Event.Kind == history.Crashed || r.Event.Kind == history.Lost && r.Event.Heeded):
		forget(l.holding, r.Event.Client)
		if r.Event.Kind == history.Crashed {
			forget(l.waiting, r.Event.Client)
		}
	default:
		return
	}
	if l.awaited > 0 {
		close(l.changed)
		l.changed = make(chan struct{})
	}
}

// hearEvents tells watches of the events of a record.
func (l *Lookout) hearEvents(r history.Record) {
	switch {
	case r.Operation != nil:
		o := r.Operation
		l.open[o.ID] = opened{o.Client, o.Subject, o.Kind}
		if o.Kind == history.CloseSession {
			l.session(o.Client, 0)
		}
		l.happens(occurrence{o.Client, o.Subject, Event{Called, string(o.Kind)}})
	case r.Completion != nil:
		o, ok := l.open[r.Completion.ID]
		if !ok {
			return
		}
		delete(l.open, r.Completion.ID)
		for _, family := range []string{string(r.Completion.Outcome), Returned} {
			l.happens(occurrence{o.client, o.subject, Event{family, string(o.kind)}})
		}
	case r.Event != nil:
		e := r.Event
		o := occurrence{client: e.Client, subject: e.Subject}
		switch e.Kind {
		case history.SessionOpened:
			l.leases[e.Lease] = e.Client
			l.session(e.Client, e.Lease)
			o.event.Family = Opened
		case history.Lost:
			l.session(e.Client, 0)
			o.event.Family = Lost
		case history.Crashed:
			l.session(e.Client, 0)
			o.event.Family = Crashed
			for id, open := range l.open {
				if open.client == e.Client {
					delete(l.open, id)
				}
			}
		case history.Signalled:
			o.event = Event{Signalled, e.Detail}
		default:
			return
		}
		l.happens(o)
	}
}

func forget(states map[int64]state, client string) {
	for id, s := range states {
		if s.client == client {
			delete(states, id)
		}
	}
}

// Await returns the client to which t, a state, happens first, or "" if ctx ends
// before. If slots are given, only clients in them count. Each operation counts
// once in a run: two faults at once on one client would each see the other's
// effect.
func (l *Lookout) Await(ctx context.Context, t Trigger, slots ...string) string {
	return l.awaitState(ctx, t, func() {}, slots)
}

// awaitState is Await, which calls turn before each look: of several who wait
// for the same, the first to look has it.
func (l *Lookout) awaitState(ctx context.Context, t Trigger, turn func(), slots []string) string {
	l.mu.Lock()
	l.awaited++
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		l.awaited--
		l.mu.Unlock()
	}()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		turn()
		client, left, changed := l.strike(t, slots...)
		if client != "" && left <= 0 {
			return client
		}
		var due <-chan time.Time
		if client != "" {
			timer.Reset(left)
			due = timer.C
		}
		select {
		case <-due:
		case <-changed:
		case <-ctx.Done():
		}
	}
	return ""
}

// strike returns the client to which t has happened, whose operation then does
// not count any more. If it has happened to several, it is the one to which it happened last: a waiter
// with the most others before it, which is the one whose lease can end before
// its turn comes. If it has happened to none, left is how much longer the first
// one needs.
func (l *Lookout) strike(t Trigger, slots ...string) (client string, left time.Duration, changed <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	states := l.waiting
	if t.Event == Holding {
		states = l.holding
	}
	now := l.clock.Now()
	var best state
	var operation int64
	for id, s := range states {
		if !slices.Contains(t.Subject, s.subject) || l.struck[id] || len(slots) > 0 && !slices.Contains(slots, slotOf(s.client)) {
			continue
		}
		happened, bestHappened := now-s.since >= t.Longer, now-best.since >= t.Longer
		switch {
		case best.client == "", happened && !bestHappened,
			happened && s.since > best.since, !happened && !bestHappened && s.since < best.since:
			best, operation = s, id
		}
	}
	if left = best.since + t.Longer - now; best.client != "" && left <= 0 {
		l.struck[operation] = true
	}
	return best.client, left, l.changed
}
