// Package server runs one etcd server in this process, as a member of a cluster
// of package members.
package server

import (
	"context"
	"errors"
	"fmt"

	"go.etcd.io/etcd/server/v3/embed"

	"github.com/etcd-holdfast/holdfast/cluster/members"
)

// Server is one server from its start to its end.
type Server struct {
	// Etcd is the server itself.
	Etcd     *embed.Etcd
	fatality *fatality
}

// Start starts a server. It does not wait for it to be ready.
func Start(spec members.Spec, log *Log) (*Server, error) {
	config := etcdConfig(spec)
	logger, fatality := log.logger()
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
	return &Server{Etcd: etcd, fatality: fatality}, nil
}

// Addresses are where the server accepts its peers and its clients.
func (s *Server) Addresses() (peers, clients string) {
	return s.Etcd.Peers[0].Addr().String(), s.Etcd.Clients[0].Addr().String()
}

// Ended says why the server no longer runs, or returns nil if it does.
func (s *Server) Ended() error {
	select {
	case <-s.fatality.happened:
		return s.fatality.why
	case <-s.Etcd.Server.StopNotify():
		return errors.New("it has stopped")
	default:
		return nil
	}
}

// Ready waits until the server has joined the cluster and serves.
func (s *Server) Ready(ctx context.Context) error {
	select {
	case <-s.Etcd.Server.ReadyNotify():
		return nil
	case <-s.fatality.happened:
		return s.Ended()
	case <-s.Etcd.Server.StopNotify():
		return s.Ended()
	case <-ctx.Done():
		return fmt.Errorf("it does not serve yet, is there a quorum? %w", context.Cause(ctx))
	}
}

// Wait returns why the server has ended, when it has, or nil when ctx ends before.
func (s *Server) Wait(ctx context.Context) error {
	select {
	case <-s.fatality.happened:
		return s.Ended()
	case <-s.Etcd.Server.StopNotify():
		return s.Ended()
	case <-ctx.Done():
		return nil
	}
}

// End stops the server as abruptly as it can be stopped.
func (s *Server) End() error {
	s.Etcd.Server.HardStop()
	s.Etcd.Close()
	return nil
}
