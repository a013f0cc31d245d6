package sim

import (
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"

	"github.com/etcd-holdfast/holdfast/cluster/link"
)

// member is one server. It has applied a part of the log that all share, and
// answers from that. It is guarded by the scheduler's lock.
type member struct {
	cluster *Cluster
	index   int
	name    string
	up      bool
	// applied is the index of the last entry that it has applied, revision the
	// store's after it.
	applied  int
	revision int64
	// applying is when the last entry that is on its way to it arrives.
	applying time.Duration
	// waiting are what waits until an entry is applied, queued what waits for a
	// leader. lost counts the times that the member lost its leader.
	waiting []waiting
	queued  []*queued
	lost    int
	// alone is true while it has no leader, since when since says.
	alone bool
	since time.Duration
	// watching are the streams of watches that it serves, in the order of their
	// opening.
	watching []*exchange
}

type waiting struct {
	entry int
	do    func()
}

// queued is a request that waits for a leader.
type queued struct {
	exchange *exchange
	// do is nil if the request is lost: its time runs out.
	do func()
	// under says where it is meanwhile.
	under under
	over  bool
}

// under is in whose hands a request is that waits for a leader.
type under int

const (
	// itsMember has it, and drops it if whoever asked goes.
	itsMember under = iota
	// raft has it, on its way to a leader.
	raft
	// itsLog has it: the member leads, or did. Another leader's log overwrites it.
	itsLog
)

// receive is when a request has come.
func (m *member) receive(x *exchange, p payload) {
	s := m.cluster.store
	if x.needsLeader && x.request == nil && !m.believes() {
		x.answer(nil, rpctypes.ErrGRPCNoLeader)
		return
	}
	switch r := p.(type) {
	case *pb.RangeRequest:
		answer := func() {
			reply, err := s.Range(r, m.revision)
			x.answer(reply, err)
		}
		if r.Serializable {
			answer()
			return
		}
		m.read(x, answer)
	case *pb.PutRequest:
		propose(m, x, func() (*pb.PutResponse, error) { return s.Put(r) })
	case *pb.DeleteRangeRequest:
		propose(m, x, func() (*pb.DeleteRangeResponse, error) { return s.DeleteRange(r) })
	case *pb.TxnRequest:
		m.txn(x, r)
	case *pb.CompactionRequest:
		propose(m, x, func() (*pb.CompactionResponse, error) { return s.Compact(r) })
	case *pb.LeaseGrantRequest:
		propose(m, x, func() (*pb.LeaseGrantResponse, error) { return m.cluster.grant(x.party, r) })
	case *pb.LeaseRevokeRequest:
		propose(m, x, func() (*pb.LeaseRevokeResponse, error) { return s.Revoke(r) })
	case *pb.LeaseTimeToLiveRequest:
		m.led(x, func() {
			reply, err := s.TimeToLive(m.cluster.leaseTime(), r)
			x.answer(reply, err)
		})
	case *pb.LeaseLeasesRequest:
		m.read(x, func() {
			reply, err := s.Leases(r)
			x.answer(reply, err)
		})
	case *pb.LeaseKeepAliveRequest:
		m.led(x, func() {
			reply, err := s.Renew(m.cluster.leaseTime(), r)
			x.answer(reply, err)
		})
	case *pb.WatchRequest:
		if x.watches == nil {
			x.watches = s.NewStream()
			m.watching = append(m.watching, x)
		}
		for _, reply := range x.watches.Request(r, m.revision) {
			x.answer(reply, nil)
		}
		m.tell(x)
	}
}

// txn handles a transaction. One that only reads is not proposed, and if all that
// it reads may be old, which is so of one that reads nothing, it is answered from
// what the member has.
func (m *member) txn(x *exchange, r *pb.TxnRequest) {
	s := m.cluster.store
	reads, old := onlyReads(r)
	if !reads {
		propose(m, x, func() (*pb.TxnResponse, error) { return s.Txn(r) })
		return
	}
	answer := func() {
		reply, err := s.TxnAt(r, m.revision)
		x.answer(reply, err)
	}
	if old {
		answer()
	} else {
		m.read(x, answer)
	}
}

// onlyReads returns whether a transaction only reads, and whether all that it
// reads may be old.
func onlyReads(r *pb.TxnRequest) (reads, old bool) {
	old = true
	for _, ops := range [][]*pb.RequestOp{r.Success, r.Failure} {
		for _, op := range ops {
			switch o := op.Request.(type) {
			case *pb.RequestOp_RequestRange:
				old = old && o.RequestRange.Serializable
			case *pb.RequestOp_RequestTxn:
				inner, innerOld := onlyReads(o.RequestTxn)
				if !inner {
					return false, false
				}
				old = old && innerOld
			default:
				return false, false
			}
		}
	}
	return true, old
}

// forget ends a stream of watches.
func (m *member) forget(x *exchange) {
	for i, other := range m.watching {
		if other == x {
			m.watching = append(m.watching[:i], m.watching[i+1:]...)
			return
		}
	}
}

// tell sends what a stream of watches has not been told yet.
func (m *member) tell(x *exchange) {
	for _, reply := range x.watches.Advance(m.revision) {
		x.answer(reply, nil)
	}
}

// apply is when the member has applied the log through an entry.
func (m *member) apply(entry int) {
	if entry <= m.applied {
		return
	}
	m.applied = entry
	if before := m.revision; m.cluster.log[entry] > before {
		m.revision = m.cluster.log[entry]
		for _, x := range m.watching {
			m.tell(x)
		}
	}
	if len(m.waiting) == 0 {
		return
	}
	all := m.waiting
	m.waiting = nil
	for _, w := range all {
		if w.entry <= entry {
			w.do()
		} else {
			m.waiting = append(m.waiting, w)
		}
	}
}

// when does something once an entry is applied.
func (m *member) when(entry int, do func()) {
	if entry <= m.applied {
		do()
		return
	}
	m.waiting = append(m.waiting, waiting{entry, do})
}

// led does something when the member can reach a leader, or answers with an error
// after the time that etcd gives a request.
func (m *member) led(x *exchange, do func()) {
	if m.follows() {
		c := m.cluster
		if m == c.leader {
			do()
			return
		}
		// To the leader and back.
		c.scheduler.after(c.peerDelay()+c.peerDelay(), func() bool {
			if m.follows() {
				do()
			} else {
				m.queue(x, itsMember, do)
			}
			return false
		})
		return
	}
	m.queue(x, itsMember, do)
}

func (m *member) queue(x *exchange, u under, do func()) {
	q := &queued{exchange: x, under: u, do: do}
	m.queued = append(m.queued, q)
	m.cluster.scheduler.after(m.cluster.patience(), func() bool {
		if !q.over {
			q.over = q.under == itsMember || q.do == nil // what raft has it does not give back
			x.answer(nil, rpctypes.ErrGRPCTimeout)
		}
		return false
	})
}

// read does something once the member has applied what the leader had committed
// when it was asked.
func (m *member) read(x *exchange, do func()) {
	m.led(x, func() { m.when(len(m.cluster.log)-1, do) })
}

// propose has a change made, and answers when the member has applied it.
func propose[A payload](m *member, x *exchange, change func() (A, error)) {
	c := m.cluster
	if len(c.members) == 1 && m.follows() { // nobody has to agree
		reply, err := change()
		c.commit()
		respond(x, reply, err)
		return
	}
	var begin func()
	begin = func() {
		term := c.term
		made := func() bool {
			if c.term != term || !m.follows() {
				// It was on its way to a leader that is gone, or cannot be reached: it may
				// be lost with it, or be in the next one's log.
				if !c.random.oneIn(2) {
					m.queue(x, raft, begin)
				} else {
					m.queue(x, raft, nil)
				}
				return false
			}
			reply, err := change()
			c.commit()
			m.when(len(c.log)-1, func() { respond(x, reply, err) })
			return false
		}
		if len(c.members) == 1 { // nobody has to agree
			made()
			return
		}
		c.scheduler.after(c.commitDelay(m), made)
	}
	switch {
	case m.follows():
		begin()
	case m == c.leader:
		m.queue(x, itsLog, begin)
	case !m.hears() && !m.believes():
		m.queue(x, itsMember, begin)
	case c.leader == nil || !c.leader.up || c.severed(m, c.leader): // it is sent, and does not arrive
		m.queue(x, raft, nil)
	default: // it arrives when the ways are free again
		m.queue(x, raft, begin)
	}
}

// respond answers a call with a reply or an error.
func respond[A payload](x *exchange, reply A, err error) {
	if err != nil {
		x.answer(nil, err)
		return
	}
	x.answer(reply, nil)
}

// hears is true if the member hears a leader that can reach a majority.
func (m *member) hears() bool {
	c := m.cluster
	return m.up && c.leader != nil && c.leader.up && (m == c.leader || c.speak(c.leader, m)) && c.majority(c.leader)
}

// follows is true if the leader hears the member, too.
func (m *member) follows() bool {
	return m.hears() && (m == m.cluster.leader || m.cluster.speak(m, m.cluster.leader))
}

// believes is true of a member that has not found out yet that it has no leader.
func (m *member) believes() bool {
	return !m.alone || m.cluster.scheduler.now() < m.since+m.cluster.config.Election
}

// heed takes note of what the member hears from a leader.
func (m *member) heed() {
	m.alone = false
	m.lost++
	c := m.cluster
	if entry := len(c.log) - 1; entry > m.applied {
		c.send(m, entry)
	}
}

// lead does what has waited for a leader.
func (m *member) lead() {
	all := m.queued
	m.queued = nil
	for _, q := range all {
		switch {
		case q.over:
		case q.do == nil:
			m.queued = append(m.queued, q)
		case q.under == itsMember && q.exchange.gone():
			q.over = true
		default:
			q.over = true
			q.do()
		}
	}
	m.heed()
}

// forgetLog is when another leader's log overwrites what the member had in its own.
func (m *member) forgetLog() {
	for _, q := range m.queued {
		if q.under == itsLog {
			q.do = nil
		}
	}
}

// leaderless notes that the member has no leader. Streams that need one end if
// that lasts: a member finds out after an election timeout, and then looks three
// times (server/etcdserver/api/v3rpc/interceptor.go, monitorLeader). New ones it
// refuses as soon as it has found out.
func (m *member) leaderless() {
	if m.alone {
		return
	}
	c := m.cluster
	m.alone, m.since = true, c.scheduler.now()
	m.lost++
	lost := m.lost
	c.scheduler.after(4*c.config.Election, func() bool {
		if m.lost != lost {
			return false
		}
		for _, p := range c.inOrder() {
			w := p.ways[m.index]
			for _, x := range append([]*exchange(nil), w.exchanges...) {
				if x.needsLeader && x.request == nil {
					x.close()
					w.send(&message{exchange: x, direction: link.ToDialler, err: rpctypes.ErrGRPCNoLeader})
				}
			}
		}
		return false
	})
}
