package workloads

import (
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/internal/monotonic"
	"github.com/etcd-holdfast/holdfast/workloads/internal/wire"
)

// ServeClient is what the process does that Env.Launch starts for a client: it
// asks the harness, over conn, who it is, works as that client, and returns when
// its work is over, the harness has closed the connection, or ctx has ended. find
// returns a subject by its name. An error says why it could not be a client.
//
// A call of the subject that does not return is left behind: the caller ends the
// process.
func ServeClient(ctx context.Context, conn io.ReadWriteCloser, find func(name string) (Subject, bool)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	h := newHarness(conn)
	defer h.close()
	var a wire.Assignment
	if err := h.ask("Hello", wire.Protocol, &a); err != nil {
		return fmt.Errorf("ask the harness who to be: %w", err)
	}
	m, err := h.member(ctx, &a, find)
	if err != nil {
		return errors.Join(err, h.tell("Refuse", err.Error()))
	}
	if err := h.tell("Ready", true); err != nil {
		m.close()
		return fmt.Errorf("tell the harness that the client is ready: %w", err)
	}
	stop, lost := h.wait(wire.Stop)
	served := make(chan error, 1)
	go func() { served <- m.serve() }()
	select {
	case err = <-served:
	case <-lost:
		m.abort()
		return nil
	case <-stop:
		m.abort()
		select {
		case err = <-served:
		case <-lost:
			return nil
		}
	case <-ctx.Done():
		m.abort()
		return ctx.Err()
	}
	m.close()
	failure := ""
	if err != nil && !errors.Is(err, errDead) {
		failure = err.Error()
	}
	_ = h.tell("Over", failure) // the harness may end this process before it has answered
	return nil
}

// member makes the client that the harness wants.
func (h *harness) member(ctx context.Context, a *wire.Assignment, find func(string) (Subject, bool)) (*crewMember, error) {
	subject, ok := find(a.Subject)
	if !ok {
		return nil, fmt.Errorf("it knows no subject %q; it has to be given to holdfast.Subprocess", a.Subject)
	}
	var traffic Traffic
	if err := gob.NewDecoder(bytes.NewReader(a.Traffic)).Decode(&traffic); err != nil {
		return nil, fmt.Errorf("read the traffic: %w", err)
	}
	now, err := monotonic.Now()
	if err != nil {
		return nil, err
	}
	h.clock = history.NewClockAt(time.Now().Add(a.Zero - now))
	healed, _ := h.wait(wire.Healed)
	final, _ := h.wait(wire.Final)
	env := &Env{
		Seed: a.Seed, Steady: a.Steady, Recorder: h, Prefix: a.Prefix, Login: Login{a.User, a.Password}, Quiet: a.Quiet, Healed: healed, Final: final,
		Connect:    func(string) ([]string, error) { return a.Endpoints, nil },
		Disconnect: func(string) {},
	}
	client, err := newClient(ctx, env, a.Slot, a.Name, &subject, &traffic, a.Heeds)
	if err != nil {
		return nil, err
	}
	h.primitive = subject.Primitive()
	return &crewMember{Client: client, shared: h, env: env, subject: &subject, traffic: &traffic, index: a.Index}, nil
}
