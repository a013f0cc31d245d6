package holdfast

import (
	"context"
	"errors"
	"time"

	"github.com/etcd-holdfast/holdfast/cluster/embedded"
	"github.com/etcd-holdfast/holdfast/cluster/members"
	"github.com/etcd-holdfast/holdfast/internal/offspring"
	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/pipe"
	"github.com/etcd-holdfast/holdfast/workloads/pipe/conform"
)

// CheckPipe starts a cluster of one member and goes through the protocol with a
// program. Report is told of each step. It returns true if none failed. A
// *PipeError says that the program could not be started, or did not say what
// it is.
func CheckPipe(ctx context.Context, command string, report func(conform.Step)) (well bool, err error) {
	parent, err := offspring.NewParent()
	if err != nil {
		return false, &PipeError{Command: command, Err: err}
	}
	defer func() { err = errors.Join(err, parent.Close()) }()
	within, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	c, err := embedded.Start(within, members.Config{Members: 1, Gateway: true})
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	urls, err := c.Connect(adminParty)
	if err != nil {
		return false, err
	}
	admin, err := connect(ctx, urls, workloads.Login{})
	if err != nil {
		return false, err
	}
	defer func() { _ = admin.Close() }() // it was for looking only
	b := conform.Bench{
		Command: &pipe.Command{Line: command, Parent: parent}, Connect: c.Connect, Admin: admin,
		Prefix: runPrefix + pipeName, TTL: 2 * time.Second, Report: report,
	}
	well, err = b.Check(ctx)
	if errors.Is(err, conform.ErrNoHello) {
		err = &PipeError{Command: command, Err: err}
	}
	return well, err
}
