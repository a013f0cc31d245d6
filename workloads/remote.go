package workloads

import (
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"net/rpc"
	"sync"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/internal/monotonic"
	"github.com/etcd-holdfast/holdfast/workloads/internal/wire"
)

// Process is a process that was started for a client.
type Process interface {
	// Conn is the connection to it. Whoever launched it closes it.
	Conn() io.ReadWriteCloser
	// Done is closed when it has ended.
	Done() <-chan struct{}
	// Ended says how it ended, and what it said last: for people. Killed is true if
	// it was killed from outside.
	Ended() string
	Killed() bool
	// Kill ends it at once, and returns when it has ended.
	Kill() error
	// Freeze makes it stand still.
	Freeze(ctx context.Context) (Standstill, error)
}

// helloPatience is how long the process of a client may take to say that it is
// one.
const helloPatience = 30 * time.Second

// remote is a client in a process of its own, as its crew sees it.
type remote struct {
	*desk
	process Process
	serving sync.WaitGroup
}

// launch starts a client in a process of its own.
func (c *Crew) launch(ctx context.Context, s *seat, heeds bool) (_ *remote, err error) {
	endpoints, err := c.env.Connect(s.name)
	if err != nil {
		return nil, fmt.Errorf("connect client %s: %w", s.name, err)
	}
	r := &remote{desk: newDesk(ctx, s)}
	defer func() {
		if err != nil {
			r.close()
		}
	}()
	if r.assignment, err = c.assignment(s, heeds, endpoints); err != nil {
		return nil, fmt.Errorf("client %s: %w", s.name, err)
	}
	if r.process, err = c.env.Launch(s.name); err != nil {
		return nil, err
	}
	server := rpc.NewServer()
	if err = server.RegisterName(wire.Service, r.desk); err != nil {
		return nil, fmt.Errorf("client %s: %w", s.name, err)
	}
	r.serving.Go(func() {
		select {
		case <-r.process.Done():
			r.end()
		case <-r.ctx.Done():
		}
	})
	// It waits for the answers that are on their way, and these end with ctx.
	r.serving.Go(func() { server.ServeConn(r.process.Conn()) })
	timer := time.NewTimer(helloPatience)
	defer timer.Stop()
	select {
	case <-r.greeted:
		return r, nil
	case text := <-r.refused:
		return nil, fmt.Errorf("client %s: its process cannot be one: %s", s.name, text)
	case <-r.process.Done():
		return nil, fmt.Errorf("client %s: the process that was started for it is none: %s; does the program begin with holdfast.Subprocess, in main or TestMain?", s.name, r.process.Ended())
	case <-timer.C:
		return nil, fmt.Errorf("client %s: the process that was started for it did not say within %v that it is one: either this machine is too busy to start it in that time (have fewer clients), or the program does not begin with holdfast.Subprocess, in main or TestMain", s.name, helloPatience)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (c *Crew) assignment(s *seat, heeds bool, endpoints []string) (*wire.Assignment, error) {
	now, err := monotonic.Now()
	if err != nil {
		return nil, err
	}
	var traffic bytes.Buffer
	if err := gob.NewEncoder(&traffic).Encode(&c.traffic); err != nil {
		return nil, err
	}
	return &wire.Assignment{
		Name: s.name, Slot: s.slot, Index: s.index, Subject: c.subject.Name, Heeds: heeds, Seed: c.env.Seed, Steady: c.env.Steady,
		Prefix: c.env.Prefix, Quiet: c.env.Quiet, Endpoints: endpoints, Traffic: traffic.Bytes(),
		User: c.env.Login.User, Password: c.env.Login.Password,
		Zero: now - c.env.Recorder.Clock().Now(),
	}, nil
}

func (r *remote) crash() bool {
	if !r.die(history.Event{}) {
		return false
	}
	_ = r.process.Kill() // if it will not end, work says so
	return true
}

// work waits for the end of the client's process. One that ends unasked is a
// client that died.
func (r *remote) work() error {
	ended := r.process.Done()
	select {
	case err := <-r.over:
		return errors.Join(err, r.process.Kill())
	case <-ended:
	case <-r.stop:
		timer := time.NewTimer(stuckPatience)
		defer timer.Stop()
		select {
		case err := <-r.over:
			return errors.Join(err, r.process.Kill())
		case <-ended:
		case <-timer.C:
			r.seat.crew.stuck.Add(1)
			return errors.Join(errDead, r.process.Kill())
		}
	}
	select {
	case err := <-r.over: // it had come to its end
		return err
	default:
	}
	how := history.EndedUnasked
	if r.process.Killed() {
		how = history.KilledUnasked
	}
	r.die(history.Event{Detail: how + r.process.Ended()})
	return errDead
}

func (r *remote) freeze(ctx context.Context) (Standstill, error) { return r.process.Freeze(ctx) }

// close ends the process, if it has not ended yet.
func (r *remote) close() {
	if r.process != nil {
		_ = r.process.Kill()
		_ = r.process.Conn().Close()
	}
	r.end()
	r.serving.Wait()
	r.gone()
	r.seat.crew.env.Disconnect(r.seat.name)
}
