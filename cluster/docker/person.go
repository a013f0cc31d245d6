package docker

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/etcd-holdfast/holdfast/internal/offspring"
)

// Person is one container of a crowd.
type Person struct {
	crowd  *Crowd
	name   string
	id     string
	stream *stream
	// done is closed when the container has ended; then state and lost say how.
	done  chan struct{}
	state *container.State
	lost  error
}

// Launch starts a container of that name in a role of this program. What it writes on
// standard error goes to log, which stays the caller's.
func (c *Crowd) Launch(ctx context.Context, name, role string, log io.Writer) (*Person, error) {
	select {
	case c.turns <- struct{}{}:
		defer func() { <-c.turns }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if c.background.Err() != nil {
		return nil, errors.New("the crowd is closed")
	}
	id, err := c.create(ctx, name, map[string]string{offspring.RoleVariable: role})
	if err != nil {
		return nil, err
	}
	p := &Person{crowd: c, name: name, id: id, done: make(chan struct{})}
	// From before it starts, so that nothing is missed.
	attached, err := c.engine.ContainerAttach(c.background, id, client.ContainerAttachOptions{Stream: true, Stdin: true, Stdout: true, Stderr: true})
	if err == nil {
		if _, err = c.engine.ContainerStart(ctx, id, client.ContainerStartOptions{}); err != nil {
			attached.Close()
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the container of %s: %w", name, err), c.engine.remove(context.WithoutCancel(ctx), p.thing()))
	}
	p.stream = newStream(attached.HijackedResponse, log)
	c.awaiting.Go(p.await)
	return p, nil
}

func (p *Person) thing() thing {
	return thing{what: containerKind, id: p.id, name: p.crowd.mark.name(p.name)}
}

// await waits until the container has ended, learns how, and removes it.
func (p *Person) await() {
	defer close(p.done)
	e, ctx := p.crowd.engine, p.crowd.background
	waiting := e.ContainerWait(ctx, p.id, client.ContainerWaitOptions{Condition: container.WaitConditionNotRunning})
	select {
	case <-waiting.Result:
	case p.lost = <-waiting.Error:
		return
	}
	seen, err := e.ContainerInspect(ctx, p.id, client.ContainerInspectOptions{})
	if err != nil {
		p.lost = err
		return
	}
	p.state = seen.Container.State
	p.lost = e.remove(ctx, p.thing())
}

// Conn is its standard input and output. Whoever launched it closes it.
func (p *Person) Conn() io.ReadWriteCloser { return p.stream }

// Done is closed when it has ended.
func (p *Person) Done() <-chan struct{} { return p.done }

// How says how it ended.
func (p *Person) How() string {
	<-p.done
	switch {
	case p.state == nil:
		return fmt.Sprintf("the Docker engine does not say how: %v", p.lost)
	case p.state.OOMKilled:
		return "killed as its memory was used up"
	case p.state.ExitCode > 128:
		return fmt.Sprintf("signal %d", p.state.ExitCode-128)
	}
	return fmt.Sprintf("exit status %d", p.state.ExitCode)
}

// Killed is true if it was killed from outside.
func (p *Person) Killed() bool {
	<-p.done
	return p.state != nil && p.state.ExitCode == 128+9 && !p.state.OOMKilled
}

// Kill ends it at once, with SIGKILL, and returns when it has ended.
func (p *Person) Kill() error {
	ctx, cancel := context.WithTimeout(context.Background(), killPatience)
	defer cancel()
	if err := p.crowd.engine.kill(ctx, p.id); err != nil {
		return fmt.Errorf("kill %s: %w", p.name, err)
	}
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("kill %s: its container has not ended after %v", p.name, killPatience)
	}
}

// Freeze makes it stand still, by the engine's pause.
func (p *Person) Freeze(ctx context.Context) (*Frozen, error) {
	f, err := p.crowd.engine.freeze(ctx, p.id)
	if err != nil {
		return nil, fmt.Errorf("freeze %s: %w", p.name, err)
	}
	return f, nil
}
