package inquiry

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
)

const (
	// Pause is the pause between two questions to a member.
	Pause = 50 * time.Millisecond
	// patience is how long its answer may take. One that is frozen answers when it
	// goes on.
	patience = 2 * time.Second
)

// Inquiry asks one server from its start to its end.
type Inquiry struct {
	connection *grpc.ClientConn
	stop       context.CancelFunc
	asking     sync.WaitGroup
	// learn is told of each answer. served is closed when it was told of the first.
	learn  func(*etcdserverpb.StatusResponse)
	served chan struct{}

	mu   sync.Mutex
	last *etcdserverpb.StatusResponse // the last answer, nil before the first
}

// Begin begins to ask the server that accepts clients at an address, until ended is
// closed or it is. learn is told of each answer, and has been told of the first one
// before Served is closed.
func Begin(address string, ended <-chan struct{}, learn func(*etcdserverpb.StatusResponse)) (*Inquiry, error) {
	connection, err := grpc.NewClient("passthrough:///"+address,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: Pause, Multiplier: 1.2, MaxDelay: 4 * Pause},
			MinConnectTimeout: time.Second,
		}))
	if err != nil {
		return nil, err
	}
	q := &Inquiry{connection: connection, learn: learn, served: make(chan struct{})}
	ctx, cancel := context.WithCancel(context.Background())
	q.stop = cancel
	q.asking.Go(func() { q.ask(ctx, ended) })
	return q, nil
}

// ask asks until ctx ends or the server has.
func (q *Inquiry) ask(ctx context.Context, ended <-chan struct{}) {
	ticker := time.NewTicker(Pause)
	defer ticker.Stop()
	for {
		_, _ = q.once(ctx) // it may not serve yet, or stand still
		select {
		case <-ctx.Done():
			return
		case <-ended:
			return
		case <-ticker.C:
		}
	}
}

// once asks how the server stands, and keeps the answer.
func (q *Inquiry) once(ctx context.Context) (*etcdserverpb.StatusResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	answer, err := etcdserverpb.NewMaintenanceClient(q.connection).Status(ctx, &etcdserverpb.StatusRequest{})
	if err != nil {
		return nil, err
	}
	q.learn(answer)
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.last == nil {
		close(q.served)
	}
	q.last = answer
	return answer, nil
}

// Answer is the last one that the server gave, or nil.
func (q *Inquiry) Answer() *etcdserverpb.StatusResponse {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.last
}

// Served is closed once the server has answered.
func (q *Inquiry) Served() <-chan struct{} { return q.served }

// Close ends the questions, and returns when none is under way. It is called once.
func (q *Inquiry) Close() error {
	q.stop()
	err := q.connection.Close()
	q.asking.Wait()
	return err
}

// MoveLeader hands the leadership to next in good order, and returns when that says
// that it leads. all are those of all servers that run.
func MoveLeader(ctx context.Context, next *Inquiry, all []*Inquiry) error {
	target, err := next.once(ctx)
	if err != nil {
		return err
	}
	if target.Leader == target.Header.MemberId {
		return nil
	}
	old := leading(all)
	if old == nil {
		return errors.New("nobody leads")
	}
	request := &etcdserverpb.MoveLeaderRequest{TargetID: target.Header.MemberId}
	if _, err := etcdserverpb.NewMaintenanceClient(old.connection).MoveLeader(ctx, request); err != nil {
		return err
	}
	ticker := time.NewTicker(Pause / 10)
	defer ticker.Stop()
	for {
		if now, err := next.once(ctx); err == nil && now.Leader == now.Header.MemberId {
			return nil
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("it does not lead yet: %w", context.Cause(ctx))
		}
	}
}

// leading is the one that leads in the highest term, or nil.
func leading(all []*Inquiry) (leader *Inquiry) {
	term := uint64(0)
	for _, q := range all {
		if a := q.Answer(); a != nil && a.Leader == a.Header.MemberId && a.RaftTerm >= term {
			leader, term = q, a.RaftTerm
		}
	}
	return leader
}
