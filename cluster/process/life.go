package process

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/etcd-holdfast/holdfast/internal/offspring"
)

const (
	// askPause is the pause between two questions to a member how it stands.
	askPause = 50 * time.Millisecond
	// askPatience is how long its answer may take. One that is frozen answers when
	// it goes on.
	askPatience = 2 * time.Second
)

// life is one process of a member from its start to its end.
type life struct {
	process        *offspring.Process
	peers, clients string // where it accepts them
	// gate is what its calls that wait for the disk pass, if any do.
	gate *gate
	// why, if the process has ended, says why as far as it is known.
	why func() string

	// connection leads to the member directly, past all links.
	connection *grpc.ClientConn
	stop       context.CancelFunc
	asking     sync.WaitGroup
	// learn is told of each answer. served is closed when it was told of the first.
	learn  func(*etcdserverpb.StatusResponse)
	served chan struct{}

	mu   sync.Mutex
	last *etcdserverpb.StatusResponse // the last answer, nil before the first
}

// newLife begins to ask a process how it stands. learn is told of each answer, and
// has been told of the first one before the member is ready.
func newLife(process *offspring.Process, gate *gate, peers, clients string, why func() string, learn func(*etcdserverpb.StatusResponse)) (*life, error) {
	connection, err := grpc.NewClient("passthrough:///"+clients,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: askPause, Multiplier: 1.2, MaxDelay: 4 * askPause},
			MinConnectTimeout: time.Second,
		}))
	if err != nil {
		return nil, err
	}
	l := &life{process: process, gate: gate, peers: peers, clients: clients, why: why, connection: connection, learn: learn, served: make(chan struct{})}
	ctx, cancel := context.WithCancel(context.Background())
	l.stop = cancel
	l.asking.Go(func() { l.ask(ctx) })
	return l, nil
}

// ask asks the member how it stands until ctx ends or it has.
func (l *life) ask(ctx context.Context) {
	ticker := time.NewTicker(askPause)
	defer ticker.Stop()
	for {
		_, _ = l.askOnce(ctx) // it may not serve yet, or stand still
		select {
		case <-ctx.Done():
			return
		case <-l.process.Done():
			return
		case <-ticker.C:
		}
	}
}

// askOnce asks the member how it stands, and keeps the answer.
func (l *life) askOnce(ctx context.Context) (*etcdserverpb.StatusResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	answer, err := etcdserverpb.NewMaintenanceClient(l.connection).Status(ctx, &etcdserverpb.StatusRequest{})
	if err != nil {
		return nil, err
	}
	l.learn(answer)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last == nil {
		close(l.served)
	}
	l.last = answer
	return answer, nil
}

// answer is the last one that the member gave, or nil.
func (l *life) answer() *etcdserverpb.StatusResponse {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}

// Addresses are where the member accepts its peers and its clients.
func (l *life) Addresses() (peers, clients string) { return l.peers, l.clients }

// runs is true until the process has ended.
func (l *life) runs() bool {
	select {
	case <-l.process.Done():
		return false
	default:
		return true
	}
}

// Ended says why the process no longer runs, or returns nil if it does.
func (l *life) Ended() error {
	if l.runs() {
		return nil
	}
	how := "exit code 0"
	if err := l.process.Err(); err != nil {
		how = err.Error()
	}
	if why := l.why(); why != "" {
		how += ": " + why
	}
	return fmt.Errorf("its process has ended: %s", how)
}

// Ready waits until the member serves.
func (l *life) Ready(ctx context.Context) error {
	if !l.runs() { // however often it has served
		return l.Ended()
	}
	select {
	case <-l.served:
		return nil
	case <-l.process.Done():
		return l.Ended()
	case <-ctx.Done():
		return fmt.Errorf("it does not serve yet, is there a quorum? %w", context.Cause(ctx))
	}
}

// End kills the process.
func (l *life) End() error { return errors.Join(l.process.Kill(), l.forget()) }

// forget ends the questions to a process that has ended.
func (l *life) forget() error {
	l.stop()
	err := l.connection.Close()
	l.asking.Wait()
	return errors.Join(err, l.gate.close())
}
