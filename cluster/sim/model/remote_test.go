package model

import (
	"context"
	"fmt"
	"slices"
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/protobuf/proto"
)

// TestAgainstEtcdOverGRPC is TestAgainstEtcd with a server that is dialled, in
// real time: errors and watches are as clients get them. Nothing is compared
// that depends on how fast it is: what is left of a TTL, and how events are
// distributed over responses.
func TestAgainstEtcdOverGRPC(t *testing.T) {
	steps := 5_000
	if testing.Short() {
		steps = 500
	}
	t.Parallel()
	seed := seedOf(t)
	real := startListening(t)
	r := &remote{server: real, model: newModelled(real.identity)}
	r.generator = newGenerator(seed, r.model.store)
	r.shortest = 100_000 // none expires
	// There is something to be told.
	if err := r.ask(&pb.PutRequest{Key: []byte("a")}); err != nil {
		t.Fatal(err)
	}
	for i := range steps {
		if err := r.step(); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
	}
	// What comes after this was told too late, or too much.
	for range 2 {
		if err := r.ask(&pb.PutRequest{Key: []byte("a")}); err != nil {
			t.Fatal(err)
		}
		if err := r.settle(); err != nil {
			t.Fatal(err)
		}
	}
}

// remote is a model beside a server in real time.
type remote struct {
	*generator
	server *server
	model  *modelled
	// told is what the model's streams told since they were compared.
	told [streams][]*pb.WatchResponse
}

func (r *remote) step() error {
	if r.one(30) {
		stream := r.IntN(streams)
		request := r.watch(r.model.streams[stream])
		if request.GetProgressRequest() != nil {
			return nil // answered or not: a matter of time
		}
		return r.watchNow(stream, request)
	}
	request := r.request()
	if _, is := request.(*pb.CompactionRequest); is {
		if err := r.settle(); err != nil {
			return err
		}
	}
	return r.ask(request)
}

func (r *remote) ask(request proto.Message) error {
	var real, model outcome
	real.response, real.err = r.server.ask(request)
	r.model.granted = -1
	if granted, is := real.response.(*pb.LeaseGrantResponse); is {
		r.model.granted = granted.ID
	}
	model.response, model.err = r.model.ask(0, request)
	for _, o := range []outcome{real, model} {
		if left, is := o.response.(*pb.LeaseTimeToLiveResponse); is {
			left.TTL = min(left.TTL, 1)
		}
	}
	return sameOutcome(request, real, model)
}

// watchNow makes a request to a stream that is up to date, and waits until it
// is carried out.
func (r *remote) watchNow(stream int, request *pb.WatchRequest) error {
	if err := r.settle(); err != nil {
		return err
	}
	if err := r.server.streams[stream].stream.Send(request); err != nil {
		return err
	}
	model := r.model.streams[stream].Request(request, r.store.Revision())
	r.told[stream] = append(r.told[stream], model...)
	return r.server.streams[stream].until(func(real []*pb.WatchResponse) bool { return len(real) >= len(model) })
}

// settle waits until the server's streams have told as much as the model's,
// and compares them.
func (r *remote) settle() error {
	if slices.ContainsFunc(r.model.streams, (*Stream).Behind) {
		if err := r.look(); err != nil {
			return err
		}
	}
	for i, stream := range r.model.streams {
		model := flatten(append(r.told[i], stream.Advance(r.store.Revision())...))
		r.told[i] = nil
		err := r.server.streams[i].until(func(real []*pb.WatchResponse) bool { return size(flatten(real)) >= size(model) })
		if err != nil {
			return fmt.Errorf("stream %d: %w; the model: %v", i, err, model)
		}
		if err := sameTold(flatten(r.server.streams[i].take()), model); err != nil {
			return fmt.Errorf("stream %d:\n%w", i, err)
		}
	}
	return nil
}

// look waits until the server has looked for watches that are behind, which
// cannot be seen of one that has nothing to be told. It opens one that has.
func (r *remote) look() error {
	ctx, cancel := context.WithTimeout(r.server.ctx, patience)
	defer cancel()
	stream, err := r.server.watch.Watch(ctx)
	if err != nil {
		return err
	}
	all := createRequest(&pb.WatchCreateRequest{Key: []byte{0}, RangeEnd: []byte{0}, StartRevision: r.store.Revision()})
	if err := stream.Send(all); err != nil {
		return err
	}
	for {
		told, err := stream.Recv()
		if err != nil || len(told.Events) > 0 {
			return err
		}
	}
}

// size is how many responses there are that have no event, and how many events.
func size(told []*pb.WatchResponse) (n int) {
	for _, r := range told {
		n += max(1, len(r.Events))
	}
	return n
}
