package answers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// deathRound is one round: holders take their objects, waiters queue up behind
// them, all holders die, and the waiters are timed.
type deathRound struct {
	lab     *lab
	options *HolderDeathOptions
	name    string
	deaths  []Death
	// samples is how many holders there are for each subject, TTL and death.
	samples       int
	leaderCrashed bool
}

const (
	// setupPatience is how long a holder may take to take its object, and a
	// waiter to queue up.
	setupPatience = 30 * time.Second
	// setupsAtOnce bounds how many do so at the same time.
	setupsAtOnce = 8
	// deathSpread is the time over which deaths are spread evenly, so that they
	// fall on all moments between two renewals and two checks of the server's.
	deathSpread = 2 * time.Second
	// waiterTTL is so long that the waiters' own leases play no part.
	waiterTTL = time.Minute
)

// sample is one holder and the waiter behind it, on an object of their own.
type sample struct {
	handover
	holder  *client
	session *workloads.Session
	// next delivers the waiter's outcome once.
	next chan outcome
}

// outcome is when a waiter's acquire returned, and how.
type outcome struct {
	at  time.Duration
	err error
}

func (r *deathRound) size() int {
	return len(r.deaths) * len(r.options.TTLs) * len(r.options.Subjects) * r.samples
}

// run makes the round. Its error is of the harness; what goes wrong with one
// sample spoils that sample only.
func (r *deathRound) run(ctx context.Context) ([]handover, error) {
	ctx, cancel := context.WithCancel(ctx)
	var waiting sync.WaitGroup
	defer waiting.Wait() // the waiters end when their clients do
	defer cancel()

	var samples []*sample
	var queue []func()
	for s := range r.options.Subjects {
		subject := &r.options.Subjects[s]
		waiters, err := r.waiters(ctx, subject)
		if err != nil {
			return nil, err
		}
		defer waiters.close()
		for _, death := range r.deaths {
			for _, ttl := range r.options.TTLs {
				for range r.samples {
					object := fmt.Sprintf("answers/%s/%d", r.name, len(samples))
					one := &sample{handover: handover{subject: subject.Name, death: death, ttl: ttl}, next: make(chan outcome, 1)}
					samples = append(samples, one)
					queue = append(queue, func() {
						if err := r.setUp(ctx, one, subject, object, waiters, &waiting); err != nil {
							one.spoiled = err.Error()
						}
					})
				}
			}
		}
	}
	defer func() {
		for _, s := range samples {
			if s.holder != nil {
				s.holder.close()
			}
		}
	}()
	atOnce(setupsAtOnce, queue)

	err := r.kill(ctx, samples)
	sampled := make([]handover, len(samples))
	for i, s := range samples {
		sampled[i] = s.handover
	}
	return sampled, err
}

// atOnce makes all calls, at most n at the same time.
func atOnce(n int, calls []func()) {
	var group sync.WaitGroup
	free := make(chan struct{}, n)
	for _, call := range calls {
		free <- struct{}{}
		group.Go(func() {
			call()
			<-free
		})
	}
	group.Wait()
}

// waiters are the waiters of one subject in one round: one process, one
// session, one watcher that tells who began to wait.
type waiters struct {
	*client
	session *workloads.Session
	watcher *watcher
}

func (r *deathRound) waiters(ctx context.Context, subject *workloads.Subject) (*waiters, error) {
	c, err := r.lab.connect(ctx, r.name+"-waiters-"+subject.Name)
	if err != nil {
		return nil, err
	}
	w := &waiters{client: c, watcher: &watcher{Watcher: c.etcd.Watcher, awaited: make(map[string]chan struct{})}}
	c.etcd.Watcher = w.watcher
	timer := time.AfterFunc(setupPatience, c.die)
	defer timer.Stop()
	if w.session, err = c.session(waiterTTL); err != nil {
		c.close()
		return nil, err
	}
	return w, nil
}

// close takes the waiters' keys away with their lease, and ends them.
func (w *waiters) close() {
	timer := time.AfterFunc(time.Second, w.die)
	defer timer.Stop()
	_ = w.session.Session.Close() // if it fails the lease runs out: nobody uses these objects again
	w.client.close()
}

// setUp returns when the holder holds and the waiter waits for it.
func (r *deathRound) setUp(ctx context.Context, s *sample, subject *workloads.Subject, object string, w *waiters, waiting *sync.WaitGroup) (err error) {
	if s.holder, err = r.lab.connect(ctx, "holder-of-"+object); err != nil {
		return err
	}
	within, cancel := context.WithTimeout(ctx, setupPatience)
	defer cancel()
	stop := context.AfterFunc(within, s.holder.die) // not all calls take a context
	defer stop()
	if s.session, err = s.holder.session(s.ttl); err != nil {
		return err
	}
	if _, err = acquirer(subject, s.session, object)(within); err != nil {
		return fmt.Errorf("the holder's acquire: %w", err)
	}
	watched := w.watcher.await(object)
	acquire := acquirer(subject, w.session, object)
	waiting.Go(func() {
		_, err := acquire(ctx)
		s.next <- outcome{r.lab.clock.Now(), err}
	})
	select {
	case <-watched:
		return nil
	case o := <-s.next:
		return fmt.Errorf("the waiter's acquire returned at once: %v", o.err)
	case <-within.Done():
		return errors.New("the waiter neither waits nor returns")
	}
}

// watcher tells when the wait for an object begins: all subjects wait by a
// watch on keys of the object.
type watcher struct {
	clientv3.Watcher
	mu      sync.Mutex
	awaited map[string]chan struct{}
}

// await returns a channel that is closed at the first watch on a key below
// object.
func (w *watcher) await(object string) <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	told := make(chan struct{})
	w.awaited[object] = told
	return told
}

func (w *watcher) Watch(ctx context.Context, key string, options ...clientv3.OpOption) clientv3.WatchChan {
	w.mu.Lock()
	for object := key; object != ""; object = object[:max(strings.LastIndexByte(object, '/'), 0)] {
		if told := w.awaited[object]; told != nil {
			close(told)
			delete(w.awaited, object)
		}
	}
	w.mu.Unlock()
	return w.Watcher.Watch(ctx, key, options...)
}
