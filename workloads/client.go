package workloads

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"

	"github.com/etcd-holdfast/holdfast/history"
)

// errDead ends a client's work: it crashed, or the run is over.
var errDead = errors.New("the client is dead")

// Client is one worker with its own connections and, at any time, at most one
// session. It can be crashed; its replacement has another name.
type Client struct {
	// Name is unique in the run; Slot is the place that it fills, which its
	// replacement will fill after it. Subject is what it works on.
	Name, Slot, Subject string

	env       *Env
	endpoints []string
	ttl       time.Duration
	heeds     bool
	watchdog  bool
	// requests is how many requests the client's links have carried.
	requests func() int64
	// dialTimeout is etcd's client's own.
	dialTimeout time.Duration
	// redials makes the client give up its connection along with its session,
	// and with it whatever leases its subject keeps alive by itself.
	redials bool
	// attach, if not nil, gives it a program to speak to in place of etcd.
	attach func(context.Context, Attachment) (Partner, error)
	// programs counts those, and strikes how many in a row broke their protocol.
	programs int
	strikes  atomic.Int32
	// closed is the session that is being closed.
	closed *session
	// paused is the last standstill of its partner.
	paused *pausedPartner
	// cancels is false if the subject's calls heed deadlines only.
	cancels bool

	ctx    context.Context
	cancel context.CancelFunc
	tasks  sync.WaitGroup
	values atomic.Int64
	// alone is true if one goroutine makes all the client's calls.
	alone bool
	// spare is what its last call was recorded with, if it is alone.
	spare *attempt

	mu      sync.Mutex
	etcd    *clientv3.Client
	current *session
	crashed bool
}

// session is one session of a client.
type session struct {
	Session
	// lease changes, under the client's lock, if a partner tells of another.
	lease int64
	// gone is true once its partner, if it has one, has ended.
	gone atomic.Bool
	// told is closed after the loss of the session was recorded.
	told    chan struct{}
	closing atomic.Bool
}

// reconnect is gRPC's own but for its longest delay, two minutes: a client that
// was cut off for a minute would stay away for another after the heal.
var reconnect = backoff.Config{BaseDelay: time.Second, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 2 * time.Second}

// loginTimeout is how long a client may take to log in, which New does at once. Each
// attempt is a new connection: many that are given up soon would keep one another from
// getting through on a machine that is busy.
const loginTimeout = 10 * time.Second

func newClient(ctx context.Context, env *Env, slot, name string, subject *Subject, traffic *Traffic, heeds bool) (*Client, error) {
	endpoints, err := env.Connect(name)
	if err != nil {
		return nil, fmt.Errorf("connect client %s: %w", name, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	c := &Client{
		Name: name, Slot: slot, Subject: subject.Name, env: env, endpoints: endpoints, ttl: traffic.TTL, heeds: heeds, watchdog: traffic.OnLoss == Watchdog,
		redials: subject.Origin == history.FromUser, ctx: ctx, cancel: cancel, dialTimeout: cmp.Or(traffic.DialTimeout, time.Second),
		attach: subject.Attach, cancels: !subject.DeadlinesOnly,
	}
	c.requests = func() int64 { return 0 }
	if env.Requests != nil {
		c.requests = env.Requests(name)
	}
	if c.attach != nil {
		return c, nil
	}
	if c.etcd, err = c.dial(); err != nil {
		cancel()
		env.Disconnect(name)
		return nil, err
	}
	return c, nil
}

func (c *Client) dial() (*clientv3.Client, error) {
	if c.env.Dial != nil {
		return c.env.Dial(c.ctx, c.Name, c.dialTimeout)
	}
	timeout := c.dialTimeout
	if c.env.Login.User != "" {
		timeout = max(timeout, loginTimeout)
	}
	for {
		etcd, err := clientv3.New(clientv3.Config{
			Endpoints: c.endpoints, DialTimeout: timeout, Logger: zap.NewNop(), Context: c.ctx,
			Username: c.env.Login.User, Password: c.env.Login.Password,
			DialOptions: []grpc.DialOption{grpc.WithConnectParams(grpc.ConnectParams{Backoff: reconnect, MinConnectTimeout: time.Second})},
		})
		if err == nil {
			return etcd, nil
		}
		// Who has to log in cannot do so while it is cut off.
		if c.env.Login.User == "" || c.ctx.Err() != nil || errors.Is(err, rpctypes.ErrAuthFailed) {
			return nil, fmt.Errorf("connect client %s: %w", c.Name, err)
		}
		sleep(c.ctx, 50*time.Millisecond, nil, nil)
	}
}

// connection is the client's connection to etcd.
func (c *Client) connection() *clientv3.Client {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.etcd
}

// redial replaces the connection. One that cannot be replaced is kept.
func (c *Client) redial() {
	etcd, err := c.dial()
	if err != nil {
		return
	}
	c.mu.Lock()
	etcd, c.etcd = c.etcd, etcd
	dead := c.crashed
	c.mu.Unlock()
	_ = etcd.Close() // it is given up, whatever becomes of it
	if dead {
		_ = c.connection().Close()
	}
}

// hangUp closes the connection, or kills the partner.
func (c *Client) hangUp() {
	c.mu.Lock()
	etcd, s := c.etcd, c.current
	c.mu.Unlock()
	if etcd != nil {
		_ = etcd.Close() // its context is cancelled: closing can only say so
	}
	if s != nil && s.Partner != nil {
		s.Partner.Kill()
	}
}

// close ends the client without a goodbye: its lease is left to expire unless
// its session was closed before.
func (c *Client) close() {
	c.abort()
	c.tasks.Wait()
	c.env.Disconnect(c.Name)
}

// abort ends what the client does: calls that take no context end with the
// connection.
func (c *Client) abort() {
	c.cancel()
	c.hangUp()
}

// Lease is the lease of the client's session, or zero.
func (c *Client) Lease() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current == nil || c.current.lease < 0 { // none, or one of which nothing is known
		return 0
	}
	return c.current.lease
}

// crash records the client's death and ends it: no call of it returns to
// anybody and nothing more is recorded of it.
func (c *Client) crash() bool {
	c.mu.Lock()
	first := !c.crashed
	c.crashed = true
	c.mu.Unlock()
	if first && c.env.Recorder.Event(history.Event{Kind: history.Crashed, Subject: c.Subject, Client: c.Name}) {
		c.abort()
		return true
	}
	return false
}

func (c *Client) hasCrashed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.crashed
}

// value returns a value that nobody else in the run writes.
func (c *Client) value() string {
	return c.Name + "-" + strconv.FormatInt(c.values.Add(1), 10)
}

// live returns the client's session, opening one if it has none or was told
// that it lost it. It retries until it succeeds or ctx ends.
func (c *Client) live(ctx context.Context) (*session, error) {
	c.mu.Lock()
	s := c.current
	c.mu.Unlock()
	if s != nil {
		select {
		case <-s.told:
			c.abandon(s)
		default:
			return s, nil
		}
	}
	for ctx.Err() == nil {
		if s, err := c.open(clientv3.NoLease); err == nil {
			return s, nil
		}
		sleep(ctx, 50*time.Millisecond, nil, nil)
	}
	return nil, errDead
}

// open opens a session, on an existing lease unless lease is NoLease.
func (c *Client) open(lease clientv3.LeaseID) (*session, error) {
	if c.attach != nil {
		return c.attachPartner()
	}
	options := []concurrency.SessionOption{concurrency.WithTTL(int(c.ttl / time.Second)), concurrency.WithContext(c.ctx)}
	if lease != clientv3.NoLease {
		options = append(options, concurrency.WithLease(lease))
	}
	etcd := c.connection()
	opened := time.Now()
	made, err := concurrency.NewSession(etcd, options...)
	if err != nil {
		return nil, fmt.Errorf("open session: %w", err)
	}
	s := &session{Session: Session{Client: etcd, Session: made}, lease: int64(made.Lease()), told: make(chan struct{})}
	ctx, cancel := context.WithTimeout(c.ctx, c.ttl)
	defer cancel()
	mark := c.env.Prefix + LeasePrefix + strconv.FormatInt(s.lease, 16)
	if _, err := etcd.Put(ctx, mark, c.Name, clientv3.WithLease(made.Lease())); err != nil {
		made.Orphan()
		return nil, fmt.Errorf("mark session: %w", err)
	}
	if !c.env.Recorder.Event(history.Event{Kind: history.SessionOpened, Subject: c.Subject, Client: c.Name, Lease: s.lease, TTL: c.ttl}) {
		return nil, errDead
	}
	c.mu.Lock()
	c.current = s
	c.mu.Unlock()
	expired := c.watch(s, opened)
	c.tasks.Go(func() {
		defer close(s.told)
		select {
		case <-made.Done():
		case <-expired:
		}
		if !s.closing.Load() {
			c.lose(s, 0)
		}
	})
	return s, nil
}

// lose records that the client knows its session to be over.
func (c *Client) lose(s *session, operation int64) {
	if c.ctx.Err() == nil { // else nobody is told: the client itself is ending
		c.mu.Lock()
		lease := s.lease
		c.mu.Unlock()
		// The dead believe nothing, whatever they would heed.
		c.env.Recorder.Event(history.Event{Kind: history.Lost, Subject: c.Subject, Client: c.Name, Lease: lease, Heeded: c.heeds || s.gone.Load(), Operation: operation})
	}
}

// abandon closes the session, so that whatever it may have left in etcd goes
// away with its lease.
func (c *Client) abandon(s *session) {
	c.mu.Lock()
	if c.current == s {
		c.current = nil
	}
	c.mu.Unlock()
	s.closing.Store(true)
	if s.Partner != nil {
		c.leave(s)
		return
	}
	// What comes of it is recorded; a lease that could not be revoked expires.
	_, _ = c.attempt(history.Operation{Subject: c.Subject, Kind: history.CloseSession, Lease: s.lease}, func(*history.Completion) error {
		return s.Session.Session.Close()
	})
	if c.redials && c.ctx.Err() == nil {
		c.redial()
	}
}

// attempt is a call with what comes of it.
type attempt struct {
	history.Operation
	history.Completion
}

// attempt records op, makes the call and records what came of it. It returns
// the operation with its outcome, and the call's error, or errDead if the
// client is dead and the outcome was not recorded.
func (c *Client) attempt(op history.Operation, call func(*history.Completion) error) (history.Operation, error) {
	op.Client = c.Name
	a := c.spare
	if a == nil {
		a = new(attempt)
	}
	if c.alone {
		op.Alone()
		c.spare = nil // the call may make another
		defer func() { c.spare = a }()
	}
	a.Operation = op
	if !c.env.Recorder.Invoke(&a.Operation) {
		return a.Operation, errDead
	}
	op = a.Operation
	a.Completion = op.Completes()
	done := &a.Completion
	before := c.requests()
	err := surviving(call, done)
	done.Requests = max(0, c.requests()-before)
	switch {
	case err == nil:
		done.Outcome = history.Ok
	case Certain(err):
		done.Outcome, done.Error = history.Fail, err.Error()
	default:
		done.Outcome, done.Error = history.Info, err.Error()
	}
	c.heard(&a.Operation, done, err)
	at, ok := c.env.Recorder.Complete(done)
	if !ok {
		return op, errDead
	}
	op.Return, op.Outcome, op.Error = at, done.Outcome, done.Error
	op.Key, op.Token, op.Value, op.Revision, op.Number = done.Key, done.Token, done.Value, done.Revision, done.Number
	op.Requests = done.Requests
	return op, err
}

// surviving makes the call and turns a panic of the subject into an error.
func surviving(call func(*history.Completion) error, done *history.Completion) (err error) {
	defer func() {
		if p := recover(); p != nil {
			done.Panicked = true
			err = fmt.Errorf("panic: %v\n%s", p, plainStack(debug.Stack()))
		}
	}()
	return call(done)
}

// construct calls a constructor of the subject. A panic is recorded as one of
// the call for which it was wanted.
func (c *Client) construct(wanted history.Operation, constructor func()) error {
	var panicked any
	func() {
		defer func() { panicked = recover() }()
		constructor()
	}()
	if panicked == nil {
		return nil
	}
	_, err := c.attempt(wanted, func(*history.Completion) error { panic(panicked) })
	return err
}

// patience is how long an acquire of a decision may take now, and whether it
// ends by cancellation.
func (c *Client) patience(d Decision) (time.Duration, bool) {
	if d.Impatience > 0 && !c.env.healed() {
		return d.Impatience, d.Cancel
	}
	return d.Patience, false
}

// within returns a context that ends after patience, by deadline or by
// cancellation, and when that is on the run's clock. No patience is no end.
func (c *Client) within(patience time.Duration, cancelling bool) (context.Context, context.CancelFunc, time.Duration) {
	if patience <= 0 {
		return c.ctx, func() {}, 0
	}
	deadline := c.env.Recorder.Clock().Now() + patience
	if !cancelling || !c.cancels {
		ctx, cancel := context.WithTimeout(c.ctx, patience)
		return ctx, cancel, deadline
	}
	ctx, cancel := context.WithCancel(c.ctx)
	timer := time.AfterFunc(patience, cancel)
	return ctx, func() { timer.Stop(); cancel() }, deadline
}
