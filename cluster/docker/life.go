package docker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/etcd-holdfast/holdfast/cluster/inquiry"
	"github.com/etcd-holdfast/holdfast/cluster/members"
)

// killPatience is how long a container may take to end that was killed.
const killPatience = 20 * time.Second

// life is one time that a member's container runs, from its start to its end.
type life struct {
	machine *machine
	clients string // where it accepts them, from here
	log     *members.Tail
	logging sync.WaitGroup
	inquiry *inquiry.Inquiry

	// ended is closed when the container has ended; then state and lost say how.
	ended chan struct{}
	state *container.State
	lost  error // why the engine no longer says how it is
}

// begin starts the container of a member.
func (c *Cluster) begin(ctx context.Context, p *members.Place) (*life, error) {
	m := c.machines[p.Name]
	log, err := members.NewTail(p.Log)
	if err != nil {
		return nil, err
	}
	l := &life{machine: m, clients: c.way.to(m.pod, clientPort), log: log, ended: make(chan struct{})}
	if l.clients == "" {
		return nil, fmt.Errorf("its pod has no port that is reached through %s", c.way.name)
	}
	// From before it starts, so that nothing is missed.
	attached, err := c.engine.ContainerAttach(c.background, m.server, client.ContainerAttachOptions{Stream: true, Stdout: true, Stderr: true})
	if err != nil {
		return nil, fmt.Errorf("listen to its container: %w", err)
	}
	if _, err := c.engine.ContainerStart(ctx, m.server, client.ContainerStartOptions{}); err != nil {
		attached.Close()
		return nil, errors.Join(fmt.Errorf("start its container: %w", err), m.kill(context.WithoutCancel(ctx)))
	}
	l.logging.Go(func() {
		defer attached.Close()
		_, _ = stdcopy.StdCopy(p.Log, p.Log, attached.Reader) // until it ends, or the engine does
	})
	go l.await()
	l.inquiry, err = inquiry.Begin(l.clients, l.ended, func(answer *etcdserverpb.StatusResponse) { c.register.Learn(p.Name, answer) })
	if err != nil {
		return nil, errors.Join(err, l.kill())
	}
	return l, nil
}

// await waits until the container has ended.
func (l *life) await() {
	defer close(l.ended)
	c := l.machine.cluster
	waiting := c.engine.ContainerWait(c.background, l.machine.server, client.ContainerWaitOptions{Condition: container.WaitConditionNotRunning})
	select {
	case <-waiting.Result:
	case l.lost = <-waiting.Error:
		return
	}
	seen, err := c.engine.ContainerInspect(c.background, l.machine.server, client.ContainerInspectOptions{})
	if err != nil {
		l.lost = err
		return
	}
	l.state = seen.Container.State
}

// Addresses are where the member accepts its clients. Its peers dial it where nobody
// else does.
func (l *life) Addresses() (peers, clients string) { return "", l.clients }

// runs is true until the container has ended.
func (l *life) runs() bool {
	select {
	case <-l.ended:
		return false
	default:
		return true
	}
}

// Ended says why the container no longer runs, or returns nil if it does.
func (l *life) Ended() error {
	if l.runs() {
		return nil
	}
	if l.state == nil {
		return fmt.Errorf("the Docker engine does not say how its container is: %w", l.lost)
	}
	how := fmt.Sprintf("exit code %d", l.state.ExitCode)
	if l.state.ExitCode > 128 {
		how = fmt.Sprintf("signal %d", l.state.ExitCode-128)
	}
	if l.state.OOMKilled {
		how += ", killed as it had used up its memory"
	}
	if l.state.Error != "" {
		how += ", " + l.state.Error
	}
	l.logging.Wait() // it has said all that it will
	if why := l.log.Why(); why != "" {
		how += ": " + why
	}
	return fmt.Errorf("its container has ended: %s", how)
}

// Ready waits until the member serves.
func (l *life) Ready(ctx context.Context) error {
	if !l.runs() { // however often it has served
		return l.Ended()
	}
	select {
	case <-l.inquiry.Served():
		return nil
	case <-l.ended:
		return l.Ended()
	case <-ctx.Done():
		return fmt.Errorf("it does not serve yet, is there a quorum? %w", context.Cause(ctx))
	}
}

// End kills the container.
func (l *life) End() error { return errors.Join(l.kill(), l.inquiry.Close()) }

// kill kills the container with SIGKILL, and returns when it has ended.
func (l *life) kill() error {
	ctx, cancel := context.WithTimeout(context.Background(), killPatience)
	defer cancel()
	if err := l.machine.kill(ctx); err != nil {
		return err
	}
	return l.join(ctx)
}

// join waits until the container has ended and all that it said is in the log.
func (l *life) join(ctx context.Context) error {
	select {
	case <-l.ended:
		l.logging.Wait()
		return nil
	case <-ctx.Done():
		return fmt.Errorf("its container has not ended: %w", context.Cause(ctx))
	}
}

// kill sends SIGKILL to the member's container. One that has ended is no error.
func (m *machine) kill(ctx context.Context) error { return m.cluster.engine.kill(ctx, m.server) }

func (m *machine) signal(ctx context.Context, name string) error {
	return m.cluster.engine.signal(ctx, m.server, name)
}

func (e *engine) kill(ctx context.Context, id string) error { return e.signal(ctx, id, "SIGKILL") }

// signal sends a signal to a container. One that has ended is no error.
func (e *engine) signal(ctx context.Context, id, name string) error {
	_, err := e.ContainerKill(ctx, id, client.ContainerKillOptions{Signal: name})
	if err != nil && !errdefs.IsConflict(err) && !errdefs.IsNotFound(err) {
		return fmt.Errorf("send %s to its container: %w", name, err)
	}
	return nil
}
