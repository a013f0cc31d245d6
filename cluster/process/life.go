package process

import (
	"context"
	"errors"
	"fmt"

	"go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/etcd-holdfast/holdfast/cluster/inquiry"
	"github.com/etcd-holdfast/holdfast/internal/offspring"
)

// askPause is the pause between two looks at a member.
const askPause = inquiry.Pause

// life is one process of a member from its start to its end.
type life struct {
	process        *offspring.Process
	peers, clients string // where it accepts them
	// gate is what its calls that wait for the disk pass, if any do.
	gate *gate
	// why, if the process has ended, says why as far as it is known.
	why     func() string
	inquiry *inquiry.Inquiry
}

// newLife begins to ask a process how it stands, and makes a life of it. If that
// fails the process is killed.
func (c *Cluster) newLife(member string, process *offspring.Process, gate *gate, peers, clients string, why func() string) (*life, error) {
	q, err := inquiry.Begin(clients, process.Done(), func(answer *etcdserverpb.StatusResponse) { c.register.Learn(member, answer) })
	if err != nil {
		return nil, errors.Join(err, process.Kill(), gate.close())
	}
	return &life{process: process, gate: gate, peers: peers, clients: clients, why: why, inquiry: q}, nil
}

// Addresses are where the member accepts its peers and its clients.
func (l *life) Addresses() (peers, clients string) { return l.peers, l.clients }

// runs is true until the process has ended.
func (l *life) runs() bool {
	select {
	case <-l.process.Done():
		return false
	default:
		return true
	}
}

// Ended says why the process no longer runs, or returns nil if it does.
func (l *life) Ended() error {
	if l.runs() {
		return nil
	}
	how := "exit code 0"
	if err := l.process.Err(); err != nil {
		how = err.Error()
	}
	if why := l.why(); why != "" {
		how += ": " + why
	}
	return fmt.Errorf("its process has ended: %s", how)
}

// Ready waits until the member serves.
func (l *life) Ready(ctx context.Context) error {
	if !l.runs() { // however often it has served
		return l.Ended()
	}
	select {
	case <-l.inquiry.Served():
		return nil
	case <-l.process.Done():
		return l.Ended()
	case <-ctx.Done():
		return fmt.Errorf("it does not serve yet, is there a quorum? %w", context.Cause(ctx))
	}
}

// End kills the process.
func (l *life) End() error { return errors.Join(l.process.Kill(), l.forget()) }

// forget ends the questions to a process that has ended.
func (l *life) forget() error { return errors.Join(l.inquiry.Close(), l.gate.close()) }
