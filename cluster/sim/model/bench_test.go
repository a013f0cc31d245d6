package model

import (
	"fmt"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
)

// BenchmarkLock is what a cluster is asked while clients take one lock in
// turn, as etcd's own lock does it: each grants a lease, puts a key in a
// transaction, watches the key before its own, and is told when that goes.
func BenchmarkLock(b *testing.B) {
	const clients, rounds = 5, 20
	b.ReportAllocs()
	for b.Loop() {
		s := New(Config{})
		stream := s.NewStream()
		for id := range int64(clients) {
			_, _ = s.Grant(0, &pb.LeaseGrantRequest{ID: id + 1, TTL: 10})
		}
		for round := range rounds {
			now := time.Duration(round) * time.Second
			for id := range int64(clients) {
				key := fmt.Appendf(nil, "lock/%x", id+1)
				_, _ = s.Renew(now, &pb.LeaseKeepAliveRequest{ID: id + 1})
				_, _ = s.Txn(&pb.TxnRequest{
					Compare: []*pb.Compare{{Key: key, Target: pb.Compare_CREATE, TargetUnion: &pb.Compare_CreateRevision{}}},
					Success: []*pb.RequestOp{
						{Request: &pb.RequestOp_RequestPut{RequestPut: &pb.PutRequest{Key: key, Lease: id + 1}}},
						rangeOp(&pb.RangeRequest{Key: []byte("lock/"), RangeEnd: []byte("lock0"), Limit: 1,
							SortTarget: pb.RangeRequest_CREATE, SortOrder: pb.RangeRequest_ASCEND}),
					},
				})
				stream.Request(createRequest(&pb.WatchCreateRequest{Key: key}), s.Revision())
			}
			for id := range int64(clients) {
				_, _ = s.DeleteRange(&pb.DeleteRangeRequest{Key: fmt.Appendf(nil, "lock/%x", id+1)})
				for _, r := range stream.Advance(s.Revision()) {
					stream.Request(&pb.WatchRequest{RequestUnion: &pb.WatchRequest_CancelRequest{
						CancelRequest: &pb.WatchCancelRequest{WatchId: r.WatchId}}}, s.Revision())
				}
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*clients*rounds*5), "ns/request")
}

// BenchmarkRandom is one request of the random sequences that the model is
// compared with a server on.
func BenchmarkRandom(b *testing.B) {
	m := newModelled(Config{})
	g := newGenerator(1, m.store)
	b.ReportAllocs()
	for b.Loop() {
		if m.store.Revision() > 500 {
			b.StopTimer()
			m = newModelled(Config{})
			g.store = m.store
			b.StartTimer()
		}
		m.granted++
		_, _ = m.answer(0, g.request())
	}
}
