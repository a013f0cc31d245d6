package docker

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"github.com/etcd-holdfast/holdfast/internal/offspring"
)

const (
	// ScoutRole is the role of offspring.Role in which this program finds out whether a
	// container reaches the process that started it.
	ScoutRole = "scout"
	// scoutVariable tells a scout where to.
	scoutVariable = "HOLDFAST_SCOUT"
	// scoutPatience is how long it may take.
	scoutPatience = 30 * time.Second
	// launches is how many containers are started at a time.
	launches = 4
)

// Crowd starts containers that are clients: each runs this same program in a role, on
// the network of the engine's machine, so that it reaches the links in this process,
// and with its clock. Create it with NewCrowd.
type Crowd struct {
	engine *engine
	mark   mark
	image  string
	turns  chan struct{}
	// background is what lasts as long as the crowd.
	background context.Context
	finish     context.CancelFunc
	awaiting   sync.WaitGroup
}

// NewCrowd returns a crowd without containers, if a container on this engine reaches
// this process and runs on the same kernel. It has to be closed.
func NewCrowd(ctx context.Context, run string, say func(format string, args ...any)) (_ *Crowd, err error) {
	c := &Crowd{turns: make(chan struct{}, launches)}
	if c.engine, err = connect(ctx); err != nil {
		return nil, err
	}
	c.background, c.finish = context.WithCancel(context.Background())
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Close())
		}
	}()
	if runtime.GOOS != "linux" || !c.engine.here() {
		return nil, fmt.Errorf("clients in containers need an engine on this machine, with whose clock they tell when something was, and %s is elsewhere; leave clients.as out, or say processes", where())
	}
	if c.mark, err = newMark(run); err != nil {
		return nil, err
	}
	own, err := ownBinary()
	if err != nil {
		return nil, err
	}
	if c.image, err = c.engine.ensureImage(ctx, c.mark, own, say); err != nil {
		return nil, err
	}
	if err := c.scout(ctx); err != nil {
		return nil, fmt.Errorf("clients in containers cannot be had: %w; leave clients.as out, or say processes", err)
	}
	return c, nil
}

// create creates a container of the crowd.
func (c *Crowd) create(ctx context.Context, name string, env map[string]string) (string, error) {
	created, err := c.engine.provider.CreateContainer(ctx, testcontainers.ContainerRequest{
		Image: c.image, Name: c.mark.name(name), Labels: c.mark.labels(name), Env: env,
		ConfigModifier: func(conf *container.Config) {
			conf.OpenStdin, conf.StdinOnce, conf.AttachStdin, conf.AttachStdout, conf.AttachStderr = true, true, true, true, true
		},
		HostConfigModifier: func(h *container.HostConfig) { h.NetworkMode = "host" },
	})
	if err != nil {
		return "", fmt.Errorf("create the container %s: %w", c.mark.name(name), err)
	}
	return created.GetContainerID(), nil
}

// scout sends a container back here, which says on which kernel it runs.
func (c *Crowd) scout(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, scoutPatience)
	defer cancel()
	own, err := kernel()
	if err != nil {
		return err
	}
	door, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { _ = door.Close() })()
	defer func() { _ = door.Close() }()
	id, err := c.create(ctx, "scout", map[string]string{offspring.RoleVariable: ScoutRole, scoutVariable: door.Addr().String()})
	if err != nil {
		return err
	}
	defer func() {
		_ = c.engine.remove(context.WithoutCancel(ctx), thing{what: containerKind, id: id, name: "scout"})
	}()
	if _, err := c.engine.ContainerStart(ctx, id, client.ContainerStartOptions{}); err != nil {
		return fmt.Errorf("start a container on the network of the engine's machine: %w", err)
	}
	visitor, err := door.Accept()
	if err != nil {
		return fmt.Errorf("a container on the network of the engine's machine did not reach this process within %v", scoutPatience)
	}
	defer func() { _ = visitor.Close() }()
	said, err := bufio.NewReader(visitor).ReadString('\n')
	if err != nil {
		return err
	}
	if said = strings.TrimSpace(said); said != own {
		return errors.New("containers run on another kernel than this process, and have another clock")
	}
	return nil
}

// Scout is what a process in the role ScoutRole does. It returns the exit code.
func Scout() int {
	if err := report(os.Getenv(scoutVariable)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func report(to string) error {
	own, err := kernel()
	if err != nil {
		return err
	}
	conn, err := net.DialTimeout("tcp", to, scoutPatience)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(conn, own)
	return errors.Join(err, conn.Close())
}

// kernel names the kernel that this process runs on since the machine was started, and
// the clock that it has there.
func kernel() (string, error) {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", fmt.Errorf("find out which kernel this is: %w", err)
	}
	clock, err := os.Readlink("/proc/self/ns/time")
	if err != nil { // a kernel without namespaces of time has one clock
		clock = "one"
	}
	return strings.TrimSpace(string(boot)) + " " + clock, nil
}

// Close kills and removes all containers of the crowd.
func (c *Crowd) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), removePatience)
	defer cancel()
	var err error
	if c.mark.run != "" {
		err = c.engine.removeRun(ctx, c.mark.run)
	}
	c.finish()
	c.awaiting.Wait()
	return errors.Join(err, c.engine.Close())
}
