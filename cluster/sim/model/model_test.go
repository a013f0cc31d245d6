package model

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
)

// stocked returns a store with the keys a, b and c, put in this order in the
// revisions 2, 3 and 4; then a was put again in 5. Their values are 3, 2, 1
// and 4, and a has a lease.
func stocked(t *testing.T) *Store {
	t.Helper()
	s := New(Config{})
	if _, err := s.Grant(0, &pb.LeaseGrantRequest{ID: 7, TTL: 10}); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{"a3", "b2", "c1", "a4"} {
		r := &pb.PutRequest{Key: []byte(p[:1]), Value: []byte(p[1:])}
		if p[:1] == "a" {
			r.Lease = 7
		}
		if _, err := s.Put(r); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// all is the range of all keys.
func all(change func(*pb.RangeRequest)) *pb.RangeRequest {
	r := &pb.RangeRequest{Key: []byte{0}, RangeEnd: []byte{0}}
	change(r)
	return r
}

func TestRange(t *testing.T) {
	for _, c := range []struct {
		name string
		ask  *pb.RangeRequest
		want string
	}{
		{"everything", all(func(*pb.RangeRequest) {}), "a4 b2 c1; 3"},
		{"one key", &pb.RangeRequest{Key: []byte("b")}, "b2; 1"},
		{"up to a key, which is not included", &pb.RangeRequest{Key: []byte("a"), RangeEnd: []byte("c")}, "a4 b2; 2"},
		{"a range that ends before it begins", &pb.RangeRequest{Key: []byte("c"), RangeEnd: []byte("a")}, "; 0"},
		{"as it was", all(func(r *pb.RangeRequest) { r.Revision = 4 }), "a3 b2 c1; 3"},
		{"no key", &pb.RangeRequest{}, rpctypes.ErrGRPCEmptyKey.Error()},
		{"the future", all(func(r *pb.RangeRequest) { r.Revision = 6 }), rpctypes.ErrGRPCFutureRev.Error()},
		{"a limit, which the count knows nothing of", all(func(r *pb.RangeRequest) { r.Limit = 2 }), "a4 b2 more; 3"},
		{"changed lately, and the count knows nothing of that",
			all(func(r *pb.RangeRequest) { r.MinModRevision = 4 }), "a4 c1; 3"},
		{"the last in order", all(func(r *pb.RangeRequest) { r.SortOrder, r.Limit = pb.RangeRequest_DESCEND, 1 }), "c1 more; 3"},
		{"the least value", all(func(r *pb.RangeRequest) {
			r.SortTarget, r.SortOrder, r.Limit = pb.RangeRequest_VALUE, pb.RangeRequest_ASCEND, 1
		}), "c1 more; 3"},
		{"the least value, without an order: of the first keys only", all(func(r *pb.RangeRequest) {
			r.SortTarget, r.Limit = pb.RangeRequest_VALUE, 1
		}), "b2 more; 3"},
		{"keys only, sorted by their values", all(func(r *pb.RangeRequest) {
			r.KeysOnly, r.SortTarget, r.SortOrder = true, pb.RangeRequest_VALUE, pb.RangeRequest_ASCEND
		}), "c b a lease 7; 3"},
		{"keys only, without leases", all(func(r *pb.RangeRequest) { r.KeysOnly = true }), "a b c; 3"},
		{"the count only", all(func(r *pb.RangeRequest) { r.CountOnly, r.Limit = true, 1 }), "; 3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := stocked(t)
			resp, err := s.Range(c.ask, s.Revision())
			got := ""
			if err != nil {
				got = err.Error()
			} else {
				got = pairs(resp.Kvs, c.ask.KeysOnly)
				if resp.More {
					got += " more"
				}
				got += fmt.Sprintf("; %d", resp.Count)
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func pairs(kvs []*mvccpb.KeyValue, leases bool) string {
	var all []string
	for _, kv := range kvs {
		s := string(kv.Key) + string(kv.Value)
		if leases && kv.Lease != 0 {
			s += fmt.Sprintf(" lease %d", kv.Lease)
		}
		all = append(all, s)
	}
	return strings.Join(all, " ")
}

// TestLag shows a member that has not heard of the latest changes, nor of a
// compaction after them.
func TestLag(t *testing.T) {
	s := stocked(t)
	if _, err := s.Compact(&pb.CompactionRequest{Revision: 5}); err != nil {
		t.Fatal(err)
	}
	past := all(func(r *pb.RangeRequest) { r.Revision = 3 })
	if _, err := s.Range(past, 5); !errors.Is(err, rpctypes.ErrGRPCCompacted) {
		t.Errorf("up to date: %v", err)
	}
	resp, err := s.Range(past, 4)
	if err != nil || pairs(resp.Kvs, false) != "a3 b2" || resp.Header.Revision != 4 {
		t.Errorf("behind: %v, %v", resp, err)
	}
}

// TestTxn shows that all comparisons are made before anything is done, and all
// checks.
func TestTxn(t *testing.T) {
	put := func(key, value string, lease int64) *pb.RequestOp {
		return &pb.RequestOp{Request: &pb.RequestOp_RequestPut{
			RequestPut: &pb.PutRequest{Key: []byte(key), Value: []byte(value), Lease: lease}}}
	}
	within := func(r *pb.TxnRequest) *pb.RequestOp {
		return &pb.RequestOp{Request: &pb.RequestOp_RequestTxn{RequestTxn: r}}
	}
	missing := func(key string) *pb.Compare {
		return &pb.Compare{Key: []byte(key), Target: pb.Compare_VERSION, TargetUnion: &pb.Compare_Version{}}
	}
	everything := rangeOp(all(func(*pb.RangeRequest) {}))
	for _, c := range []struct {
		name string
		ask  *pb.TxnRequest
		want string // the last response, and the revision
	}{
		{"puts are seen", &pb.TxnRequest{Success: []*pb.RequestOp{put("d", "9", 0), everything}}, "a4 b2 c1 d9; 6"},
		{"but not by comparisons within", &pb.TxnRequest{Success: []*pb.RequestOp{
			put("d", "9", 0),
			within(&pb.TxnRequest{Compare: []*pb.Compare{missing("d")}, Success: []*pb.RequestOp{put("e", "8", 0)}}),
			everything,
		}}, "a4 b2 c1 d9 e8; 6"},
		{"nothing is done if anything cannot be", &pb.TxnRequest{Success: []*pb.RequestOp{
			put("d", "9", 0), put("e", "8", 77),
		}}, rpctypes.ErrGRPCLeaseNotFound.Error() + "; 5"},
		{"only what is taken is checked", &pb.TxnRequest{
			Compare: []*pb.Compare{missing("a")},
			Success: []*pb.RequestOp{put("e", "8", 77)},
			Failure: []*pb.RequestOp{everything},
		}, "a4 b2 c1; 5"},
		{"a key twice", &pb.TxnRequest{Success: []*pb.RequestOp{put("d", "9", 0), put("d", "8", 0)}},
			rpctypes.ErrGRPCDuplicateKey.Error() + "; 5"},
		{"an empty operation", &pb.TxnRequest{Success: []*pb.RequestOp{{}}}, rpctypes.ErrGRPCKeyNotFound.Error() + "; 5"},
		{"too many", &pb.TxnRequest{Success: slices.Repeat([]*pb.RequestOp{everything}, 129)},
			rpctypes.ErrGRPCTooManyOps.Error() + "; 5"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := stocked(t)
			resp, err := s.Txn(c.ask)
			got := ""
			if err != nil {
				got = err.Error()
			} else {
				got = pairs(resp.Responses[len(resp.Responses)-1].GetResponseRange().GetKvs(), false)
			}
			if got += fmt.Sprintf("; %d", s.Revision()); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestSmallestTTL shows that a server counts in whole heartbeats: 1.5 election
// timeouts, in seconds, are rounded up only then.
func TestSmallestTTL(t *testing.T) {
	for _, c := range []struct {
		election, heartbeat time.Duration
		want                int64
	}{
		{0, 0, 2},
		{500 * time.Millisecond, 100 * time.Millisecond, 1},
		{700 * time.Millisecond, 100 * time.Millisecond, 1}, // 10 heartbeats, not 10.5
		{800 * time.Millisecond, 100 * time.Millisecond, 2},
		{700 * time.Millisecond, 50 * time.Millisecond, 2}, // 21 heartbeats
		{10 * time.Second, time.Second, 15},
	} {
		resp, err := New(Config{Election: c.election, Heartbeat: c.heartbeat}).Grant(0, &pb.LeaseGrantRequest{TTL: 1})
		if err != nil || resp.TTL != c.want {
			t.Errorf("election %v, heartbeat %v: %v, %v; want %d", c.election, c.heartbeat, resp, err, c.want)
		}
	}
}

// TestLeaseLife follows a lease from its grant to its end.
func TestLeaseLife(t *testing.T) {
	s := stocked(t) // lease 7 has 10 s
	ttl := func(now time.Duration) int64 {
		resp, _ := s.TimeToLive(now, &pb.LeaseTimeToLiveRequest{ID: 7})
		return resp.TTL
	}
	expect := func(what string, got, want any) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	expect("left after half a second", ttl(500*time.Millisecond), int64(9))
	expect("left in the last second", ttl(9500*time.Millisecond), int64(0))
	renewed, _ := s.Renew(9*time.Second, &pb.LeaseKeepAliveRequest{ID: 7})
	expect("renewed", renewed.TTL, int64(10))
	s.Promote(12 * time.Second)
	due, _ := s.NextDue()
	expect("due after a new leader", due, 23*time.Second) // 10 s, and the election timeout
	expect("lapsed before", s.Lapsed(due-1, 7), false)
	expect("lapsed", s.Lapsed(due, 7), true)
	late, _ := s.Renew(due, &pb.LeaseKeepAliveRequest{ID: 7})
	expect("renewed too late", late.TTL, int64(0))
	expect("due", fmt.Sprint(s.Due(due)), "[7]")
	if _, err := s.Revoke(&pb.LeaseRevokeRequest{ID: 7}); err != nil {
		t.Fatal(err)
	}
	end := s.Changes(6, 6)
	expect("changes", len(end), 1)
	expect("deleted by", end[0].LeaseEnd, int64(7))
	expect("deleted", string(end[0].Prev.Key), "a")
	expect("left of no lease", ttl(due), int64(-1))
}

// TestChanges shows that a revision has all its changes, in order.
func TestChanges(t *testing.T) {
	s := stocked(t)
	if _, err := s.DeleteRange(&pb.DeleteRangeRequest{Key: []byte("b"), RangeEnd: []byte("z")}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range s.Changes(4, 100) {
		got = append(got, fmt.Sprintf("%d %s %t", c.Revision, c.KV.Key, c.Deleted))
	}
	if want := "[4 c false 5 a false 6 b true 6 c true]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
	if s.Changes(7, 9) != nil || s.Changes(5, 4) != nil {
		t.Error("changes of no revision")
	}
}

// TestWatch shows what a watch that starts in the past is told and when, beside
// one that starts now, and one that is too late.
func TestWatch(t *testing.T) {
	s := stocked(t)
	if _, err := s.Compact(&pb.CompactionRequest{Revision: 3}); err != nil {
		t.Fatal(err)
	}
	stream := s.NewStream()
	var told []string
	hear := func(responses []*pb.WatchResponse) {
		for _, r := range responses {
			line := fmt.Sprintf("watch %d at %d:", r.WatchId, r.Header.Revision)
			switch {
			case r.Created:
				line += " created"
			case r.Canceled:
				line += fmt.Sprintf(" ended, compacted at %d", r.CompactRevision)
			}
			for _, e := range r.Events {
				line += fmt.Sprintf(" %s %s%s", e.Type, e.Kv.Key, e.Kv.Value)
			}
			told = append(told, line)
		}
	}
	for _, start := range []int64{3, 0, 2} {
		hear(stream.Request(createRequest(&pb.WatchCreateRequest{
			Key: []byte{0}, RangeEnd: []byte{0}, StartRevision: start}), s.Revision()))
	}
	if _, err := s.Put(&pb.PutRequest{Key: []byte("b"), Value: []byte("8")}); err != nil {
		t.Fatal(err)
	}
	hear(stream.Notify(s.Revision()))
	hear(stream.CatchUp(s.Revision()))
	if _, err := s.DeleteRange(&pb.DeleteRangeRequest{Key: []byte("c")}); err != nil {
		t.Fatal(err)
	}
	hear(stream.Notify(s.Revision()))
	want := []string{
		"watch 0 at 5: created",
		"watch 1 at 5: created",
		"watch 2 at 5: created",
		"watch 1 at 6: PUT b8",
		"watch 0 at 6: PUT b2 PUT c1 PUT a4 PUT b8",
		"watch 2 at 0: ended, compacted at 3",
		"watch 0 at 7: DELETE c",
		"watch 1 at 7: DELETE c",
	}
	if !slices.Equal(told, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(told, "\n"), strings.Join(want, "\n"))
	}
}
