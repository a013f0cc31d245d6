package workloads

import (
	"context"
	"time"
)

// occupant fills a slot: a client in this process, or in one of its own.
type occupant interface {
	name() string
	// Lease is the lease of the client's session, or zero.
	Lease() int64
	// crash records the client's death and ends it. It returns false if it was
	// dead already.
	crash() bool
	hasCrashed() bool
	// work returns when the client's work has ended, with what it came to: errDead
	// if the client did not come to the end of it.
	work() error
	// close takes away what is left of the client.
	close()
}

// freezer is an occupant that can be made to stand still.
type freezer interface {
	freeze(ctx context.Context) (Standstill, error)
}

// Standstill is a client that was made to stand still: it does nothing until it
// is thawed, and does not know of it then.
type Standstill interface {
	// Evidence says whether it stands still, and what shows that.
	Evidence() (stands bool, evidence string)
	// Thaw lets it go on. It may be called more than once.
	Thaw()
}

// inhabitant is a client in this process, at work.
type inhabitant struct {
	*Client
	crew   *Crew
	member *crewMember
}

// inhabit makes a client in this process.
func (c *Crew) inhabit(ctx context.Context, s *seat, heeds bool) (*inhabitant, error) {
	client, err := newClient(ctx, c.env, s.slot, s.name, &c.subject, &c.traffic, heeds)
	if err != nil {
		return nil, err
	}
	s.ctx, s.crashed = client.ctx, client.hasCrashed
	m := &crewMember{Client: client, shared: s, env: c.env, subject: &c.subject, traffic: &c.traffic, index: s.index}
	if c.script != nil {
		c.script.fill(s.index, m)
	}
	return &inhabitant{Client: client, crew: c, member: m}, nil
}

func (i *inhabitant) name() string { return i.Name }

// stuckPatience is how long the calls of a client that is dead may take to
// return.
const stuckPatience = 5 * time.Second

// work leaves a client behind that is dead, and whose call does not heed that.
func (i *inhabitant) work() error {
	served := make(chan error, 1)
	go func() { served <- i.member.serve() }()
	select {
	case err := <-served:
		return err
	case <-i.ctx.Done():
	}
	// Calls that take no context end with the connection.
	i.hangUp()
	timer := time.NewTimer(stuckPatience)
	defer timer.Stop()
	select {
	case err := <-served:
		return err
	case <-timer.C:
		i.crew.stuck.Add(1)
		return errDead
	}
}
