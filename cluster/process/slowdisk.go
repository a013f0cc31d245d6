package process

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/etcd-holdfast/holdfast/cluster"
)

// slowed is a disk that was made slow.
type slowed struct {
	delay  func() time.Duration
	lifted chan struct{}
	lift   func()

	mu      sync.Mutex
	calls   int
	waiting map[time.Time]int // calls that are still kept, by when they came
	total   time.Duration
}

// SlowDisk keeps each call by which a member waits for its disk (fsync, fdatasync),
// and each of its writes of 64 KiB or more to a file, for as long as delay says, or
// until the harm is lifted if that is negative. It is an error if the cluster was not
// started with SlowDisks.
func (c *Cluster) SlowDisk(member string, delay func() time.Duration) (cluster.SlowedDisk, error) {
	l, err := c.LifeOf(member)
	if err == nil && l.gate == nil {
		err = errors.New("its calls do not pass the harness, as the cluster was not started for that")
	}
	if err != nil {
		return nil, fmt.Errorf("slow the disk of member %s: %w", member, err)
	}
	return l.gate.slowDown(delay)
}

func newSlowed(delay func() time.Duration) *slowed {
	s := &slowed{delay: delay, lifted: make(chan struct{}), waiting: make(map[time.Time]int)}
	s.lift = sync.OnceFunc(func() { close(s.lifted) })
	return s
}

func (s *slowed) enter(at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	s.waiting[at]++
}

func (s *slowed) leave(at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total += time.Since(at)
	if s.waiting[at]--; s.waiting[at] == 0 {
		delete(s.waiting, at)
	}
}

func (s *slowed) isLifted() bool {
	select {
	case <-s.lifted:
		return true
	default:
		return false
	}
}

// Seen is how many calls were kept, and for how long all in all.
func (s *slowed) Seen() (calls int, total time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	total = s.total
	for at, n := range s.waiting {
		total += time.Duration(n) * time.Since(at)
	}
	return s.calls, total
}

// Lift lets all calls pass at once.
func (s *slowed) Lift() { s.lift() }
