package model

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
)

// streams is how many watch streams there are. The first one has only one
// watch, which is told everything.
const streams = 3

// modelled is the model as the other side of a server.
type modelled struct {
	store   *Store
	streams []*Stream
	granted int64 // the ID for a lease that is granted without one

	// tamper changes the response to a request: a planted difference.
	tamper func(request, response proto.Message)
}

func newModelled(identity Config) *modelled {
	m := &modelled{}
	identity.NextID = func() int64 { return m.granted }
	m.store = New(identity)
	m.open()
	return m
}

// open opens new streams.
func (m *modelled) open() {
	m.streams = nil
	for range streams {
		m.streams = append(m.streams, m.store.NewStream())
	}
}

func (m *modelled) ask(now time.Duration, request proto.Message) (proto.Message, error) {
	response, err := m.answer(now, request)
	if m.tamper != nil && err == nil {
		response = proto.Clone(response)
		m.tamper(request, response)
	}
	return response, err
}

func (m *modelled) answer(now time.Duration, request proto.Message) (proto.Message, error) {
	s := m.store
	switch r := request.(type) {
	case *pb.RangeRequest:
		return reply(s.Range(r, s.Revision()))
	case *pb.PutRequest:
		return reply(s.Put(r))
	case *pb.DeleteRangeRequest:
		return reply(s.DeleteRange(r))
	case *pb.TxnRequest:
		return reply(s.Txn(r))
	case *pb.CompactionRequest:
		return reply(s.Compact(r))
	case *pb.LeaseGrantRequest:
		return reply(s.Grant(now, r))
	case *pb.LeaseRevokeRequest:
		return reply(s.Revoke(r))
	case *pb.LeaseTimeToLiveRequest:
		return reply(s.TimeToLive(now, r))
	case *pb.LeaseLeasesRequest:
		return reply(s.Leases(r))
	case *pb.LeaseKeepAliveRequest:
		return reply(s.Renew(now, r))
	}
	return nil, errors.ErrUnsupported
}

// told passes on what a stream tells.
func (m *modelled) told(responses []*pb.WatchResponse) []*pb.WatchResponse {
	if m.tamper == nil {
		return responses
	}
	var tampered []*pb.WatchResponse
	for _, r := range responses {
		r = proto.CloneOf(r)
		m.tamper(nil, r)
		tampered = append(tampered, r)
	}
	return tampered
}

// outcome is the response or the error of a request.
type outcome struct {
	response proto.Message
	err      error
}

func (o outcome) String() string {
	if o.err != nil {
		return fmt.Sprintf("error %v", o.err)
	}
	return text(o.response)
}

func text(m proto.Message) string {
	return fmt.Sprintf("%T{%s}", m, prototext.MarshalOptions{}.Format(m))
}

// sameOutcome returns an error that shows both if they differ.
func sameOutcome(request proto.Message, server, model outcome) error {
	same := false
	if server.err != nil || model.err != nil {
		a, b := status.Convert(server.err), status.Convert(model.err)
		same = a.Code() == b.Code() && a.Message() == b.Message()
	} else {
		canonical(server.response)
		canonical(model.response)
		same = proto.Equal(server.response, model.response)
	}
	if same {
		return nil
	}
	return fmt.Errorf("asked: %s\nserver: %s\nmodel:  %s", text(request), server, model)
}

// canonical sorts what a server tells in no order: the keys of a lease, and
// leases that expire at the same time.
func canonical(response proto.Message) {
	switch r := response.(type) {
	case *pb.LeaseTimeToLiveResponse:
		slices.SortFunc(r.Keys, bytes.Compare)
	case *pb.LeaseLeasesResponse:
		slices.SortFunc(r.Leases, func(a, b *pb.LeaseStatus) int { return cmp.Compare(a.ID, b.ID) })
	}
}

// sameTold compares what two streams told since the last time. The order is
// that of each watch; a server has none among watches.
func sameTold(server, model []*pb.WatchResponse) error {
	byWatch := func(a, b *pb.WatchResponse) int { return cmp.Compare(a.WatchId, b.WatchId) }
	slices.SortStableFunc(server, byWatch)
	slices.SortStableFunc(model, byWatch)
	same := slices.EqualFunc(server, model, func(a, b *pb.WatchResponse) bool { return proto.Equal(a, b) })
	if same {
		return nil
	}
	var b bytes.Buffer
	for _, r := range server {
		fmt.Fprintf(&b, "server: %s\n", text(r))
	}
	for _, r := range model {
		fmt.Fprintf(&b, "model:  %s\n", text(r))
	}
	return errors.New(b.String())
}

// flatten leaves of responses what does not depend on when a server had time:
// it makes one of the events of each watch, and has no revision for it.
func flatten(told []*pb.WatchResponse) []*pb.WatchResponse {
	events := map[int64]*pb.WatchResponse{}
	var flat []*pb.WatchResponse
	for _, r := range told {
		if len(r.Events) == 0 {
			flat = append(flat, r)
			continue
		}
		all := events[r.WatchId]
		if all == nil {
			all = &pb.WatchResponse{WatchId: r.WatchId, Events: []*mvccpb.Event{}}
			events[r.WatchId] = all
			flat = append(flat, all)
		}
		all.Events = append(all.Events, r.Events...)
	}
	return flat
}
