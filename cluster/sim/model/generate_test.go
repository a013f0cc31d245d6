package model

import (
	"bytes"
	"math"
	"math/rand/v2"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/protobuf/proto"
)

// generator makes random requests. It looks at the model, so that they are
// about what exists more often than not.
type generator struct {
	*rand.Rand
	store *Store
	// shortest is the smallest TTL that is asked for, in seconds.
	shortest int64
}

func newGenerator(seed uint64, store *Store) *generator {
	return &generator{Rand: rand.New(rand.NewPCG(seed, 0)), store: store, shortest: -2}
}

// one is true once in n times.
func (g *generator) one(n int) bool { return g.IntN(n) == 0 }

func pick[T any](g *generator, from ...T) T { return from[g.IntN(len(from))] }

var keys = []string{"\x00", "a", "a\x00", "ab", "abc", "b", "ba", "k/1", "k/2", "k/3", "k/4", "l/1", "l/2", "\xff", "\xff\xff"}

func (g *generator) key() []byte {
	if g.one(100) {
		return nil
	}
	return []byte(pick(g, keys...))
}

// end returns the end of a range that begins with a key.
func (g *generator) end(key []byte) []byte {
	switch g.IntN(8) {
	case 0:
		return []byte{0}
	case 1, 2:
		return []byte(clientv3.GetPrefixRangeEnd(string(key)))
	case 3:
		return g.key()
	}
	return nil
}

func (g *generator) value() []byte {
	return []byte(pick(g, "", "v", "w", "x", "xx", "\x00", "z"))
}

// near returns a revision that is likely to mean something.
func (g *generator) near() int64 {
	now := g.store.Revision()
	switch g.IntN(10) {
	case 0:
		return g.Int64N(6) - 3
	case 1:
		return now + g.Int64N(4)
	case 2:
		return g.store.Compacted() + g.Int64N(3) - 1
	}
	return max(0, now-g.Int64N(40))
}

// leaseID returns a lease that exists, if there is any, or sometimes one that
// does not.
func (g *generator) leaseID() int64 {
	if n := len(g.store.leases); n > 0 && !g.one(8) {
		return g.store.leases[g.IntN(n)].id
	}
	return g.Int64N(18) - 6
}

// request returns a request of the key-value or of the lease service.
func (g *generator) request() proto.Message {
	switch n := g.IntN(100); {
	case n < 25:
		return g.rangeRequest()
	case n < 45:
		return g.put()
	case n < 52:
		return g.delete()
	case n < 80:
		return g.txn()
	case n < 81:
		return g.compact()
	case n < 87:
		return g.grant()
	case n < 90:
		return &pb.LeaseRevokeRequest{ID: g.leaseID()}
	case n < 93:
		return &pb.LeaseKeepAliveRequest{ID: g.leaseID()}
	case n < 98:
		return &pb.LeaseTimeToLiveRequest{ID: g.leaseID(), Keys: g.one(2)}
	}
	return &pb.LeaseLeasesRequest{}
}

func (g *generator) rangeRequest() *pb.RangeRequest {
	key := g.key()
	r := &pb.RangeRequest{
		Key:          key,
		RangeEnd:     g.end(key),
		Serializable: g.one(2),
		KeysOnly:     g.one(4),
		CountOnly:    g.one(8),
	}
	if g.one(3) {
		r.Revision = g.near()
	}
	if g.one(2) {
		r.Limit = pick[int64](g, -1, 1, 2, 3, 5, math.MaxInt64)
	}
	if g.one(2) {
		r.SortOrder = pb.RangeRequest_SortOrder(g.IntN(3))
		r.SortTarget = pb.RangeRequest_SortTarget(g.IntN(5))
	}
	if g.one(50) {
		r.SortOrder, r.SortTarget = pick[pb.RangeRequest_SortOrder](g, 0, 3), pick[pb.RangeRequest_SortTarget](g, -1, 5)
	}
	for _, bound := range []*int64{&r.MinModRevision, &r.MaxModRevision, &r.MinCreateRevision, &r.MaxCreateRevision} {
		if g.one(10) {
			*bound = g.near()
		}
	}
	return r
}

func (g *generator) put() *pb.PutRequest {
	r := &pb.PutRequest{Key: g.key(), Value: g.value(), PrevKv: g.one(3), IgnoreValue: g.one(10), IgnoreLease: g.one(10)}
	if g.one(3) {
		r.Lease = g.leaseID()
	}
	// Mostly as it should be.
	if r.IgnoreValue && !g.one(8) {
		r.Value = nil
	}
	if r.IgnoreLease && !g.one(8) {
		r.Lease = 0
	}
	return r
}

func (g *generator) delete() *pb.DeleteRangeRequest {
	key := g.key()
	r := &pb.DeleteRangeRequest{Key: key, RangeEnd: g.end(key), PrevKv: g.one(2)}
	if len(r.RangeEnd) > 0 && !g.one(4) {
		r.RangeEnd = nil // or else hardly anything lives
	}
	return r
}

// txn returns a transaction that does not put what it has deleted: a server
// accepts some of these, and nothing is promised of what follows.
func (g *generator) txn() *pb.TxnRequest {
	for {
		r := g.anyTxn(0)
		if !putsDeleted(r) || !accepted(r) {
			return r
		}
	}
}

func (g *generator) anyTxn(depth int) *pb.TxnRequest {
	r := &pb.TxnRequest{}
	for range g.IntN(4) {
		r.Compare = append(r.Compare, g.compare())
	}
	r.Success, r.Failure = g.ops(depth), g.ops(depth)
	switch g.IntN(200) {
	case 0: // too many, or just not
		r.Success = make([]*pb.RequestOp, 128+g.IntN(2))
		for i := range r.Success {
			r.Success[i] = rangeOp(g.rangeRequest())
		}
	case 1:
		for len(r.Compare) < 126+g.IntN(4) {
			r.Compare = append(r.Compare, g.compare())
		}
	case 2: // only serializable reads
		r.Success, r.Failure = nil, nil
		for range g.IntN(3) {
			read := g.rangeRequest()
			read.Serializable = true
			r.Success = append(r.Success, rangeOp(read))
		}
	}
	return r
}

func (g *generator) ops(depth int) []*pb.RequestOp {
	var ops []*pb.RequestOp
	onlyReads := g.one(5)
	for range g.IntN(4) {
		n := g.IntN(20)
		if onlyReads {
			n = 0
		}
		switch {
		case n < 7:
			ops = append(ops, rangeOp(g.rangeRequest()))
		case n < 13:
			ops = append(ops, &pb.RequestOp{Request: &pb.RequestOp_RequestPut{RequestPut: g.put()}})
		case n < 16:
			ops = append(ops, &pb.RequestOp{Request: &pb.RequestOp_RequestDeleteRange{RequestDeleteRange: g.delete()}})
		case n < 19 && depth < 3:
			ops = append(ops, &pb.RequestOp{Request: &pb.RequestOp_RequestTxn{RequestTxn: g.anyTxn(depth + 1)}})
		case g.one(10):
			ops = append(ops, &pb.RequestOp{})
		}
	}
	return ops
}

func rangeOp(r *pb.RangeRequest) *pb.RequestOp {
	return &pb.RequestOp{Request: &pb.RequestOp_RequestRange{RequestRange: r}}
}

func (g *generator) compare() *pb.Compare {
	key := g.key()
	c := &pb.Compare{
		Key:    key,
		Result: pb.Compare_CompareResult(g.IntN(4)),
		Target: pb.Compare_CompareTarget(g.IntN(5)),
	}
	if g.one(3) {
		c.RangeEnd = g.end(key)
	}
	about := c.Target
	if g.one(50) {
		about = pb.Compare_CompareTarget(g.IntN(5)) // of another kind than the target
	}
	switch about {
	case pb.Compare_VERSION:
		c.TargetUnion = &pb.Compare_Version{Version: g.Int64N(4)}
	case pb.Compare_CREATE:
		c.TargetUnion = &pb.Compare_CreateRevision{CreateRevision: pick(g, 0, g.near())}
	case pb.Compare_MOD:
		c.TargetUnion = &pb.Compare_ModRevision{ModRevision: pick(g, 0, g.near())}
	case pb.Compare_VALUE:
		c.TargetUnion = &pb.Compare_Value{Value: g.value()}
	case pb.Compare_LEASE:
		c.TargetUnion = &pb.Compare_Lease{Lease: pick(g, 0, g.leaseID())}
	}
	if g.one(100) {
		c.Result, c.Target = pick[pb.Compare_CompareResult](g, c.Result, 7), pick[pb.Compare_CompareTarget](g, c.Target, 9)
	}
	return c
}

// compact returns a compaction, but of no revision that put and deleted one
// key: when a server forgets that it was put is a matter of time.
func (g *generator) compact() proto.Message {
	for {
		r := &pb.CompactionRequest{Revision: g.near(), Physical: true}
		seen := map[string]bool{}
		twice := false
		for _, c := range g.store.Changes(r.Revision, r.Revision) {
			twice = twice || seen[string(c.KV.Key)]
			seen[string(c.KV.Key)] = true
		}
		if !twice {
			return r
		}
	}
}

func (g *generator) grant() proto.Message {
	r := &pb.LeaseGrantRequest{ID: g.Int64N(12), TTL: g.shortest + g.Int64N(30)}
	switch g.IntN(20) {
	case 0:
		r.ID = -r.ID
	case 1:
		r.TTL = maxTTL + g.Int64N(3) - 1
	}
	return r
}

// watch returns a request to a watch stream.
func (g *generator) watch(stream *Stream) *pb.WatchRequest {
	n := g.IntN(10)
	if n < 2 {
		return &pb.WatchRequest{RequestUnion: &pb.WatchRequest_ProgressRequest{ProgressRequest: &pb.WatchProgressRequest{}}}
	}
	if n < 4 || len(stream.watches) > 6 {
		id := g.Int64N(20)
		if watches := len(stream.watches); watches > 0 && !g.one(5) {
			id = stream.watches[g.IntN(watches)].id
		}
		return &pb.WatchRequest{RequestUnion: &pb.WatchRequest_CancelRequest{
			CancelRequest: &pb.WatchCancelRequest{WatchId: id}}}
	}
	key := g.key()
	r := &pb.WatchCreateRequest{Key: key, RangeEnd: g.end(key), PrevKv: g.one(2)}
	if g.one(2) {
		r.StartRevision = g.near()
	}
	if g.one(3) {
		r.Filters = append(r.Filters, pb.WatchCreateRequest_FilterType(g.IntN(2)))
	}
	if g.one(3) {
		r.WatchId = g.Int64N(20)
	}
	return createRequest(r)
}

func createRequest(r *pb.WatchCreateRequest) *pb.WatchRequest {
	return &pb.WatchRequest{RequestUnion: &pb.WatchRequest_CreateRequest{CreateRequest: r}}
}

// accepted is true if a transaction passes the checks that need no state.
func accepted(r *pb.TxnRequest) bool {
	_, then := checkOverlap(r.Success)
	_, otherwise := checkOverlap(r.Failure)
	return then == nil && otherwise == nil && checkTxn(r, 128) == nil
}

// putsDeleted is true if a transaction may put a key that it has deleted.
func putsDeleted(r *pb.TxnRequest) bool {
	then, _ := deletions(r.Success, nil)
	otherwise, _ := deletions(r.Failure, nil)
	return then || otherwise
}

// deletions tells whether operations put what was deleted before, and returns
// what is deleted after them.
func deletions(ops []*pb.RequestOp, before []*pb.DeleteRangeRequest) (puts bool, after []*pb.DeleteRangeRequest) {
	after = append(after, before...)
	for _, op := range ops {
		switch op := op.Request.(type) {
		case *pb.RequestOp_RequestDeleteRange:
			after = append(after, op.RequestDeleteRange)
		case *pb.RequestOp_RequestPut:
			for _, d := range after {
				puts = puts || inRange(op.RequestPut.Key, d.Key, d.RangeEnd)
			}
		case *pb.RequestOp_RequestTxn:
			inThen, then := deletions(op.RequestTxn.Success, after)
			inOtherwise, otherwise := deletions(op.RequestTxn.Failure, after)
			puts = puts || inThen || inOtherwise
			after = append(then, otherwise...)
		}
	}
	return puts, after
}

func inRange(key, start, end []byte) bool {
	if len(end) == 0 {
		return bytes.Equal(key, start)
	}
	return bytes.Compare(start, key) <= 0 && (fromKey(end) || bytes.Compare(key, end) < 0)
}
