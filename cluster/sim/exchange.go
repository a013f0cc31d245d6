package sim

import (
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/etcd-holdfast/holdfast/cluster/link"
	"github.com/etcd-holdfast/holdfast/cluster/sim/model"
)

// exchange is one gRPC call: of one request and one answer, or a stream of them.
// All but ready is guarded by the scheduler's lock.
type exchange struct {
	party  *party
	id     uint64
	method string
	// given is true if whoever asked has given up already.
	given func() bool
	// request is that of a call with one request; nil of a stream.
	request payload
	// needsLeader ends a stream at a member without a leader.
	needsLeader bool

	// ready has room for one: it says that there is an answer, an error, or, of a
	// stream, that it is open.
	ready  chan struct{}
	opened bool
	reply  payload   // to a call
	queue  []payload // of a stream
	err    error
	// over is true if nobody waits for it any more.
	over bool
	sent uint64

	// asked and answered are the messages of a call, which has one of each.
	asked, answered message

	way *way
	// watches is what the member keeps for a stream of watches.
	watches *model.Stream
}

// open sends the exchange's beginning on a connection of the party's, or waits
// for one.
func (x *exchange) open() {
	w := x.party.pick()
	if w == nil {
		x.party.waiting = append(x.party.waiting, x)
		return
	}
	x.way = w
	w.exchanges = append(w.exchanges, x)
	if x.request != nil {
		w.wire.requests++
		x.asked = message{exchange: x, direction: link.ToTarget, payload: x.request}
		w.send(&x.asked)
		return
	}
	x.party.cluster.scheduler.after(x.party.step(), func() bool {
		if x.over {
			return false
		}
		x.opened = true
		return x.signal()
	})
}

// say sends a message on a stream.
func (x *exchange) say(p payload) {
	if x.way == nil {
		return
	}
	if r, ok := p.(*pb.WatchRequest); ok && r.GetCreateRequest() != nil {
		x.way.wire.requests++
	}
	x.way.send(&message{exchange: x, direction: link.ToTarget, payload: p})
}

// answer sends what a member has to say. A call has one answer: what comes of it
// after its time has run out is not told.
func (x *exchange) answer(p payload, err error) {
	if x.way == nil || x.answered.exchange != nil {
		return
	}
	m := &x.answered
	if x.request == nil {
		m = new(message)
	}
	*m = message{exchange: x, direction: link.ToDialler, payload: p, err: err}
	x.way.send(m)
}

// receive is when an answer has come.
func (x *exchange) receive(p payload, err error) bool {
	if x.over {
		return false
	}
	if err != nil {
		x.leave()
		return x.fail(err)
	}
	if x.request != nil { // who asked waits, and nobody else is told
		x.leave()
		x.party.cluster.scheduler.only = x.party
		x.reply = p
		return x.signal()
	}
	x.queue = append(x.queue, p)
	return x.signal()
}

// fail ends the exchange with an error.
func (x *exchange) fail(err error) bool {
	if x.over || x.err != nil {
		return false
	}
	x.err = err
	return x.signal()
}

func (x *exchange) signal() bool {
	select {
	case x.ready <- struct{}{}:
	default:
	}
	return true
}

// leave takes the exchange off its connection.
func (x *exchange) leave() {
	x.close()
	if x.way == nil {
		return
	}
	for i, other := range x.way.exchanges {
		if other == x {
			x.way.exchanges = append(x.way.exchanges[:i], x.way.exchanges[i+1:]...)
			break
		}
	}
	x.way = nil
}

// gone is true if nobody can hear an answer any more.
func (x *exchange) gone() bool { return x.over || x.way == nil }

// close ends what the member keeps for it.
func (x *exchange) close() {
	if x.watches != nil && x.way != nil {
		x.way.member.forget(x)
	}
	x.watches = nil
}

// describe says what a message is, for taps.
func (x *exchange) describe(m *message) (link.Message, bool) {
	shown := link.Message{Method: x.method, Direction: m.direction}
	if m.payload == nil {
		return shown, false
	}
	switch p := m.payload.(type) {
	case *pb.LeaseKeepAliveRequest, *pb.LeaseKeepAliveResponse:
		shown.Content = link.KeepAlive
	case *pb.WatchRequest:
		switch {
		case p.GetCreateRequest() != nil:
			shown.Content = link.WatchCreate
		case p.GetCancelRequest() != nil:
			shown.Content = link.WatchCancel
		default:
			shown.Content = link.WatchProgress
		}
	case *pb.WatchResponse:
		switch {
		case len(p.Events) > 0:
			shown.Content = link.WatchEvents
		case p.Created:
			shown.Content = link.WatchCreated
		case p.Canceled:
			shown.Content = link.WatchCanceled
		default:
			shown.Content = link.WatchProgress
		}
	}
	return shown, true
}

var errUnavailable = status.Error(codes.Unavailable, "the simulation has ended")
