package model

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/client/pkg/v3/types"
	"go.etcd.io/etcd/server/v3/config"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3rpc"
	"go.etcd.io/etcd/server/v3/features"
	"go.etcd.io/etcd/server/v3/proxy/grpcproxy/adapter"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"
)

// patience bounds every wait of these tests. It is only used up on failure.
const patience = 60 * time.Second

// server is a real etcd server, and clients of it.
type server struct {
	ctx      context.Context
	identity Config
	kv       pb.KVClient
	lease    pb.LeaseClient
	watch    pb.WatchClient
	alive    pb.Lease_LeaseKeepAliveClient
	streams  []*serverStream
	stop     func() // ends the server and its streams
}

// serverStream is a watch stream, and what came out of it.
type serverStream struct {
	stream pb.Watch_WatchClient
	news   chan struct{}

	mu   sync.Mutex
	told []*pb.WatchResponse
}

// startInside starts a server that is called and not dialled. In a synctest
// bubble it lives in virtual time, as it uses no network.
func startInside(t *testing.T, directory string) *server {
	nobody := types.MustNewURLs([]string{"http://127.0.0.1:0"})
	logger := zap.NewNop()
	etcd, err := etcdserver.NewServer(config.ServerConfig{
		Name:                       "m1",
		ClientURLs:                 nobody,
		PeerURLs:                   nobody,
		DataDir:                    directory,
		InitialPeerURLsMap:         types.URLsMap{"m1": nobody},
		InitialClusterToken:        "holdfast",
		NewCluster:                 true,
		TickMs:                     100,
		ElectionTicks:              10,
		InitialElectionTickAdvance: true,
		SnapshotCount:              etcdserver.DefaultSnapshotCount,
		SnapshotCatchUpEntries:     etcdserver.DefaultSnapshotCatchUpEntries,
		CompactionBatchLimit:       1 << 20, // in one go, or it waits in between
		MaxTxnOps:                  embed.DefaultMaxTxnOps,
		MaxRequestBytes:            embed.DefaultMaxRequestBytes,
		AuthToken:                  "simple",
		TokenTTL:                   300,
		BcryptCost:                 4,
		UnsafeNoFsync:              true,
		Logger:                     logger,
		ServerFeatureGate:          features.NewDefaultServerFeatureGate("m1", logger),
	})
	if err != nil {
		t.Fatal(err)
	}
	etcd.Start()
	t.Cleanup(etcd.HardStop)
	<-etcd.ReadyNotify()
	s := clientsOf(t, etcd,
		adapter.KvServerToKvClient(v3rpc.NewQuotaKVServer(etcd)),
		adapter.LeaseServerToLeaseClient(v3rpc.NewQuotaLeaseServer(etcd)),
		adapter.WatchServerToWatchClient(v3rpc.NewWatchServer(etcd)))
	leave := s.stop
	s.stop = func() {
		leave()
		etcd.HardStop()
	}
	return s
}

// startListening starts a server that is dialled over TCP.
func startListening(t *testing.T) *server {
	c := embed.NewConfig()
	c.Dir = t.TempDir()
	anyPort := types.MustNewURLs([]string{"http://127.0.0.1:0"})
	c.ListenPeerUrls, c.AdvertisePeerUrls = anyPort, anyPort
	c.ListenClientUrls, c.AdvertiseClientUrls = anyPort, anyPort
	c.InitialCluster = c.InitialClusterFromName(c.Name)
	c.UnsafeNoFsync = true
	c.EnableGRPCGateway = false
	c.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zap.NewNop())
	etcd, err := embed.StartEtcd(c)
	if err != nil {
		t.Fatal(err)
	}
	connection, err := grpc.NewClient(etcd.Clients[0].Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := connection.Close(); err != nil {
			t.Error(err)
		}
		etcd.Server.HardStop()
		etcd.Close()
	})
	<-etcd.Server.ReadyNotify()
	return clientsOf(t, etcd.Server,
		pb.NewKVClient(connection), pb.NewLeaseClient(connection), pb.NewWatchClient(connection))
}

func clientsOf(t *testing.T, etcd *etcdserver.EtcdServer, kv pb.KVClient, lease pb.LeaseClient, watch pb.WatchClient) *server {
	ctx, cancel := context.WithCancel(context.Background())
	s := &server{
		ctx:   ctx,
		kv:    kv,
		lease: lease,
		watch: watch,
		identity: Config{
			ClusterID: uint64(etcd.Cluster().ID()),
			MemberID:  uint64(etcd.MemberID()),
			Term:      etcd.Term(),
		},
	}
	var err error
	if s.alive, err = lease.LeaseKeepAlive(ctx); err != nil {
		t.Fatal(err)
	}
	var readers sync.WaitGroup
	for range streams {
		stream, err := watch.Watch(ctx)
		if err != nil {
			t.Fatal(err)
		}
		reader := &serverStream{stream: stream, news: make(chan struct{}, 1)}
		s.streams = append(s.streams, reader)
		readers.Go(reader.read)
	}
	s.stop = func() {
		cancel()
		readers.Wait()
	}
	t.Cleanup(s.stop)
	return s
}

func (s *serverStream) read() {
	for {
		response, err := s.stream.Recv()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.told = append(s.told, response)
		s.mu.Unlock()
		select {
		case s.news <- struct{}{}:
		default:
		}
	}
}

// take returns what was told since it was last called.
func (s *serverStream) take() []*pb.WatchResponse {
	s.mu.Lock()
	defer s.mu.Unlock()
	told := s.told
	s.told = nil
	return told
}

// until waits until what was told satisfies a condition.
func (s *serverStream) until(condition func([]*pb.WatchResponse) bool) error {
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		s.mu.Lock()
		told := slices.Clone(s.told)
		s.mu.Unlock()
		if condition(told) {
			return nil
		}
		select {
		case <-s.news:
		case <-deadline.C:
			return fmt.Errorf("not told in time; told: %v", told)
		}
	}
}

// ask sends one request and returns the response. The request may be changed.
func (s *server) ask(request proto.Message) (proto.Message, error) {
	switch r := request.(type) {
	case *pb.RangeRequest:
		return reply(s.kv.Range(s.ctx, r))
	case *pb.PutRequest:
		return reply(s.kv.Put(s.ctx, r))
	case *pb.DeleteRangeRequest:
		return reply(s.kv.DeleteRange(s.ctx, r))
	case *pb.TxnRequest:
		return reply(s.kv.Txn(s.ctx, r))
	case *pb.CompactionRequest:
		return reply(s.kv.Compact(s.ctx, r))
	case *pb.LeaseGrantRequest:
		return reply(s.lease.LeaseGrant(s.ctx, r))
	case *pb.LeaseRevokeRequest:
		return reply(s.lease.LeaseRevoke(s.ctx, r))
	case *pb.LeaseTimeToLiveRequest:
		return reply(s.lease.LeaseTimeToLive(s.ctx, r))
	case *pb.LeaseLeasesRequest:
		return reply(s.lease.LeaseLeases(s.ctx, r))
	case *pb.LeaseKeepAliveRequest:
		if err := s.alive.Send(r); err != nil {
			return nil, err
		}
		return reply(s.alive.Recv())
	}
	return nil, errors.ErrUnsupported
}

// reply keeps a nil pointer from becoming a message.
func reply[T proto.Message](response T, err error) (proto.Message, error) {
	if err != nil {
		return nil, err
	}
	return response, nil
}
