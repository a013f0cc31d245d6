package workloads

import (
	"context"
	"errors"
	"hash/fnv"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// Partner is a program that a client speaks to in place of etcd. It stands for
// one session: with it goes whatever lease it has.
type Partner interface {
	// Lease is the lease of which the program has told last, or zero.
	Lease() int64
	// Lost is closed when the program has told that it lost what it held.
	Lost() <-chan struct{}
	// Ended is closed when the program is dead, or cannot be spoken to any more.
	Ended() <-chan struct{}
	// Breach returns a rule of its protocol that the program has broken since the
	// last call, in a few words that are the same each time, and what it did; the
	// rule is "" if there is none.
	Breach() (rule, story string)
	// Close asks the program to end, and sees to it that it does. It returns nil
	// only if the program has said that it gave up all that it had.
	Close(ctx context.Context) error
	// Kill ends the program at once, with everything that it has started.
	Kill()
	// Freeze makes the program, and all that it has started, stand still.
	Freeze(ctx context.Context) (Standstill, error)
}

// Attachment is what a partner is told.
type Attachment struct {
	// Client is the client's name, and Endpoints the URLs of its own links.
	Client    string
	Endpoints []string
	// Prefix is before every key that the program makes; TTL is for its leases.
	Prefix string
	TTL    time.Duration
}

// BreachError is returned by Subject.Attach if the program broke its protocol
// before it could be spoken to.
type BreachError struct{ Rule, Story string }

func (e *BreachError) Error() string { return e.Story }

// Limited is a Lock, RWLock or Election that lacks some calls of its interface.
// Clients do not make them.
type Limited interface {
	Lacks(kind history.Kind) bool
}

func lacks(subject any, kind history.Kind) bool {
	limited, ok := subject.(Limited)
	return ok && limited.Lacks(kind)
}

// Worker is a Lock, RWLock or Election that itself does the work of its holds.
type Worker interface {
	// Work takes so long for it, and calls ask whenever it wants to read or write
	// the protected resource: with its token on the fenced side, with zero on the
	// other. It returns when the work is done, or given up.
	Work(ctx context.Context, mode history.Mode, length time.Duration, ask func(write bool, token int64) (value string, err error)) error
	// Works is false if it leaves the work to its client.
	Works() bool
}

// works is w, or nil if it is nil or leaves the work to its client.
func works(w Worker) Worker {
	if w == nil || !w.Works() {
		return nil
	}
	return w
}

const (
	// leastPause is between two programs of one client, and longestPause if it
	// breaks the protocol again and again.
	leastPause   = 100 * time.Millisecond
	longestPause = 2 * time.Second
	// byePatience is how long a program may take to give up what it has.
	byePatience = 3 * time.Second
)

// attachPartner starts a program for the client and makes it its session.
func (c *Client) attachPartner() (*session, error) {
	if strikes := c.strikes.Load(); strikes > 0 {
		sleep(c.ctx, min(leastPause<<min(strikes, 10), longestPause), nil, nil)
	}
	if c.ctx.Err() != nil {
		return nil, errDead
	}
	partner, err := c.attach(c.ctx, Attachment{Client: c.Name, Endpoints: c.rotated(), Prefix: c.env.Prefix + c.Subject, TTL: c.ttl})
	if c.ctx.Err() != nil {
		if err == nil {
			partner.Kill()
		}
		return nil, errDead
	}
	if err != nil {
		c.strikes.Add(1)
		_, err = c.attempt(history.Operation{Subject: c.Subject, Kind: history.OpenSession}, func(*history.Completion) error { return WithoutEffect(err) })
		return nil, err
	}
	c.programs++
	s := &session{Session: Session{Partner: partner}, lease: partner.Lease(), told: make(chan struct{})}
	if s.lease == 0 {
		s.lease = namelessLease(c.Name, c.programs)
	}
	c.mu.Lock()
	dead := c.crashed
	if !dead {
		c.current = s
	}
	c.mu.Unlock()
	if dead || !c.opened(s.lease) {
		partner.Kill()
		return nil, errDead
	}
	c.tasks.Go(func() {
		defer close(s.told)
		select {
		case <-partner.Lost():
		case <-partner.Ended():
			s.gone.Store(true)
		case <-c.ctx.Done():
			partner.Kill()
			return
		}
		if !s.closing.Load() {
			c.lose(s, 0)
		}
	})
	return s, nil
}

// rotated are the client's endpoints, in an order that not all clients have:
// many programs ask the first, and the next only if that does not answer.
func (c *Client) rotated() []string {
	n := len(c.endpoints)
	if n == 0 {
		return nil
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(c.Slot))
	at := (int(h.Sum32()%1024) + c.programs) % n
	return slices.Concat(c.endpoints[at:], c.endpoints[:at])
}

// freeze makes the client's partner stand still, and with it what the client does
// for it. Nil is returned if it has none.
func (c *Client) freeze(ctx context.Context) (Standstill, error) {
	c.mu.Lock()
	s := c.current
	c.mu.Unlock()
	if s == nil || s.Partner == nil {
		return nil, nil
	}
	still, err := s.Partner.Freeze(ctx)
	if err != nil {
		return nil, err
	}
	p := &pausedPartner{Standstill: still, thawed: make(chan struct{})}
	c.mu.Lock()
	c.paused = p
	c.mu.Unlock()
	return p, nil
}

// pausedPartner is a partner that stands still.
type pausedPartner struct {
	Standstill
	once   sync.Once
	thawed chan struct{}
}

// Thaw lets the partner and its client go on.
func (p *pausedPartner) Thaw() {
	p.Standstill.Thaw()
	p.once.Do(func() { close(p.thawed) })
}

// stand waits while the client's partner stands still.
func (c *Client) stand() {
	c.mu.Lock()
	p := c.paused
	c.mu.Unlock()
	if p == nil {
		return
	}
	select {
	case <-p.thawed:
	case <-c.ctx.Done():
	}
}

// opened records that the client has a session on a lease. It returns false if
// the client is dead.
func (c *Client) opened(lease int64) bool {
	return c.env.Recorder.Event(history.Event{Kind: history.SessionOpened, Subject: c.Subject, Client: c.Name, Lease: lease, TTL: c.ttl})
}

// namelessLease stands for the lease of a program that does not tell of one: it
// is below zero, as no lease of etcd's is.
func namelessLease(client string, program int) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(client + "/" + strconv.Itoa(program)))
	return -int64(h.Sum64()>>2) - 1
}

// heard notes, after a call, what else the partner has told: on which lease the
// grant rests, and how it broke the protocol.
func (c *Client) heard(op *history.Operation, done *history.Completion, err error) {
	var broken *BreachError
	if errors.As(err, &broken) {
		done.Breach = broken.Rule
		return
	}
	if c.attach == nil {
		return
	}
	c.mu.Lock()
	s := c.current
	if op.Kind == history.CloseSession {
		s = c.closed
	}
	c.mu.Unlock()
	if s == nil {
		return
	}
	if rule, story := s.Partner.Breach(); rule != "" {
		c.strikes.Add(1)
		done.Breach, done.Error = rule, story
	}
	if lease := s.Partner.Lease(); err == nil && op.Kind.Acquires() && lease != 0 && lease != s.lease {
		done.Lease = lease
		c.mu.Lock()
		s.lease = lease
		c.mu.Unlock()
		c.opened(lease)
	}
}

// leave ends a session that is a program.
func (c *Client) leave(s *session) {
	ctx, cancel := context.WithTimeout(c.ctx, byePatience)
	defer cancel()
	before := c.strikes.Load()
	c.mu.Lock()
	c.closed = s
	c.mu.Unlock()
	_, _ = c.attempt(history.Operation{Subject: c.Subject, Kind: history.CloseSession, Lease: s.lease}, func(*history.Completion) error {
		return s.Partner.Close(ctx)
	})
	if c.strikes.Load() == before {
		c.strikes.Store(0)
	}
}

// delegate has a worker do the work of a hold. What it asks for is recorded as
// the client's.
func (c *Client) delegate(s *session, h *hold, length time.Duration) error {
	var plain, fenced string
	ask := func(write bool, token int64) (value string, err error) {
		op := h.operation(kindOf(write, token), s)
		if token != 0 {
			op.Key, op.Token = h.grant.Key, token
		}
		draft, sided := &plain, *h
		if sided.grant.Token = token; token != 0 {
			draft = &fenced
		}
		var call func(*history.Completion) error
		switch {
		case !write && token == 0:
			call = sided.read(draft)
		case !write:
			call = sided.readFenced(draft)
		case token == 0:
			op.Value, op.Prior = c.value(), *draft
			call = sided.write(op.Value)
		default:
			op.Value, op.Prior = c.value(), *draft
			call = sided.writeFenced(op.Value)
		}
		if _, err = c.attempt(op, call); err != nil {
			return "", err
		}
		if write {
			return op.Value, nil
		}
		return *draft, nil
	}
	ctx, cancel := context.WithTimeout(c.ctx, length+releasePatience)
	defer cancel()
	return h.worker.Work(ctx, h.mode, length, ask)
}

func kindOf(write bool, token int64) history.Kind {
	switch {
	case write && token != 0:
		return history.FencedWrite
	case write:
		return history.Write
	case token != 0:
		return history.FencedRead
	default:
		return history.Read
	}
}
