package model

import (
	"bytes"
	"math"
	"slices"
	"sort"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
)

// Range reads. The answer is that of a member that has applied the log through
// revision at; an up-to-date one has applied it through Revision. Its errors
// are ErrGRPCEmptyKey, ErrGRPCInvalidSortOption, ErrGRPCFutureRev and
// ErrGRPCCompacted.
func (s *Store) Range(r *pb.RangeRequest, at int64) (*pb.RangeResponse, error) {
	if err := checkRange(r); err != nil {
		return nil, err
	}
	resp, err := s.rangeFrom(r, at, s.compactedAt(at))
	if err != nil {
		return nil, err
	}
	s.complete(resp.Header)
	return resp, nil
}

// rangeFrom reads when the store is at revision view.
func (s *Store) rangeFrom(r *pb.RangeRequest, view, compacted int64) (*pb.RangeResponse, error) {
	revision := r.Revision
	if revision <= 0 {
		revision = view
	}
	if revision > view {
		return nil, rpctypes.ErrGRPCFutureRev
	}
	if revision < compacted {
		return nil, rpctypes.ErrGRPCCompacted
	}
	kvs, count := s.collect(r, revision)
	kvs = filter(kvs, r)
	if target, order := r.SortTarget, r.SortOrder; target != pb.RangeRequest_KEY || order == pb.RangeRequest_DESCEND {
		order := sort.Interface(&byTarget{kvs, target})
		if r.SortOrder == pb.RangeRequest_DESCEND {
			order = sort.Reverse(order)
		}
		// Not stable, and the server's ties fall the way this very algorithm
		// lets them fall.
		sort.Sort(order)
	}
	resp := &pb.RangeResponse{Header: &pb.ResponseHeader{Revision: view}, Kvs: kvs, Count: count}
	if r.Limit > 0 && int64(len(kvs)) > r.Limit {
		resp.Kvs, resp.More = kvs[:r.Limit:r.Limit], true
	}
	if r.KeysOnly {
		for i, kv := range resp.Kvs {
			resp.Kvs[i] = keyOnly(kv, r)
		}
	}
	return resp, nil
}

// collect returns the pairs of a range in order of their keys, and how many
// there are in all: no more than are certainly enough, if there is a limit and
// nothing to be filtered or to be sorted.
func (s *Store) collect(r *pb.RangeRequest, revision int64) (kvs []*mvccpb.KeyValue, count int64) {
	enough := int64(math.MaxInt64)
	// A server takes any target without an order for the order of keys here,
	// and sorts by the target nevertheless: after it has cut.
	sorted := r.SortOrder != pb.RangeRequest_NONE &&
		(r.SortTarget != pb.RangeRequest_KEY || r.SortOrder != pb.RangeRequest_ASCEND)
	if r.Limit > 0 && r.Limit < math.MaxInt64 && !sorted && !filters(r) {
		enough = r.Limit + 1
	}
	if r.CountOnly {
		enough = 0
	}
	records := s.span(r.Key, r.RangeEnd)
	for _, record := range records {
		kv := record.at(revision)
		if kv == nil {
			continue
		}
		count++
		if int64(len(kvs)) >= enough {
			continue
		}
		if kvs == nil {
			kvs = make([]*mvccpb.KeyValue, 0, min(enough, int64(len(records))))
		}
		kvs = append(kvs, kv)
	}
	return kvs, count
}

func filters(r *pb.RangeRequest) bool {
	return r.MinModRevision != 0 || r.MaxModRevision != 0 || r.MinCreateRevision != 0 || r.MaxCreateRevision != 0
}

func filter(kvs []*mvccpb.KeyValue, r *pb.RangeRequest) []*mvccpb.KeyValue {
	if !filters(r) {
		return kvs
	}
	outside := func(revision, least, most int64) bool {
		return least != 0 && revision < least || most != 0 && revision > most
	}
	return slices.DeleteFunc(kvs, func(kv *mvccpb.KeyValue) bool {
		return outside(kv.ModRevision, r.MinModRevision, r.MaxModRevision) ||
			outside(kv.CreateRevision, r.MinCreateRevision, r.MaxCreateRevision)
	})
}

// keyOnly is a pair without its value. A server that need not sort by values
// does not look at the pair at all: then it cannot tell the lease either.
func keyOnly(kv *mvccpb.KeyValue, r *pb.RangeRequest) *mvccpb.KeyValue {
	only := &mvccpb.KeyValue{
		Key:            kv.Key,
		CreateRevision: kv.CreateRevision,
		ModRevision:    kv.ModRevision,
		Version:        kv.Version,
	}
	if r.SortTarget == pb.RangeRequest_VALUE {
		only.Lease = kv.Lease
	}
	return only
}

// byTarget sorts pairs in ascending order of a target.
type byTarget struct {
	kvs    []*mvccpb.KeyValue
	target pb.RangeRequest_SortTarget
}

func (b *byTarget) Len() int      { return len(b.kvs) }
func (b *byTarget) Swap(i, j int) { b.kvs[i], b.kvs[j] = b.kvs[j], b.kvs[i] }

func (b *byTarget) Less(i, j int) bool {
	x, y := b.kvs[i], b.kvs[j]
	switch b.target {
	case pb.RangeRequest_VERSION:
		return x.Version < y.Version
	case pb.RangeRequest_CREATE:
		return x.CreateRevision < y.CreateRevision
	case pb.RangeRequest_MOD:
		return x.ModRevision < y.ModRevision
	case pb.RangeRequest_VALUE:
		return bytes.Compare(x.Value, y.Value) < 0
	}
	return bytes.Compare(x.Key, y.Key) < 0
}
