package model

import (
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"google.golang.org/protobuf/proto"
)

// change makes a planted difference of a change of one kind of response.
func change[T proto.Message](plant func(T)) func(request, response proto.Message) {
	return func(_, response proto.Message) {
		if r, is := response.(T); is {
			plant(r)
		}
	}
}

// planted are differences in what the model answers, each small, and each in
// one field.
var planted = map[string]func(request, response proto.Message){
	"a range that counts one more":          change(func(r *pb.RangeResponse) { r.Count++ }),
	"a range that never says there is more": change(func(r *pb.RangeResponse) { r.More = false }),
	"keys-only pairs that have leases": func(request, response proto.Message) {
		if asked, is := request.(*pb.RangeRequest); is && asked.KeysOnly {
			for _, kv := range response.(*pb.RangeResponse).Kvs {
				kv.Lease++
			}
		}
	},
	"pairs without a version": change(func(r *pb.RangeResponse) {
		for _, kv := range r.Kvs {
			kv.Version = 0
		}
	}),
	"a put one revision later":            change(func(r *pb.PutResponse) { r.Header.Revision++ }),
	"a put without the pair before":       change(func(r *pb.PutResponse) { r.PrevKv = nil }),
	"a deletion without the pairs before": change(func(r *pb.DeleteRangeResponse) { r.PrevKvs = nil }),
	"a deletion that counts one more":     change(func(r *pb.DeleteRangeResponse) { r.Deleted++ }),
	"a transaction that always succeeds":  change(func(r *pb.TxnResponse) { r.Succeeded = true }),
	"a transaction within that tells the revision": change(func(r *pb.TxnResponse) {
		for _, op := range r.Responses {
			if inner := op.GetResponseTxn(); inner != nil {
				inner.Header.Revision = r.Header.Revision
			}
		}
	}),
	"a lease of one second more":      change(func(r *pb.LeaseGrantResponse) { r.TTL++ }),
	"a renewal that always succeeds":  change(func(r *pb.LeaseKeepAliveResponse) { r.TTL = max(r.TTL, 1) }),
	"a second more to live":           change(func(r *pb.LeaseTimeToLiveResponse) { r.TTL++ }),
	"a lease without keys":            change(func(r *pb.LeaseTimeToLiveResponse) { r.Keys = nil }),
	"a lease too many":                change(func(r *pb.LeaseLeasesResponse) { r.Leases = append(r.Leases, &pb.LeaseStatus{}) }),
	"another cluster":                 change(func(r *pb.CompactionResponse) { r.Header.ClusterId++ }),
	"another member":                  change(func(r *pb.LeaseRevokeResponse) { r.Header.MemberId++ }),
	"another term":                    change(func(r *pb.WatchResponse) { r.Header.RaftTerm++ }),
	"a watch told one revision later": change(func(r *pb.WatchResponse) { r.Header.Revision++ }),
	"a watch that sees only puts": change(func(r *pb.WatchResponse) {
		for _, e := range r.Events {
			e.Type = mvccpb.Event_PUT
		}
	}),
	"a watch that is not told the pair before": change(func(r *pb.WatchResponse) {
		for _, e := range r.Events {
			e.PrevKv = nil
		}
	}),
	"a watch that is not told why it ends": change(func(r *pb.WatchResponse) { r.CompactRevision = 0 }),
}

// TestPlanted shows that the comparison can fail: a model that answers one
// thing wrongly is found out.
func TestPlanted(t *testing.T) {
	const steps = 10_000
	for name, plant := range planted {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(d *duel) {
				d.model.tamper = plant
				if d.play(steps) == nil {
					t.Error("no difference was reported")
				}
			})
		})
	}
}

// TestPlantedState is TestPlanted for differences in what the model does.
func TestPlantedState(t *testing.T) {
	const steps = 10_000
	for name, plant := range map[string]func(*Store){
		"another limit of operations": func(s *Store) { s.config.MaxTxnOps++ },
		"a smaller TTL":               func(s *Store) { s.minTTL-- },
		"another first revision":      func(s *Store) { s.revision++; s.first = append(s.first, 0) },
		"a lease nobody granted":      func(s *Store) { s.leases = []*lease{{id: 5, ttl: 1e6, expiry: 1e18}} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(d *duel) {
				plant(d.store)
				if d.play(steps) == nil {
					t.Error("no difference was reported")
				}
			})
		})
	}
}
