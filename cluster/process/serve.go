package process

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/etcd-holdfast/holdfast/cluster/members"
	"github.com/etcd-holdfast/holdfast/cluster/server"
)

// The descriptors by which a member and the process that started it speak.
const (
	specDescriptor = 3
	tellDescriptor = 4
)

// Serve is what a process in the role Role does: it is a member of a cluster that
// another process has started, until it is asked to end (SIGTERM) or cannot go on.
// It logs to stderr, and returns the exit code.
func Serve() int {
	tell := json.NewEncoder(os.NewFile(tellDescriptor, "what it tells"))
	if err := serve(tell); err != nil {
		_ = tell.Encode(told{Why: err.Error()})
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func serve(tell *json.Encoder) error {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	var spec members.Spec
	file := os.NewFile(specDescriptor, "what it has to know")
	if err := errors.Join(json.NewDecoder(file).Decode(&spec), file.Close()); err != nil {
		return fmt.Errorf("learn what to serve: %w", err)
	}
	s, err := server.Start(spec, server.NewLog(os.Stderr))
	if err != nil {
		return err
	}
	peers, clients := s.Addresses()
	if err := tell.Encode(told{Peers: peers, Clients: clients}); err != nil {
		return fmt.Errorf("tell where it listens: %w", err)
	}
	if why := s.Wait(ctx); why != nil {
		return why // and the server's remains with the process
	}
	s.Etcd.Close() // as etcd does when it is asked to end
	return nil
}
