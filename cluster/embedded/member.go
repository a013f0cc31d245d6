package embedded

import (
	"context"
	"errors"
	"fmt"

	"go.etcd.io/etcd/server/v3/embed"
)

// member is one place in the cluster, whether a server runs there or not.
type member struct {
	name        string
	directory   string
	log         *memberLog
	peerAddress string // of the link's listener: what the others dial

	// turn is held by whoever starts or stops the server.
	turn chan struct{}

	// Guarded by Cluster.mu.
	life          *life  // nil while the member is down
	clientBackend string // where the server accepts clients, "" while down
}

// life is one server from its start to its end.
type life struct {
	etcd     *embed.Etcd
	fatality *fatality
}

// ended says why a server no longer runs, or returns nil if it does.
func (l *life) ended() error {
	select {
	case <-l.fatality.happened:
		return l.fatality.why
	case <-l.etcd.Server.StopNotify():
		return errors.New("it has stopped")
	default:
		return nil
	}
}

// ready waits until the server has joined the cluster and serves.
func (l *life) ready(ctx context.Context) error {
	select {
	case <-l.etcd.Server.ReadyNotify():
		return nil
	case <-l.fatality.happened:
		return l.ended()
	case <-l.etcd.Server.StopNotify():
		return l.ended()
	case <-ctx.Done():
		return fmt.Errorf("it does not serve yet, is there a quorum? %w", context.Cause(ctx))
	}
}

// end stops the server as abruptly as it can be stopped.
func (l *life) end() {
	l.etcd.Server.HardStop()
	l.etcd.Close()
}

// lock takes the member's turn, or fails when ctx ends.
func (m *member) lock(ctx context.Context) error {
	select {
	case m.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("it is being started or stopped: %w", context.Cause(ctx))
	}
}

func (m *member) unlock() { <-m.turn }

// begin starts a server. It does not wait for it to be ready.
func (m *member) begin(configure func(*member) *embed.Config) (*life, error) {
	config := configure(m)
	logger, fatality := m.log.logger()
	config.ZapLoggerBuilder = embed.NewZapLoggerBuilder(logger)

	var etcd *embed.Etcd
	err := errors.New("etcd gave up")
	started := make(chan struct{})
	go func() { // which ends without a result if etcd gives up
		defer close(started)
		etcd, err = embed.StartEtcd(config)
	}()
	<-started
	select {
	case <-fatality.happened:
		if etcd == nil {
			return nil, fatality.why
		}
	default:
	}
	if err != nil {
		return nil, err
	}
	return &life{etcd: etcd, fatality: fatality}, nil
}
