package sim

import (
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/etcd-holdfast/holdfast/cluster/link"
)

// The states of a way.
const (
	connecting = iota
	ready
	refused // until its next try
)

// way is a client's connection to one member, as gRPC keeps it: connected again
// as soon as it can be, after refusals with growing pauses. Messages arrive in
// the order in which they were sent, as on TCP.
type way struct {
	party  *party
	member *member
	wire   *wire
	state  int
	// epoch counts the connections: what was on its way on an earlier one is lost.
	epoch    int
	attempts int
	// parked is true while a stall keeps a new connection from being made.
	parked  bool
	removed bool
	last    [2]time.Duration // arrivals
	held    [2][]*message
	// shown is true while a tap looks at a message: what is behind it waits.
	// flowing is true while held messages come in, one after the other.
	shown     [2]bool
	flowing   [2]bool
	exchanges []*exchange // that are under way here, in the order of their opening
}

var errReset = status.Error(codes.Unavailable, "error reading from server: connection reset by peer")

// connect tries to connect.
func (w *way) connect() {
	w.state = connecting
	epoch := w.epoch
	w.party.cluster.scheduler.after(w.party.delay(), func() bool {
		if w.epoch == epoch && w.state == connecting {
			w.reach()
		}
		return false
	})
}

// reach is when the attempt has come to the member.
func (w *way) reach() {
	switch {
	case w.removed:
	case w.wire.cuts > 0:
		w.wire.stats.Refused++
		w.refuse()
	case !w.member.up:
		w.wire.stats.Unreached++
		w.refuse()
	case w.wire.stalls[link.ToTarget]+w.wire.stalls[link.ToDialler] > 0:
		w.parked = true
	default:
		epoch := w.epoch
		w.party.cluster.scheduler.after(w.party.delay(), func() bool {
			if w.epoch == epoch && w.state == connecting {
				w.wire.stats.Accepted++
				w.state, w.attempts = ready, 0
				w.party.ready()
			}
			return false
		})
	}
}

// The pauses between attempts: gRPC's, with the longest pause that holdfast's
// clients ask for.
const (
	firstPause  = time.Second
	longestWait = 2 * time.Second
)

func (w *way) refuse() {
	w.state = refused
	pause := firstPause
	for range w.attempts {
		pause = min(pause*8/5, longestWait)
	}
	w.attempts++
	pause = w.party.random.about(pause, 0.2)
	epoch := w.epoch
	w.party.cluster.scheduler.after(pause, func() bool {
		if w.epoch == epoch && w.state == refused {
			w.connect()
		}
		return false
	})
}

// cut closes the connection because its wire was cut.
func (w *way) cut() {
	switch {
	case w.state == ready:
		w.wire.stats.Severed++
	case w.state == connecting:
		w.wire.stats.Refused++
	}
	w.fail(errReset)
}

// fail ends the connection, and with an error all that was under way on it. A
// new one is tried at once.
func (w *way) fail(err error) {
	was := w.state
	w.epoch++
	w.held, w.shown, w.flowing, w.parked = [2][]*message{}, [2]bool{}, [2]bool{}, false
	lost := w.exchanges
	w.exchanges = nil
	for _, x := range lost {
		x.close()
		x.way = nil
		w.party.cluster.scheduler.after(w.party.step(), func() bool { return x.fail(err) })
	}
	if !w.removed && was != refused {
		w.connect()
	} else if was == refused {
		w.refuse()
	}
}

// message is on its way.
type message struct {
	exchange  *exchange
	way       *way
	epoch     int
	direction link.Direction
	payload   payload
	err       error // of an answer that is none
	bytes     int64
	// seen is true once taps were shown it, kept once a stall has kept it back.
	seen, kept bool
}

// payload is a message of etcd's.
type payload = proto.Message

func (m *message) size() int64 {
	if m.bytes == 0 {
		m.bytes = 14 // the frame's and the message's headers
		if m.payload != nil {
			m.bytes += int64(proto.Size(m.payload))
		}
	}
	return m.bytes
}

// send puts a message on its way.
func (w *way) send(m *message) {
	m.way, m.epoch = w, w.epoch
	w.schedule(m, w.party.delay())
}

func (w *way) schedule(m *message, d time.Duration) {
	s := w.party.cluster.scheduler
	at := max(s.now()+d, w.last[m.direction]+1)
	w.last[m.direction] = at
	s.add(event{at: at, arrives: m})
}

// arrive is when a message has come to the end of its way, if nothing keeps it.
func (w *way) arrive(m *message) bool {
	if m.epoch != w.epoch {
		return false
	}
	d := m.direction
	if w.wire.stalls[d] > 0 {
		w.keep(m)
	}
	if w.wire.stalls[d] > 0 || w.shown[d] || len(w.held[d]) > 0 {
		w.held[d] = append(w.held[d], m)
		return false
	}
	return w.admit(m)
}

// admit lets a message in, which a tap is shown before.
func (w *way) admit(m *message) bool {
	if len(w.wire.taps) > 0 && !m.seen {
		if shown, ok := m.exchange.describe(m); ok {
			w.show(m, shown)
			return true
		}
	}
	return w.deliver(m)
}

func (w *way) keep(m *message) {
	m.kept = true
	w.wire.stats.HeldTotal = add(w.wire.stats.HeldTotal, m.direction, m.size())
}

// show lets taps see a message before it passes. They may take their time, and
// harm links meanwhile.
func (w *way) show(m *message, shown link.Message) {
	m.seen, w.shown[m.direction] = true, true
	taps := w.wire.taps
	go func() {
		for _, t := range taps {
			t.show(shown)
		}
		w.party.cluster.scheduler.post(post{party: w.party, kind: postSend, stream: m.exchange.id, take: func() {
			w.party.cluster.scheduler.after(0, func() bool { return w.pass(m) })
		}})
	}()
}

// pass lets a message go on that was shown.
func (w *way) pass(m *message) bool {
	if m.epoch != w.epoch {
		return false
	}
	d := m.direction
	w.shown[d] = false
	if w.wire.stalls[d] > 0 { // by the tap
		w.keep(m)
		w.held[d] = append([]*message{m}, w.held[d]...)
		return false
	}
	woken := w.deliver(m)
	w.flow(d)
	return woken
}

// flow lets in what was held in a direction: one message after the other, and all
// before those that are on their way.
func (w *way) flow(d link.Direction) {
	if len(w.held[d]) > 0 && !w.flowing[d] {
		w.flowing[d] = true
		w.release(d)
	}
	if w.parked && w.wire.stalls[link.ToTarget]+w.wire.stalls[link.ToDialler] == 0 {
		w.parked = false
		w.connect()
	}
}

// release lets in the next message that is held, in a moment.
func (w *way) release(d link.Direction) {
	epoch := w.epoch
	w.party.cluster.scheduler.after(w.party.step(), func() bool {
		switch {
		case w.epoch != epoch:
			return false
		case len(w.held[d]) == 0 || w.wire.stalls[d] > 0 || w.shown[d]:
			w.flowing[d] = false
			return false
		}
		first := w.held[d][0]
		w.held[d] = w.held[d][1:]
		woken := w.admit(first)
		if w.epoch == epoch {
			w.release(d)
		}
		return woken
	})
}

// deliver hands a message to whom it is for.
func (w *way) deliver(m *message) bool {
	if m.direction == link.ToDialler {
		return m.exchange.receive(m.payload, m.err)
	}
	if m.exchange.over {
		// The client gave up meanwhile. Of a stream, that is its end. A request is
		// served all the same, unless the news of its end came right behind it, as
		// out of a stall: then the server may see that first.
		if m.exchange.request == nil || m.kept && w.party.random.oneIn(2) {
			return false
		}
	}
	w.member.receive(m.exchange, m.payload)
	return false
}
