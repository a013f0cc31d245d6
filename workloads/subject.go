package workloads

import (
	"context"
	"sync/atomic"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"

	"github.com/etcd-holdfast/holdfast/history"
)

// Subject is a thing under test: a name and one of the constructors, the
// others nil. A constructor is called by one client for one object of one
// session; what it returns is used by that client only, one call at a time,
// for as many rounds as the session lives.
type Subject struct {
	// Name is how scenarios and reports call it: lower case, no spaces.
	Name string
	// Summary says in one line what it is.
	Summary string
	Origin  history.Origin
	// Layout says how ownership shows in the store. With NoLayout only what
	// clients believed is judged.
	Layout history.Layout
	// Blocking is true if the calls take no context: they are made without a
	// deadline and end only when they will or the client is closed.
	Blocking bool

	// Attach, if set, starts a program for a client, to which it speaks in place of
	// etcd: the sessions that the constructors are given have that as their Partner,
	// and neither a connection nor a session of etcd's. It is called for each
	// session. An error is a BreachError, if the program is to blame.
	Attach func(ctx context.Context, a Attachment) (Partner, error)
	// DeadlinesOnly is true if its calls heed the deadline of their context, and no
	// cancellation.
	DeadlinesOnly bool

	// Connection is true if it uses the client's gRPC connection itself, for
	// services that are not KV, Lease and Watch. A simulated cluster has none.
	Connection bool

	// NewLock returns a mutual exclusion lock. Every key that it makes must
	// start with prefix + "/".
	NewLock func(s *Session, prefix string) Lock
	// NewRWLock returns a read-write lock.
	NewRWLock func(s *Session, prefix string) RWLock
	// NewElection returns a leader election.
	NewElection func(s *Session, prefix string) Election
	// NewSemaphore returns a semaphore of so many permits.
	NewSemaphore func(s *Session, prefix string, permits int) Semaphore
	// NewService returns a service that one client at a time leads.
	NewService func(s *Session, prefix string) Service
	// NewBank returns a bank of Accounts accounts.
	NewBank func(s *Session, prefix string) Bank
	// NewRegister returns a register.
	NewRegister func(s *Session, prefix string) Register

	// NewQueue returns a queue, first in, first out; NewPriorityQueue one that
	// gives out the item with the lowest priority first.
	NewQueue, NewPriorityQueue func(s *Session, prefix string) Queue
	// NewBarrier returns a barrier.
	NewBarrier func(s *Session, prefix string) Barrier
	// NewDoubleBarrier returns a barrier that permits clients enter and leave
	// together.
	NewDoubleBarrier func(s *Session, prefix string, permits int) DoubleBarrier

	// Promise says which of several promises the subject makes, where a
	// primitive has more than one.
	Promise string

	// NewResource, if set, makes the protected resource that the subject's
	// holds work on; nil is NewResource of this package, which keeps its word.
	NewResource func() Resource
}

// Primitive says which constructor the subject has.
func (s *Subject) Primitive() history.Primitive {
	switch {
	case s.NewElection != nil:
		return history.Election
	case s.NewRWLock != nil:
		return history.RWMutex
	case s.NewQueue != nil:
		return history.Queue
	case s.NewPriorityQueue != nil:
		return history.PriorityQueue
	case s.NewBarrier != nil:
		return history.Barrier
	case s.NewDoubleBarrier != nil:
		return history.DoubleBarrier
	case s.NewSemaphore != nil:
		return history.Semaphore
	case s.NewService != nil:
		return history.Service
	case s.NewBank != nil:
		return history.Bank
	case s.NewRegister != nil:
		return history.Register
	default:
		return history.Mutex
	}
}

// Protects is true if the subject's holds exclude each other, so that they can
// protect a resource.
func (s *Subject) Protects() bool {
	return s.NewLock != nil || s.NewRWLock != nil || s.NewElection != nil || s.NewService != nil
}

// WholeOf is what the accounts of each of the subject's objects have together,
// or zero if it has none.
func (s *Subject) WholeOf() int64 {
	if s.Primitive() == history.Bank {
		return Accounts * Balance
	}
	return 0
}

// PermitsOf is how many permits the subject's objects have in some traffic, or
// zero if it has none.
func (s *Subject) PermitsOf(t *Traffic) int {
	switch s.Primitive() {
	case history.Semaphore, history.DoubleBarrier:
		return t.Permits
	}
	return 0
}

// Session is what a client gives to a subject: a connection of the client's
// own and a session, whose lease is kept alive as long as the client can.
type Session struct {
	Client  *clientv3.Client
	Session *concurrency.Session
	// Partner is the program that Subject.Attach has started. The others are nil
	// then.
	Partner Partner

	last atomic.Int64
}

// Next returns a number that it has not returned before: 1, 2, and so on. It
// is safe for concurrent use.
func (s *Session) Next() int64 { return s.last.Add(1) }

// Grant says what an acquire won. Both fields are zero if the subject cannot
// tell.
type Grant struct {
	// Key is the etcd key that stands for the ownership.
	Key string
	// Token is the fencing token: higher for every later owner. If it is the
	// create revision of the key, as for etcd's recipes, it also tells which key
	// the client says that it owns.
	Token int64
}

// Lock is a mutual exclusion lock.
//
// An Acquire whose context ends takes what it put into the queue out again
// before it returns, if it can reach etcd: whoever gives up is in nobody's way.
//
// An error of Acquire or Release leaves it unknown whether the call had an
// effect, unless Certain(err) is true. After an error that is not certain the
// client gives its session and its connection up, and makes new objects on new
// ones.
type Lock interface {
	// Acquire returns nil only while the caller holds the lock.
	Acquire(ctx context.Context) (Grant, error)
	// Release gives the lock up.
	Release(ctx context.Context) error
}

// TryLock is a Lock that can be asked for without waiting.
type TryLock interface {
	Lock
	// TryAcquire returns ErrTaken if another client holds the lock, or is before
	// the caller in the queue for it. It does not wait for it.
	TryAcquire(ctx context.Context) (Grant, error)
}

// RWLock is a lock that many readers or one writer hold. Errors are as for
// Lock.
type RWLock interface {
	AcquireRead(ctx context.Context) (Grant, error)
	ReleaseRead(ctx context.Context) error
	Acquire(ctx context.Context) (Grant, error)
	Release(ctx context.Context) error
}

// Guard is a Lock, RWLock or Election that can make a transaction on etcd
// conditional on its ownership.
type Guard interface {
	// IsOwner compares true only while the caller's key exists.
	IsOwner() clientv3.Cmp
}

// Leadership is an answer to who leads.
type Leadership struct {
	// Value is the leader's value. Key and Token are its key and the key's
	// create revision, zero if the subject cannot tell.
	Value string
	Key   string
	Token int64
	// Revision is the store revision of the answer, zero if unknown.
	Revision int64
}

// Election is a leader election. Errors are as for Lock.
type Election interface {
	// Campaign returns nil only when the caller leads, with value as its
	// leader value.
	Campaign(ctx context.Context, value string) (Grant, error)
	// Proclaim replaces the leader value. It fails if the caller does not lead.
	Proclaim(ctx context.Context, value string) error
	// Resign gives the leadership up.
	Resign(ctx context.Context) error
	// Leader returns the current leadership, or ErrNoLeader.
	Leader(ctx context.Context) (Leadership, error)
	// Observe delivers the current leadership and those that follow, in order,
	// until ctx ends or the observation is lost, when it closes the channel.
	Observe(ctx context.Context) <-chan Leadership
}

// Resumer is an Election whose leadership survives the restart of its client.
type Resumer interface {
	Election
	// Resume continues the leadership that grant describes, won earlier with
	// the lease of this session. It does not ask etcd: a Proclaim tells.
	Resume(grant Grant)
}
