package holdfast

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/cluster/docker"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// containedRole is what the containers of clients are started as.
const containedRole = "contained-client"

// launchPatience is how long the container of a client may take to start: a machine
// that starts many at once takes its time.
const launchPatience = 60 * time.Second

// containerNursery starts clients as containers.
type containerNursery struct {
	crowd *docker.Crowd
	logs  clientLogs
}

// newContainerNursery returns what starts clients as containers, of the run of that
// name, and keeps what they say, and when, below a directory. It has to be closed.
func newContainerNursery(ctx context.Context, run, directory string, now func() time.Duration, say func(string, ...any)) (*containerNursery, error) {
	crowd, err := docker.NewCrowd(ctx, run, say)
	if err != nil {
		return nil, err
	}
	logs, err := newClientLogs(directory, now)
	if err != nil {
		return nil, errors.Join(err, crowd.Close())
	}
	return &containerNursery{crowd: crowd, logs: logs}, nil
}

func (n *containerNursery) close() error { return errors.Join(n.crowd.Close(), n.logs.tidy()) }

// launch starts the container of a client.
func (n *containerNursery) launch(client string) (workloads.Process, error) {
	log, err := n.logs.open(client)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), launchPatience)
	defer cancel()
	person, err := n.crowd.Launch(ctx, client, containedRole, log)
	if err != nil {
		return nil, errors.Join(err, log.Close())
	}
	go func() {
		<-person.Done()
		_ = log.Close() // what it wrote is there
	}()
	return &clientContainer{Person: person, log: n.logs.of(client)}, nil
}

// clientContainer is the container of a client.
type clientContainer struct {
	*docker.Person
	log string
}

// Ended says how the container ended and what it said last.
func (c *clientContainer) Ended() string { return c.How() + lastSaid(c.log) }

func (c *clientContainer) Freeze(ctx context.Context) (workloads.Standstill, error) {
	frozen, err := c.Person.Freeze(ctx)
	if err != nil {
		return nil, err
	}
	return frozen, nil
}

// serveContained is what the container of a client does: it is told what to do on its
// standard input. What a subject prints must not get among the answers.
func serveContained(ctx context.Context, subjects []workloads.Subject) int {
	questions, answers, err := takeStandardStreams()
	if err != nil {
		fmt.Fprintf(os.Stderr, "holdfast: a client is started by the harness, and by nobody else: %v\n", err)
		return checker.ExitInternal
	}
	return serveClientOn(ctx, &pipes{r: questions, w: answers}, subjects)
}
