// Package testetcd is the etcd that the tests of subjects run on, and what they
// do with it again and again.
package testetcd

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"

	"github.com/etcd-holdfast/holdfast/cluster/embedded"
	"github.com/etcd-holdfast/holdfast/internal/leaks"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// etcd is the one-member cluster that all tests share.
var (
	etcd              *embedded.Cluster
	parties, prefixes atomic.Int64
)

// Run starts the cluster, runs the tests, and looks for what they left behind.
// It returns the exit code.
func Run(m *testing.M) int {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var err error
	if etcd, err = embedded.Start(ctx, embedded.Config{Members: 1}); err != nil {
		fmt.Fprintln(os.Stderr, "start etcd:", err)
		return 1
	}
	code := m.Run()
	if err := etcd.Close(); err != nil {
		fmt.Fprintln(os.Stderr, "stop etcd:", err)
		return 1
	}
	if code != 0 {
		return code
	}
	// Looked for after the cluster is gone, whose goroutines are no leak.
	if err := goleak.Find(leaks.OfMembers()...); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// Prefix returns a prefix that nobody else uses, nor an earlier run of the
// same test, whose keys may have outlived it.
func Prefix(t *testing.T) string { return fmt.Sprintf("/%s/%d", t.Name(), prefixes.Add(1)) }

// Within returns a context that no step of a test should outlive.
func Within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// Open returns a session with a connection of its own.
func Open(t *testing.T, options ...concurrency.SessionOption) *workloads.Session {
	t.Helper()
	party := fmt.Sprintf("c%d", parties.Add(1))
	endpoints, err := etcd.Connect(party)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { etcd.Disconnect(party) })
	client, err := clientv3.New(clientv3.Config{Endpoints: endpoints, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	// A test may have closed the client or revoked the lease: no error matters.
	t.Cleanup(func() { _ = client.Close() })
	session, err := concurrency.NewSession(client, append([]concurrency.SessionOption{concurrency.WithTTL(60)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = session.Close() })
	return &workloads.Session{Client: client, Session: session}
}

// AwaitKeys returns when there are count keys below the prefix.
func AwaitKeys(t *testing.T, client *clientv3.Client, prefix string, count int) {
	t.Helper()
	ctx, cancel := context.WithCancel(Within(t))
	defer cancel()
	for {
		reply, err := client.Get(ctx, prefix+"/", clientv3.WithPrefix(), clientv3.WithKeysOnly())
		if err != nil {
			t.Fatalf("wait for %d keys below %s: %v", count, prefix, err)
		}
		if len(reply.Kvs) == count {
			return
		}
		// Any change ends the watch; what it was is asked again.
		<-client.Watch(ctx, prefix+"/", clientv3.WithPrefix(), clientv3.WithRev(reply.Header.Revision+1))
	}
}

// watching tells of the first watch that a client opens.
type watching struct {
	clientv3.Watcher
	once sync.Once
	told chan struct{}
}

func (w *watching) Watch(ctx context.Context, key string, options ...clientv3.OpOption) clientv3.WatchChan {
	w.once.Do(func() { close(w.told) })
	return w.Watcher.Watch(ctx, key, options...)
}

// StartWaiting makes the call, which s makes, in a goroutine and returns when
// it waits for an older key to go. That the key of s is there would not say so
// much: the answer to the request that put it may still be on its way, and a
// failure then is another case than a failure during the wait.
func StartWaiting(t *testing.T, s *workloads.Session, call func() (workloads.Grant, error)) <-chan Outcome {
	t.Helper()
	w := &watching{Watcher: s.Client.Watcher, told: make(chan struct{})}
	s.Client.Watcher = w
	done, ended := make(chan Outcome, 1), make(chan struct{})
	go func() {
		defer close(ended)
		grant, err := call()
		done <- Outcome{grant, err}
	}()
	t.Cleanup(func() {
		if t.Failed() { // else a call that takes no context might never end
			_ = s.Client.Close()
		}
		<-ended
	})
	select {
	case <-w.told:
	case o := <-done:
		t.Fatalf("the call returned %+v instead of waiting", o)
	case <-Within(t).Done():
		t.Fatal("the call neither waits nor returns")
	}
	return done
}

// Exists is true if the key of grant is the one that was granted.
func Exists(t *testing.T, client *clientv3.Client, grant workloads.Grant) bool {
	t.Helper()
	reply, err := client.Get(Within(t), grant.Key)
	if err != nil {
		t.Fatal(err)
	}
	return len(reply.Kvs) == 1 && reply.Kvs[0].CreateRevision == grant.Token
}

// Outcome is what an acquire came to.
type Outcome struct {
	Grant workloads.Grant
	Err   error
}

// Result waits for an Outcome.
func Result(t *testing.T, done <-chan Outcome) Outcome {
	t.Helper()
	select {
	case o := <-done:
		return o
	case <-Within(t).Done():
		t.Fatal("the call did not return")
		return Outcome{}
	}
}

// MustHold fails the test unless the call succeeds.
func MustHold(t *testing.T, acquire func(context.Context) (workloads.Grant, error)) workloads.Grant {
	t.Helper()
	grant, err := acquire(Within(t))
	if err != nil {
		t.Fatalf("acquire: %v", err)
	}
	return grant
}

// Must fails the test unless the call succeeds.
func Must(t *testing.T, call func(context.Context) error) {
	t.Helper()
	if err := call(Within(t)); err != nil {
		t.Fatal(err)
	}
}

// Revoke ends a session's lease without telling it.
func Revoke(t *testing.T, by, victim *workloads.Session) {
	t.Helper()
	if _, err := by.Client.Revoke(Within(t), victim.Session.Lease()); err != nil {
		t.Fatal(err)
	}
}

// Exclusive returns the exclusive side of any subject as a lock: the write lock
// of a read-write lock, the leadership of an election, the only permit of a
// semaphore.
func Exclusive(subject workloads.Subject, s *workloads.Session, prefix string) workloads.Lock {
	switch {
	case subject.NewLock != nil:
		return subject.NewLock(s, prefix)
	case subject.NewRWLock != nil:
		return subject.NewRWLock(s, prefix)
	case subject.NewSemaphore != nil:
		return subject.NewSemaphore(s, prefix, 1)
	default:
		return seat{subject.NewElection(s, prefix)}
	}
}

// seat is an election as a lock.
type seat struct{ workloads.Election }

func (s seat) Acquire(ctx context.Context) (workloads.Grant, error) { return s.Campaign(ctx, "value") }
func (s seat) Release(ctx context.Context) error                    { return s.Resign(ctx) }
func (s seat) IsOwner() clientv3.Cmp                                { return s.Election.(workloads.Guard).IsOwner() }

// Named returns the subject with the given name.
func Named(t *testing.T, subjects []workloads.Subject, name string) workloads.Subject {
	t.Helper()
	for _, s := range subjects {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("there is no subject %q", name)
	return workloads.Subject{}
}
