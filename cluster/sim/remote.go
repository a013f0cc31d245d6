package sim

import (
	"context"
	"io"
	"slices"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// remote is etcd's gRPC clients of one client, below which the network is
// simulated. It retries as the interceptor of clientv3 does, which this way
// leaves out: reads, and what a lease can take twice, up to 100 times while the
// member was unavailable; nothing else. (client/v3/retry.go, retry_interceptor.go)
type remote struct {
	party *party
	// gone is closed when the client is.
	gone <-chan struct{}
	// opened are the contexts with which the watcher has opened streams: it uses
	// one for all that follow one another. The scheduler's lock guards it.
	opened map[context.Context]bool
	// watches are those that were begun and may not have ended. The scheduler's
	// lock guards them.
	watches []watch
}

// watch is one of a key, or of a range that begins with it.
type watch struct {
	ctx context.Context
	key string
}

// watching takes note of a watch.
func (r *remote) watching(w watch) {
	s := r.party.cluster.scheduler
	s.mu.Lock()
	defer s.mu.Unlock()
	r.watches = append(slices.DeleteFunc(r.watches, watch.ended), w)
}

func (w watch) ended() bool { return w.ctx.Err() != nil }

// wanted counts the watches that have not ended, by key.
func (r *remote) wanted() map[string]int {
	wanted := make(map[string]int)
	for _, w := range r.watches {
		if !w.ended() {
			wanted[w.key]++
		}
	}
	return wanted
}

// others makes the services that the simulation does not have say so.
func (r *remote) others(c *clientv3.Client) {
	c.Cluster = clientv3.NewClusterFromClusterClient(pb.NewClusterClient(absent{}), c)
	c.Maintenance = clientv3.NewMaintenanceFromMaintenanceClient(pb.NewMaintenanceClient(absent{}), c)
	c.Auth = clientv3.NewAuthFromAuthClient(pb.NewAuthClient(absent{}), c)
}

// absent is a connection on which nobody serves.
type absent struct{}

func (absent) Invoke(_ context.Context, method string, _, _ any, _ ...grpc.CallOption) error {
	return status.Errorf(codes.Unimplemented, "a simulated cluster has no %s", method)
}

func (absent) NewStream(_ context.Context, _ *grpc.StreamDesc, method string, _ ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, status.Errorf(codes.Unimplemented, "a simulated cluster has no %s", method)
}

// retries is how often clientv3 makes a call at most.
const retries = 100

// repeat makes a call that may be made again.
func repeat[A payload](ctx context.Context, r *remote, method string, request payload) (answer A, err error) {
	for attempt := range retries {
		if attempt > 0 && attempt%(len(r.party.ways)/2+1) == 0 {
			if err := r.pause(ctx, method, request); err != nil {
				return answer, err
			}
		}
		if answer, err = once[A](ctx, r, method, request); err == nil || status.Code(err) != codes.Unavailable {
			return answer, err
		}
	}
	return answer, err
}

// once makes a call.
func once[A payload](ctx context.Context, r *remote, method string, request payload) (answer A, err error) {
	if err := r.over(ctx); err != nil {
		return answer, err
	}
	s := r.party.cluster.scheduler
	x := r.party.call(method, request)
	x.given = r.given(ctx)
	if !s.post(post{party: r.party, kind: postOpen, begins: x}) {
		return answer, errUnavailable
	}
	if err := r.wait(ctx, x); err != nil {
		return answer, err
	}
	if x.err != nil {
		return answer, x.err
	}
	answer = x.reply.(A)
	r.party.answered(x)
	return answer, nil
}

// over is why nothing can be asked for any more, or nil.
func (r *remote) over(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return status.FromContextError(err).Err()
	}
	select {
	case <-r.gone:
		return errClosing
	default:
		return nil
	}
}

// given tells whether whoever asked with ctx has given up.
func (r *remote) given(ctx context.Context) func() bool {
	return func() bool { return r.over(ctx) != nil }
}

var errClosing = status.Error(codes.Canceled, "grpc: the client connection is closing")

// begin opens an exchange for the first time. One that was given up at the moment
// at which it was asked for is not begun: which of the two came first was up to the
// machine.
func (x *exchange) begin() {
	if x.given() {
		x.over = true
		return
	}
	c := x.party.cluster
	c.ids++
	x.id = c.ids
	x.open()
}

// wait returns when there is an answer, or with an error when nobody waits for
// it any more.
func (r *remote) wait(ctx context.Context, x *exchange) error {
	var err error
	select {
	case <-x.ready:
		return nil
	case <-ctx.Done():
		err = status.FromContextError(ctx.Err()).Err()
	case <-r.gone:
		err = errClosing
	}
	x.cancel()
	return err
}

// cancel tells the member that nobody waits for an exchange any more.
func (x *exchange) cancel() {
	s := x.party.cluster.scheduler
	s.mu.Lock()
	id := x.id
	s.mu.Unlock()
	s.post(post{party: x.party, kind: postCancel, stream: id, take: func() {
		x.over = true
		x.leave()
	}})
}

// pause waits as long as clientv3 does between attempts at a call.
func (r *remote) pause(ctx context.Context, method string, request payload) error {
	if err := r.over(ctx); err != nil {
		return err
	}
	woken := make(chan struct{})
	s := r.party.cluster.scheduler
	s.post(post{party: r.party, kind: postPause, text: func() []byte { return canonical(method, request) }, take: func() {
		if r.over(ctx) != nil {
			return
		}
		s.after(r.party.random.about(clientBackoff, 0.1), func() bool {
			close(woken)
			return true
		})
	}})
	select {
	case <-woken:
		return nil
	case <-ctx.Done():
		return status.FromContextError(ctx.Err()).Err()
	case <-r.gone:
		return errClosing
	}
}

const (
	kv    = "/etcdserverpb.KV/"
	lease = "/etcdserverpb.Lease/"

	// clientBackoff is clientv3's own pause between attempts.
	clientBackoff = 25 * time.Millisecond
)

func (r *remote) Range(ctx context.Context, in *pb.RangeRequest, _ ...grpc.CallOption) (*pb.RangeResponse, error) {
	return repeat[*pb.RangeResponse](ctx, r, kv+"Range", in)
}

func (r *remote) RangeStream(context.Context, *pb.RangeRequest, ...grpc.CallOption) (pb.KV_RangeStreamClient, error) {
	return nil, status.Error(codes.Unimplemented, "a simulated cluster has no "+kv+"RangeStream")
}

func (r *remote) Put(ctx context.Context, in *pb.PutRequest, _ ...grpc.CallOption) (*pb.PutResponse, error) {
	return once[*pb.PutResponse](ctx, r, kv+"Put", in)
}

func (r *remote) DeleteRange(ctx context.Context, in *pb.DeleteRangeRequest, _ ...grpc.CallOption) (*pb.DeleteRangeResponse, error) {
	return once[*pb.DeleteRangeResponse](ctx, r, kv+"DeleteRange", in)
}

func (r *remote) Txn(ctx context.Context, in *pb.TxnRequest, _ ...grpc.CallOption) (*pb.TxnResponse, error) {
	return once[*pb.TxnResponse](ctx, r, kv+"Txn", in)
}

func (r *remote) Compact(ctx context.Context, in *pb.CompactionRequest, _ ...grpc.CallOption) (*pb.CompactionResponse, error) {
	return once[*pb.CompactionResponse](ctx, r, kv+"Compact", in)
}

func (r *remote) LeaseGrant(ctx context.Context, in *pb.LeaseGrantRequest, _ ...grpc.CallOption) (*pb.LeaseGrantResponse, error) {
	return repeat[*pb.LeaseGrantResponse](ctx, r, lease+"LeaseGrant", in)
}

func (r *remote) LeaseRevoke(ctx context.Context, in *pb.LeaseRevokeRequest, _ ...grpc.CallOption) (*pb.LeaseRevokeResponse, error) {
	return repeat[*pb.LeaseRevokeResponse](ctx, r, lease+"LeaseRevoke", in)
}

func (r *remote) LeaseTimeToLive(ctx context.Context, in *pb.LeaseTimeToLiveRequest, _ ...grpc.CallOption) (*pb.LeaseTimeToLiveResponse, error) {
	return repeat[*pb.LeaseTimeToLiveResponse](ctx, r, lease+"LeaseTimeToLive", in)
}

func (r *remote) LeaseLeases(ctx context.Context, in *pb.LeaseLeasesRequest, _ ...grpc.CallOption) (*pb.LeaseLeasesResponse, error) {
	return repeat[*pb.LeaseLeasesResponse](ctx, r, lease+"LeaseLeases", in)
}

func (r *remote) LeaseKeepAlive(ctx context.Context, _ ...grpc.CallOption) (pb.Lease_LeaseKeepAliveClient, error) {
	s, err := r.stream(ctx, lease+"LeaseKeepAlive")
	if err != nil {
		return nil, err
	}
	return &keepAliveStream{s}, nil
}

func (r *remote) Watch(ctx context.Context, _ ...grpc.CallOption) (pb.Watch_WatchClient, error) {
	s, err := r.stream(ctx, "/etcdserverpb.Watch/Watch")
	if err != nil {
		return nil, err
	}
	w := &watchStream{stream: s}
	c := r.party.cluster
	c.scheduler.mu.Lock()
	defer c.scheduler.mu.Unlock()
	if w.resumes = r.opened[ctx]; !w.resumes {
		if r.opened == nil {
			r.opened = make(map[context.Context]bool)
		}
		r.opened[ctx] = true
	}
	return w, nil
}

// stream opens a stream, which waits until there is a connection.
func (r *remote) stream(ctx context.Context, method string) (*stream, error) {
	if err := r.over(ctx); err != nil {
		return nil, err
	}
	x := &exchange{party: r.party, method: method, given: r.given(ctx), ready: make(chan struct{}, 1)}
	if outgoing, ok := metadata.FromOutgoingContext(ctx); ok {
		x.needsLeader = len(outgoing.Get(rpctypes.MetadataRequireLeaderKey)) > 0
	}
	if !r.party.cluster.scheduler.post(post{party: r.party, kind: postOpen, begins: x}) {
		return nil, errUnavailable
	}
	if err := r.wait(ctx, x); err != nil {
		return nil, err
	}
	if x.err != nil {
		return nil, x.err
	}
	return &stream{remote: r, exchange: x, ctx: ctx}, nil
}

// stream is the client's end of a stream.
type stream struct {
	*exchange
	remote *remote
	ctx    context.Context
}

func (s *stream) Header() (metadata.MD, error) { return nil, nil }
func (s *stream) Trailer() metadata.MD         { return nil }
func (s *stream) Context() context.Context     { return s.ctx }
func (s *stream) SendMsg(any) error            { return status.Error(codes.Unimplemented, "SendMsg") }
func (s *stream) RecvMsg(any) error            { return status.Error(codes.Unimplemented, "RecvMsg") }

// CloseSend ends the stream: etcd's client calls it when it wants nothing more.
func (s *stream) CloseSend() error {
	s.cancel()
	return nil
}

// send sends a message: after those before it or, with a text, in the order of
// texts among those of one moment.
func (s *stream) send(p payload, text func() []byte) error {
	if s.ctx.Err() != nil {
		return io.EOF
	}
	c := s.party.cluster
	c.scheduler.mu.Lock()
	failed := s.err != nil
	sequence := uint64(0)
	if text == nil {
		s.sent++
		sequence = s.sent
	}
	c.scheduler.mu.Unlock()
	if failed || !c.scheduler.post(post{party: s.party, kind: postSend, stream: s.id, sequence: sequence, text: text, take: func() { s.say(p) }}) {
		return io.EOF // what went wrong is told by Recv
	}
	return nil
}

// receive returns the next message.
func (s *stream) receive() (payload, error) {
	for {
		s.party.cluster.scheduler.mu.Lock()
		if len(s.queue) > 0 {
			p := s.queue[0]
			s.queue = s.queue[1:]
			s.party.cluster.scheduler.mu.Unlock()
			return p, nil
		}
		err := s.err
		s.party.cluster.scheduler.mu.Unlock()
		if err != nil {
			return nil, err
		}
		if err := s.remote.wait(s.ctx, s.exchange); err != nil {
			return nil, err
		}
	}
}

type keepAliveStream struct{ *stream }

// Send sends what may be one of several at once, for which the lessor ranges over
// a map: they are put into order by what they are.
func (s *keepAliveStream) Send(r *pb.LeaseKeepAliveRequest) error {
	return s.send(r, func() []byte { return marshal(r) })
}

func (s *keepAliveStream) Recv() (*pb.LeaseKeepAliveResponse, error) {
	p, err := s.receive()
	if err != nil {
		return nil, err
	}
	return p.(*pb.LeaseKeepAliveResponse), nil
}
