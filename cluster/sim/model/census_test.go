package model

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// census counts what happened in a random sequence: agreement on what never
// happened is worth nothing.
type census map[string]int

func (c census) String() string {
	var b strings.Builder
	for _, what := range slices.Sorted(maps.Keys(c)) {
		fmt.Fprintf(&b, "%8d %s\n", c[what], what)
	}
	return b.String()
}

func (c census) outcome(request proto.Message, o outcome) {
	name := string(request.ProtoReflect().Descriptor().Name())
	if o.err != nil {
		c[name+": "+status.Convert(o.err).Message()]++
		return
	}
	c[name]++
	switch r := o.response.(type) {
	case *pb.RangeResponse:
		c.when(r.More, "more than the limit")
		c.when(len(r.Kvs) > 1, "range of several keys")
	case *pb.TxnResponse:
		c.when(r.Succeeded, "transaction succeeded")
		c.when(!r.Succeeded, "transaction failed")
		for _, op := range r.Responses {
			c.when(op.GetResponseTxn() != nil, "transaction within a transaction")
		}
	case *pb.LeaseTimeToLiveResponse:
		c.when(r.TTL < 0, "time to live of no lease")
		c.when(r.TTL == 0, "time to live of a lease in its last second")
		c.when(len(r.Keys) > 1, "several keys of a lease")
	case *pb.LeaseKeepAliveResponse:
		c.when(r.TTL == 0, "renewal of no lease")
	}
}

func (c census) told(responses []*pb.WatchResponse) {
	for _, r := range responses {
		switch {
		case r.CancelReason != "":
			c["watch refused: "+r.CancelReason]++
		case r.Created:
			c["watch created"]++
		case r.CompactRevision != 0:
			c["watch ended by compaction"]++
		case r.Canceled:
			c["watch cancelled"]++
		case len(r.Events) == 0:
			c["watch progress"]++
		}
		first := int64(0)
		for _, e := range r.Events {
			c.when(e.Type == mvccpb.Event_PUT, "event put")
			c.when(e.Type == mvccpb.Event_DELETE, "event delete")
			c.when(e.PrevKv != nil, "event with the pair before")
			c.when(first > 0 && e.Kv.ModRevision > first, "event of a later revision in one response")
			if first == 0 {
				first = e.Kv.ModRevision
			}
			c.when(e.Kv.ModRevision < r.Header.Revision, "event of a past revision")
		}
	}
}

func (c census) add(other census) {
	for what, often := range other {
		c[what] += often
	}
}

func (c census) when(happened bool, what string) {
	if happened {
		c[what]++
	}
}

// wanted is what a long sequence has to meet.
var wanted = []string{
	"more than the limit", "range of several keys",
	"transaction succeeded", "transaction failed", "transaction within a transaction",
	"time to live of no lease", "time to live of a lease in its last second", "several keys of a lease",
	"renewal of no lease", "late renewal", "expiry", "expiry of several at once",
	"watch created", "watch cancelled", "watch ended by compaction", "watch progress",
	"watch refused: " + reasonEmptyRange, "watch refused: " + reasonDuplicateID,
	"event put", "event delete", "event with the pair before", "event of a past revision",
	"event of a later revision in one response",
}

func (c census) missing() []string {
	var none []string
	for _, what := range wanted {
		if c[what] == 0 {
			none = append(none, what)
		}
	}
	return none
}
