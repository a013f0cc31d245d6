package sim

import (
	"sync"
	"time"

	"github.com/etcd-holdfast/holdfast/cluster/link"
)

// wire is a simulated link: the way on which from dials to. It is guarded by the
// scheduler's lock.
type wire struct {
	cluster *Cluster
	// way is of a client's wire, nil if it is between members.
	way    *way
	cuts   int
	stalls [2]int
	// since is when the present stall of a direction began; of a wire between
	// members: heartbeats are counted, not sent.
	since    [2]time.Duration
	stats    link.Stats
	requests int64
	taps     []*tap
}

type tap struct{ show func(link.Message) }

// heartbeatSize is what a heartbeat of raft and its answer take on the wire.
const heartbeatSize = 50

// peerConnections is how many connections a member opens to another: etcd has a
// stream for messages and one for entries.
const peerConnections = 2

// Impose is as link.Link has it.
func (w *wire) Impose(c link.Condition) (lift func()) {
	s := w.cluster.scheduler
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.stir()
	now := s.now()
	if c.Cut {
		if w.cuts++; w.cuts == 1 {
			w.cut()
		}
	}
	for d := range link.Direction(2) {
		if stalls(c, d) {
			if w.stalls[d]++; w.stalls[d] == 1 {
				w.since[d] = now
			}
		}
	}
	if w.way == nil {
		w.cluster.look()
	}
	return sync.OnceFunc(func() { w.lift(c) })
}

func stalls(c link.Condition, d link.Direction) bool {
	if d == link.ToTarget {
		return c.StallToTarget
	}
	return c.StallToDialler
}

func (w *wire) cut() {
	if w.way != nil {
		w.way.cut()
		return
	}
	w.stats.Severed += peerConnections
}

func (w *wire) lift(c link.Condition) {
	s := w.cluster.scheduler
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.stir()
	if c.Cut {
		w.cuts--
	}
	for d := range link.Direction(2) {
		if !stalls(c, d) {
			continue
		}
		if w.stalls[d]--; w.stalls[d] > 0 {
			continue
		}
		if w.way != nil {
			w.way.flow(d)
		} else {
			w.stats.HeldTotal = add(w.stats.HeldTotal, d, w.heartbeats(d))
		}
	}
	if w.way == nil {
		w.cluster.look()
	}
}

// heartbeats is how many bytes of heartbeats a stall between members has kept
// back so far.
func (w *wire) heartbeats(d link.Direction) int64 {
	return int64((w.cluster.scheduler.now()-w.since[d])/w.cluster.config.Heartbeat) * heartbeatSize
}

// Stats is as link.Link has it.
func (w *wire) Stats() link.Stats {
	w.cluster.scheduler.mu.Lock()
	defer w.cluster.scheduler.mu.Unlock()
	s := w.stats
	s.Requests = w.requests
	if w.way != nil {
		for d := range link.Direction(2) {
			for _, m := range w.way.held[d] {
				s.Held = add(s.Held, d, m.size())
			}
		}
		if w.way.state == ready {
			s.Open = 1
		}
		return s
	}
	for d := range link.Direction(2) {
		if w.stalls[d] > 0 {
			s.HeldTotal = add(s.HeldTotal, d, w.heartbeats(d))
		}
	}
	return s
}

func add(b link.Bytes, d link.Direction, n int64) link.Bytes {
	if d == link.ToTarget {
		b.ToTarget += n
	} else {
		b.ToDialler += n
	}
	return b
}

// Requests is as link.Link has it.
func (w *wire) Requests() int64 {
	w.cluster.scheduler.mu.Lock()
	defer w.cluster.scheduler.mu.Unlock()
	return w.requests
}

// Tap is as link.Link has it.
func (w *wire) Tap(f func(link.Message)) (remove func()) {
	w.cluster.scheduler.mu.Lock()
	defer w.cluster.scheduler.mu.Unlock()
	t := &tap{f}
	w.taps = append(w.taps, t)
	return sync.OnceFunc(func() {
		w.cluster.scheduler.mu.Lock()
		defer w.cluster.scheduler.mu.Unlock()
		var rest []*tap
		for _, other := range w.taps {
			if other != t {
				rest = append(rest, other)
			}
		}
		w.taps = rest
	})
}
