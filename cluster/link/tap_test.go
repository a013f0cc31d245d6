package link

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

// member is a gRPC server that counts the transactions that it applied.
type member struct {
	etcdserverpb.UnimplementedKVServer
	applied atomic.Int64
}

func (m *member) Txn(context.Context, *etcdserverpb.TxnRequest) (*etcdserverpb.TxnResponse, error) {
	m.applied.Add(1)
	return &etcdserverpb.TxnResponse{Succeeded: true}, nil
}

func (m *member) Put(context.Context, *etcdserverpb.PutRequest) (*etcdserverpb.PutResponse, error) {
	return nil, status.Error(codes.FailedPrecondition, "refused")
}

// calling is a road to such a member and a client on it.
type calling struct {
	member  *member
	network *Network
	link    *Link
	kv      etcdserverpb.KVClient
}

func newCalling(t testing.TB) *calling {
	t.Helper()
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &calling{member: &member{}, network: NewNetwork()}
	server := grpc.NewServer()
	etcdserverpb.RegisterKVServer(server, c.member)
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(socket) })
	t.Cleanup(func() {
		_ = c.network.Close()
		server.Stop()
		serving.Wait()
	})
	addr, err := c.network.Listen("c", "m", socket.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c.link = c.network.Link("c", "m")
	conn, err := grpc.NewClient("passthrough:///"+addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	c.kv = etcdserverpb.NewKVClient(conn)
	return c
}

func (c *calling) txn(ctx context.Context) error {
	_, err := c.kv.Txn(ctx, &etcdserverpb.TxnRequest{})
	return err
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func TestATapSeesRequestsAndAnswersInTheirOrder(t *testing.T) {
	c := newCalling(t)
	if err := c.txn(within(t)); err != nil { // before the tap: the connection is followed all the same
		t.Fatal(err)
	}
	var mu sync.Mutex
	var seen []string
	remove := c.link.Tap(func(m Message) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, fmt.Sprintf("%s %v, %d applied", m.Call(), m.Direction, c.member.applied.Load()))
	})
	if err := c.txn(within(t)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.kv.Put(within(t), &etcdserverpb.PutRequest{}); status.Code(err) != codes.FailedPrecondition {
		t.Fatal(err)
	}
	remove()
	if err := c.txn(within(t)); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	want := "[Txn to target, 1 applied Txn to dialler, 2 applied Put to target, 2 applied]"
	if got := fmt.Sprint(seen); got != want {
		t.Errorf("seen %v, want %v: requests before they are applied, answers after, errors not", got, want)
	}
	if s := c.link.Stats(); c.link.Requests() != 4 || s.Requests != 4 || s.Blind != 0 {
		t.Errorf("%d requests, want 4; %+v", c.link.Requests(), s)
	}
}

// A tap cuts the very link whose bytes it is shown: an answer is lost although
// the request was applied, and a request is lost before.
func TestATapCutsBeforeTheMessageHasPassed(t *testing.T) {
	for direction, applied := range map[Direction]int64{ToTarget: 0, ToDialler: 1} {
		t.Run(direction.String(), func(t *testing.T) {
			c := newCalling(t)
			lifts := make(chan func(), 1)
			var once sync.Once
			defer c.link.Tap(func(m Message) {
				if m.Direction == direction {
					once.Do(func() { lifts <- c.link.Impose(Condition{Cut: true}) })
				}
			})()
			if err := c.txn(within(t)); status.Code(err) != codes.Unavailable {
				t.Errorf("the call ended with %v", err)
			}
			if n := c.member.applied.Load(); n != applied {
				t.Errorf("%d were applied, want %d", n, applied)
			}
			(<-lifts)()
			eventually(t, "it serves again", func() bool { return c.txn(within(t)) == nil })
		})
	}
}

// A tap stalls the very link and direction whose bytes it is shown, while
// others write in it too.
func TestATapStallsTheMessageItself(t *testing.T) {
	for _, direction := range []Direction{ToTarget, ToDialler} {
		t.Run(direction.String(), func(t *testing.T) {
			c := newCalling(t)
			ctx := within(t)
			if err := c.txn(ctx); err != nil {
				t.Fatal(err)
			}
			lifts := make(chan func(), 1)
			var once sync.Once
			defer c.link.Tap(func(m Message) {
				if m.Direction == direction {
					once.Do(func() { lifts <- c.link.Impose(Stall(direction)) })
				}
			})()
			results := make(chan error, 20)
			for range cap(results) {
				go func() { results <- c.txn(ctx) }()
			}
			lift := <-lifts
			eventually(t, "bytes are held", func() bool { return c.link.Stats().Held.In(direction) > 0 })
			passed := c.link.Stats().Passed.In(direction)
			applied := c.member.applied.Load()
			select {
			case err := <-results:
				if direction == ToTarget && applied == 1 || err != nil {
					t.Errorf("a call ended with %v", err)
				}
				results <- err // it had passed before
			default:
			}
			if now := c.link.Stats().Passed.In(direction); now != passed {
				t.Errorf("%d bytes passed after the stall was in force", now-passed)
			}
			lift()
			for range cap(results) {
				if err := <-results; err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// Nothing gets past a message that is being shown, in its direction.
func TestNothingOvertakesAShownMessage(t *testing.T) {
	c := newCalling(t)
	ctx := within(t)
	shown, goOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	defer c.link.Tap(func(m Message) {
		if m.Direction == ToTarget {
			once.Do(func() { close(shown); <-goOn })
		}
	})()
	results := make(chan error, 2)
	go func() { results <- c.txn(ctx) }()
	<-shown
	before := c.link.Stats().Passed.ToTarget
	go func() { results <- c.txn(ctx) }()
	// The second call's bytes are in the link's socket once its client has
	// written them; what has passed stays as it was however long that takes.
	for range 100 {
		if s := c.link.Stats(); s.Passed.ToTarget != before || c.member.applied.Load() != 0 {
			t.Fatalf("%+v, %d applied", s, c.member.applied.Load())
		}
	}
	close(goOn)
	for range 2 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if n := c.member.applied.Load(); n != 2 {
		t.Errorf("%d applied", n)
	}
}

// The network closes while a tap runs, and waits for it.
func TestCloseWaitsForATap(t *testing.T) {
	c := newCalling(t)
	shown, goOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	var returned atomic.Bool
	c.link.Tap(func(Message) {
		once.Do(func() {
			close(shown)
			<-goOn
			returned.Store(true)
		})
	})
	result := make(chan error, 1)
	go func() { result <- c.txn(within(t)) }()
	<-shown
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		_ = c.network.Close()
	}()
	if err := <-result; status.Code(err) != codes.Unavailable { // its connection was reset meanwhile
		t.Errorf("the call ended with %v", err)
	}
	close(goOn)
	<-closed
	if !returned.Load() {
		t.Error("Close returned before the tap did")
	}
}

// Whatever passes a tapped link arrives as it was sent.
func TestBytesPassUnchangedBesideATap(t *testing.T) {
	for seed := range uint64(20) {
		choice := rand.New(rand.NewPCG(seed, 2))
		s := newSpeaker(choice)
		s.WriteString("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
		for i := range uint32(50) {
			s.open(2*i+1, watchMethod)
			for _, write := range s.pieces(2*i+1, prefixed(make([]byte, choice.IntN(2000)), false)) {
				write()
			}
		}
		if seed%2 == 1 { // from somewhere on it is not understood
			tail := s.Bytes()[choice.IntN(s.Len()):]
			for i := range tail {
				tail[i] = byte(choice.Uint32())
			}
		}
		sent := bytes.Clone(s.Bytes())
		r := newRoad(t)
		var shown atomic.Int64
		r.link.Tap(func(Message) { shown.Add(1) })
		dialler, target := r.connect(t)
		go func() {
			for rest := sent; len(rest) > 0; {
				n := 1 + choice.IntN(len(rest))
				if _, err := dialler.Write(rest[:n]); err != nil {
					return
				}
				rest = rest[n:]
			}
			_ = dialler.CloseWrite()
		}()
		got, err := io.ReadAll(target)
		if err != nil || !bytes.Equal(got, sent) {
			t.Fatalf("seed %d: %d bytes of %d, %v", seed, len(got), len(sent), err)
		}
		if seed%2 == 0 && shown.Load() != 50 {
			t.Errorf("seed %d: %d shown", seed, shown.Load())
		}
	}
}

// What is not understood is said to be so.
func TestABlindTapSaysSo(t *testing.T) {
	r := newRoad(t)
	r.link.Tap(func(m Message) { t.Errorf("shown: %v", m) })
	dialler, target := r.connect(t)
	write(t, dialler, "GET / HTTP/1.1\r\n\r\n")
	expect(t, target, "GET / HTTP/1.1\r\n\r\n")
	if s := r.link.Stats(); s.Blind != 1 {
		t.Errorf("%+v", s)
	}
}
