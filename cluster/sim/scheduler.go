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
	// timer ends the pause between events. It alone wakes the scheduler, which to
	// wait for a channel besides would cost a third more.
	timer *time.Timer
	ended chan struct{}
	// interrupted is asked between events; once it is true, interrupt is called.
	interrupted func() bool
	interrupt   func()

	// mu guards the fields below, and all that events work on.
	mu     sync.Mutex
	closed bool
	asleep bool // until the timer fires
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
	postWatch
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
	// begins, if set, is an exchange to open: text and take are its own.
	begins *exchange
}

// event happens at an instant. It returns true if a goroutine may have been
// woken.
type event struct {
	at    time.Duration
	order uint64
	do    func() bool
	// arrives, if set, is a message at the end of its way, instead of do.
	arrives *message
}

func newScheduler() *scheduler {
	return &scheduler{start: time.Now(), timer: time.NewTimer(idle), ended: make(chan struct{})}
}

// now is the time since the simulation began.
func (s *scheduler) now() time.Duration { return time.Since(s.start) }

// idle is how long the scheduler sleeps if nothing is to happen.
const idle = time.Hour

// post hands a post in. It returns false if the scheduler has ended.
func (s *scheduler) post(p post) bool {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return false
	}
	s.inbox = append(s.inbox, p)
	s.stir()
	s.mu.Unlock()
	return true
}

// stir makes the scheduler look again, at this instant, once all are blocked. It
// is called with the lock.
func (s *scheduler) stir() {
	if s.asleep {
		s.asleep = false
		s.timer.Reset(0)
	}
}

// after makes something happen. It is called with the lock; whoever is not an
// event or a post calls stir, too.
func (s *scheduler) after(d time.Duration, do func() bool) { s.at(s.now()+max(d, 0), do) }

func (s *scheduler) at(at time.Duration, do func() bool) { s.add(event{at: at, do: do}) }

func (s *scheduler) add(e event) {
	s.orders++
	e.order = s.orders
	s.events = append(s.events, e)
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
	defer s.timer.Stop()
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
		s.asleep, s.only = false, nil // everybody else is blocked
		if s.closed {
			s.mu.Unlock()
			return
		}
		if len(s.inbox) > 0 {
			s.drain()
		}
		wait := idle
		if len(s.events) > 0 {
			wait = s.events[0].at - s.now()
			if wait <= 0 {
				e := s.next()
				s.happened++
				if e.arrives != nil {
					blocked = !e.arrives.way.arrive(e.arrives)
				} else {
					blocked = !e.do()
				}
				s.mu.Unlock()
				continue
			}
		}
		s.asleep = true
		s.timer.Reset(wait)
		s.mu.Unlock()
		<-s.timer.C
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
		if x := posts[i].begins; x != nil {
			x.begin()
		} else {
			posts[i].take()
		}
	}
	if s.inbox == nil { // what is taken posts nothing
		s.inbox = posts[:0]
		clear(posts)
	}
}

func comparePosts(a, b post) int {
	order := cmp.Or(cmp.Compare(a.party.name, b.party.name), cmp.Compare(a.kind, b.kind), cmp.Compare(a.stream, b.stream), cmp.Compare(a.sequence, b.sequence))
	if order == 0 {
		return bytes.Compare(a.words(), b.words())
	}
	return order
}

// words is the text of a post, empty if it has none.
func (p *post) words() []byte {
	switch {
	case p.begins != nil && p.begins.request != nil:
		return canonical(p.begins.method, p.begins.request)
	case p.begins != nil:
		return []byte(p.begins.method)
	case p.text != nil:
		return p.text()
	}
	return nil
}

// end stops the scheduler and returns when it has ended.
func (s *scheduler) end() {
	s.mu.Lock()
	s.closed = true
	s.stir()
	s.mu.Unlock()
	<-s.ended
}
