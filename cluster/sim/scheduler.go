package sim

import (
	"bytes"
	"cmp"
	"slices"
	"sync"
	"testing/synctest"
	"time"
)

// scheduler decides the order of everything that happens between parties.
//
// What a party wants is posted. When every goroutine of the bubble is blocked,
// the posts are taken in a canonical order, whatever the order in which they
// came, and become events at instants of their own. One event is let go at a
// time, and the next not before all goroutines are blocked again, so that at most
// one party runs at any moment. That makes a run a function of its seed.
type scheduler struct {
	start time.Time
	wake  chan struct{} // has room for one
	ended chan struct{}
	// interrupted is asked between events; once it is true, interrupt is called.
	interrupted func() bool
	interrupt   func()

	// mu guards the fields below, and all that events work on.
	mu     sync.Mutex
	closed bool
	inbox  []post
	events []event
	orders uint64
	// happened counts events. only is the party of which, since the last one, one
	// goroutine alone can have been woken, or nil.
	happened uint64
	only     *party
}

// The kinds of posts, in the order in which those of one party are taken.
const (
	postTurn = iota
	postOpen
	postSend
	postPause
	postCancel
)

// post is what a party wants. Of two posts at one moment that with the lower
// party, kind, stream, sequence and then text is taken first.
type post struct {
	party    *party
	kind     int
	stream   uint64
	sequence uint64
	text     func() []byte // asked for only if all else is equal
	take     func()        // with the lock
}

// event happens at an instant. It returns true if a goroutine may have been
// woken.
type event struct {
	at    time.Duration
	order uint64
	do    func() bool
}

func newScheduler() *scheduler {
	return &scheduler{start: time.Now(), wake: make(chan struct{}, 1), ended: make(chan struct{})}
}

// now is the time since the simulation began.
func (s *scheduler) now() time.Duration { return time.Since(s.start) }

// post hands a post in. It returns false if the scheduler has ended.
func (s *scheduler) post(p post) bool {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return false
	}
	s.inbox = append(s.inbox, p)
	s.mu.Unlock()
	s.stir()
	return true
}

// stir makes the scheduler look again.
func (s *scheduler) stir() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// after makes something happen. It is called with the lock; whoever is not an
// event or a post calls stir when it has given the lock back.
func (s *scheduler) after(d time.Duration, do func() bool) { s.at(s.now()+max(d, 0), do) }

func (s *scheduler) at(at time.Duration, do func() bool) {
	s.orders++
	s.events = append(s.events, event{at, s.orders, do})
	for i := len(s.events) - 1; i > 0; {
		parent := (i - 1) / 2
		if !s.events[i].before(&s.events[parent]) {
			break
		}
		s.events[i], s.events[parent] = s.events[parent], s.events[i]
		i = parent
	}
}

func (e *event) before(other *event) bool {
	return e.at < other.at || e.at == other.at && e.order < other.order
}

// next removes the first event.
func (s *scheduler) next() event {
	first := s.events[0]
	last := len(s.events) - 1
	s.events[0] = s.events[last]
	s.events[last] = event{}
	s.events = s.events[:last]
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < last; child++ {
			if s.events[child].before(&s.events[least]) {
				least = child
			}
		}
		if least == i {
			return first
		}
		s.events[i], s.events[least] = s.events[least], s.events[i]
		i = least
	}
}

// run lets events happen until end is called.
func (s *scheduler) run() {
	defer close(s.ended)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	blocked := false
	for {
		if !blocked {
			synctest.Wait()
			blocked = true
		}
		if s.interrupted != nil && s.interrupted() {
			s.interrupted = nil
			s.interrupt()
			blocked = false
			continue
		}
		s.mu.Lock()
		s.only = nil // everybody is blocked
		if s.closed {
			s.mu.Unlock()
			return
		}
		select {
		case <-s.wake: // what it was for is done here
		default:
		}
		if len(s.inbox) > 0 {
			s.drain()
		}
		var due <-chan time.Time
		if len(s.events) > 0 {
			wait := s.events[0].at - s.now()
			if wait <= 0 {
				e := s.next()
				s.happened++
				blocked = !e.do()
				s.mu.Unlock()
				continue
			}
			timer.Reset(wait)
			due = timer.C
		}
		s.mu.Unlock()
		select {
		case <-due:
		case <-s.wake:
		}
		blocked = false
	}
}

// drain takes all posts in their canonical order. It is called with the lock.
func (s *scheduler) drain() {
	posts := s.inbox
	s.inbox = nil
	if len(posts) > 1 {
		slices.SortStableFunc(posts, comparePosts)
	}
	for i := range posts {
		posts[i].take()
	}
	if s.inbox == nil { // what is taken posts nothing
		s.inbox = posts[:0]
		clear(posts)
	}
}

func comparePosts(a, b post) int {
	order := cmp.Or(cmp.Compare(a.party.name, b.party.name), cmp.Compare(a.kind, b.kind), cmp.Compare(a.stream, b.stream), cmp.Compare(a.sequence, b.sequence))
	if order == 0 && a.text != nil && b.text != nil {
		return bytes.Compare(a.text(), b.text())
	}
	return order
}

// end stops the scheduler and returns when it has ended.
func (s *scheduler) end() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.stir()
	<-s.ended
}
