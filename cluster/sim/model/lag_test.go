package model

import (
	"slices"
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/protobuf/proto"
)

// history has a random sequence happen to a model alone. It calls after each
// request.
func history(seed uint64, steps int, after func(g *generator, m *modelled, request, response proto.Message, err error)) {
	m := newModelled(Config{})
	g := newGenerator(seed, m.store)
	for range steps {
		m.granted++
		request := g.request()
		response, err := m.answer(0, request)
		after(g, m, request, response, err)
	}
}

// TestDeterministic shows that the same calls get the same answers, to the
// byte.
func TestDeterministic(t *testing.T) {
	seed := seedOf(t)
	tell := func() (told []string) {
		var streams []*Stream
		history(seed, 5_000, func(g *generator, m *modelled, request, response proto.Message, err error) {
			told = append(told, text(request), outcome{response, err}.String())
			if len(streams) < 3 {
				streams = append(streams, m.store.NewStream())
			}
			at := m.store.Revision()
			for _, s := range streams {
				for _, r := range append(s.Request(g.watch(s), at), s.Advance(at)...) {
					told = append(told, text(r))
				}
			}
		})
		return told
	}
	first, second := tell(), tell()
	if i := firstDifference(first, second); i >= 0 {
		t.Fatalf("line %d: %s\nthe second time: %s", i, first[i], second[i])
	}
}

// firstDifference is the index of the first elements that differ, or -1.
func firstDifference(a, b []string) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	if len(a) != len(b) {
		return min(len(a), len(b)) - 1
	}
	return -1
}

// TestLaggingReads shows that a member that lags answers what an up-to-date one
// answered at that time.
func TestLaggingReads(t *testing.T) {
	type read struct {
		request proto.Message
		at      int64
		was     outcome
	}
	var reads []read
	var store *Store
	history(seedOf(t), 5_000, func(_ *generator, m *modelled, request, response proto.Message, err error) {
		store = m.store
		if txn, is := request.(*pb.TxnRequest); is && !ReadOnly(txn) {
			return
		}
		switch request.(type) {
		case *pb.RangeRequest, *pb.TxnRequest:
			reads = append(reads, read{request, store.Revision(), outcome{response, err}})
		}
	})
	again := 0
	for _, r := range reads {
		// Only up to the last one at its revision is it clear what a member
		// had heard of.
		if slices.ContainsFunc(store.compactions, func(c compaction) bool { return c.at == r.at }) {
			continue
		}
		var now outcome
		switch request := r.request.(type) {
		case *pb.RangeRequest:
			now.response, now.err = reply(store.Range(request, r.at))
		case *pb.TxnRequest:
			now.response, now.err = reply(store.TxnAt(request, r.at))
		}
		if err := sameOutcome(r.request, r.was, now); err != nil {
			t.Fatalf("at revision %d of %d: first, and later:\n%v", r.at, store.Revision(), err)
		}
		again++
	}
	if again < 100 {
		t.Fatalf("only %d reads were repeated", again)
	}
}

// TestLaggingWatches shows that it does not matter to a synced watch how often
// Notify is called.
func TestLaggingWatches(t *testing.T) {
	var often, seldom []string
	var prompt, late *Stream
	history(seedOf(t), 5_000, func(g *generator, m *modelled, _, _ proto.Message, _ error) {
		at := m.store.Revision()
		if prompt == nil {
			prompt, late = m.store.NewStream(), m.store.NewStream()
			for _, r := range []*pb.WatchCreateRequest{
				{Key: []byte{0}, RangeEnd: []byte{0}, PrevKv: true},
				{Key: []byte("k/"), RangeEnd: []byte("k0"), Filters: []pb.WatchCreateRequest_FilterType{pb.WatchCreateRequest_NOPUT}},
				{Key: []byte("a"), StartRevision: 100},
			} {
				prompt.Request(createRequest(r), at)
				late.Request(createRequest(r), at)
			}
		}
		for _, r := range prompt.Notify(at) {
			often = append(often, text(r))
		}
		if g.one(50) {
			for _, r := range late.Notify(at) {
				seldom = append(seldom, text(r))
			}
		}
	})
	if i := firstDifference(often[:len(seldom)], seldom); i >= 0 {
		t.Fatalf("response %d:\noften:  %s\nseldom: %s", i, often[i], seldom[i])
	}
	if len(seldom) < 100 {
		t.Fatalf("only %d responses", len(seldom))
	}
}
