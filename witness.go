package holdfast

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/etcd-holdfast/holdfast/cluster"
	"github.com/etcd-holdfast/holdfast/history"
)

// listenTo lets a cluster that tells of its changes by itself write the revision
// log: nothing has to be watched, and the time of each revision is known.
func (o *observer) listenTo(ctx context.Context, teller cluster.Teller, journal func(start int64) *history.RevisionJournal) error {
	dialler, ok := o.cluster.(cluster.Dialler)
	if !ok {
		return errors.New("a cluster that tells of its changes has to be one that is dialled by name")
	}
	if _, err := o.cluster.Connect(adminParty); err != nil {
		return fmt.Errorf("connect the harness: %w", err)
	}
	var err error
	if o.admin, err = dialler.Dial(ctx, adminParty, 2*time.Second); err != nil {
		return fmt.Errorf("connect the harness: %w", err)
	}
	reply, err := o.admin.Get(ctx, o.prefix)
	if err != nil {
		return fmt.Errorf("read the cluster's first revision: %w", err)
	}
	o.journal = journal(reply.Header.Revision + 1)
	teller.Tell(&witness{observer: o, ctx: ctx, roles: make(map[string]string)})
	return nil
}

// witness is an observer that is told.
type witness struct {
	*observer
	ctx   context.Context
	roles map[string]string
}

// Changed journals a change.
func (w *witness) Changed(at time.Time, c history.Change) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c.Time = at.Sub(w.recorder.Clock().Start())
	if c.Revision > w.highest {
		// A read right before would have found the revision before.
		w.journal.Tick(history.Tick{Call: c.Time, Return: c.Time, Revision: c.Revision - 1})
	}
	ended := int64(0)
	if c.Deleted {
		if lease, ok := w.leaseOf(c.Key); ok {
			ended = lease
			w.journal.LeaseEnd(history.LeaseEnd{Lease: lease, Revision: c.Revision, Time: c.Time})
		}
	} else {
		w.mark(w.ctx, c)
	}
	w.journal.Change(c)
	w.listen(c, ended)
	if c.Revision > w.highest {
		w.highest = c.Revision
		close(w.changed)
		w.changed = make(chan struct{})
	}
}

// Led records a member that began or ceased to lead.
func (w *witness) Led(s cluster.Status) {
	role := roleOf(s)
	if w.roles[s.Member] == role {
		return
	}
	w.roles[s.Member] = role
	w.recorder.Event(history.Event{Kind: history.Leads, Client: s.Member, Detail: role, Revision: int64(s.Term)})
}

// leaderRole is what history.Leads says of a member that leads.
const leaderRole = "leader"

// roleOf says what a member is by its own account.
func roleOf(s cluster.Status) string {
	switch {
	case !s.Running:
		return "down"
	case s.Leads:
		return leaderRole
	default:
		return "follower"
	}
}
