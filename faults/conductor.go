package faults

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// healPatience is how long proving or healing one fault may take.
const healPatience = 15 * time.Second

// Conductor carries out a plan.
type Conductor struct {
	World   *World
	Lookout *Lookout
	Journal *history.FaultJournal
	Clock   *history.Clock
	// Began is the time on the clock from which the plan's times count.
	Began time.Duration
	// Report, if set, is told of every fault that was injected or healed, or could not
	// be.
	Report func(history.Fault)

	vigils map[chain]*vigil
}

// Run carries out the plan until it is done or ctx ends. Every fault that was
// injected is healed when Run returns; what could not be healed is in the
// journal and in the error.
func (c *Conductor) Run(ctx context.Context, plan []Planned) error {
	if c.vigils == nil {
		if err := c.Arm(plan); err != nil {
			return err
		}
	}
	defer c.Lookout.Close()
	chains := make(map[chain][]Planned)
	for _, p := range plan {
		key := p.chain()
		chains[key] = append(chains[key], p)
	}
	var (
		group  sync.WaitGroup
		mu     sync.Mutex
		faults []error
	)
	for _, follow := range chains {
		group.Go(func() {
			for _, p := range follow {
				if err := c.one(ctx, p); err != nil {
					mu.Lock()
					faults = append(faults, err)
					mu.Unlock()
				}
			}
		})
	}
	group.Wait()
	return errors.Join(faults...)
}

// one carries out one fault, from waiting for its moment to its healing.
func (c *Conductor) one(ctx context.Context, p Planned) error {
	record := history.Fault{ID: p.ID, Kind: p.Kind, Planned: c.Began + p.At}
	kind, ok := Named(p.Kind)
	if !ok {
		return fmt.Errorf("fault %q: there is no such fault", p.Kind)
	}
	target := ""
	var held *moment
	v := c.vigils[p.chain()]
	if p.When != nil {
		record.Entry, record.When = p.Entry+1, p.When.moment(p.Subject)
		var err error
		if p.At > 0 || p.Rest > 0 {
			c.until(ctx, max(c.Began+p.At, c.Clock.Now()+p.Rest))
		}
		if target, held, err = c.await(ctx, p.ID, v); err != nil {
			record.Planned, record.Unfired = 0, true
			record.Evidence = c.never(p, v)
			c.turn(p.ID)
			c.Journal.Record(record)
			return nil
		}
		record.Planned = c.Clock.Now()
	} else if !c.until(ctx, c.Began+p.At) {
		record.Evidence = "the time for faults was over before"
		c.turn(p.ID)
		c.Journal.Record(record)
		return nil
	}

	// What has been begun is done, proved and healed even if the run ends.
	e, err := c.begin(ctx, kind, p, target, &record)
	held.pass()
	if e == nil {
		return err
	}
	healed := ""
	if !kind.Instant && c.last(ctx, v, record.From+p.For) {
		healed = p.Until
	}
	return c.finish(ctx, e, &record, healed)
}

// begin injects a fault. It returns no effect if there is nothing to prove; the
// error is of healing what was injected in part.
func (c *Conductor) begin(ctx context.Context, kind Kind, p Planned, target string, record *history.Fault) (*effect, error) {
	c.turn(p.ID)
	record.From = c.Clock.Now()
	within, cancel := context.WithTimeout(withFault(context.WithoutCancel(ctx), p.ID), healPatience)
	e, err := (*effect)(nil), errUnknown
	if p.On != "" && kind.OnClient {
		if target, _ = c.World.Clients.Current(p.On); target == "" {
			err = errNobody
		}
	}
	if p.When == nil && p.On == "" || target != "" || !kind.OnClient {
		e, err = kind.inject(within, c.World, rand.New(rand.NewPCG(p.Choice, 0)), target)
	}
	cancel()
	if err != nil {
		record.To, record.Uninjected = c.Clock.Now(), true
		record.Evidence = history.NotInjected + err.Error()
		if e != nil {
			record.Target = e.target
			err = c.heal(ctx, e, record)
		} else {
			err = nil
		}
		c.Journal.Record(*record)
		c.tell(*record)
		return nil, err
	}
	record.Target = e.target
	record.Evidence = "injected"
	c.Journal.Record(*record)
	c.tell(*record)
	return e, nil
}

// finish proves a fault and heals it. healed is the event by which it is, or "".
func (c *Conductor) finish(ctx context.Context, e *effect, record *history.Fault, healed string) error {
	c.turn(record.ID)
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), healPatience)
	defer cancel()
	record.Verified, record.Evidence = e.prove(within)
	if record.Verified && e.client != "" && !c.present(e.client) {
		record.Verified = false
		record.Evidence += ", but the client died meanwhile, and that may be why"
	}
	if healed != "" {
		record.Evidence += "; healed by " + healed
	}
	err := c.heal(ctx, e, record)
	c.Journal.Record(*record)
	c.tell(*record)
	return err
}

// errUnknown is why a fault on a client was not injected.
var errUnknown = errors.New("it is not known to which client that happened")

// heal undoes a fault and notes when, or what went wrong.
func (c *Conductor) heal(ctx context.Context, e *effect, record *history.Fault) error {
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), healPatience)
	defer cancel()
	var err error
	if e.heal != nil {
		err = e.heal(within)
	}
	if err != nil { // the harm may last
		record.To, record.Error = 0, err.Error()
		return fmt.Errorf("%s of %s: %w", record.Kind, e.target, err)
	}
	record.To = c.Clock.Now()
	return nil
}

// turn waits for a fault's turn.
func (c *Conductor) turn(id int64) {
	if c.World.Turn != nil {
		c.World.Turn("fault " + strconv.FormatInt(id, 10))
	}
}

// present is true if a client is still the one in its slot.
func (c *Conductor) present(client string) bool {
	for _, slot := range c.World.Clients.Slots("") {
		if name, _ := c.World.Clients.Current(slot); name == client {
			return true
		}
	}
	return false
}

func (c *Conductor) tell(f history.Fault) {
	if c.Report != nil {
		c.Report(f)
	}
}

// until waits for a time on the clock; it returns false if ctx ended first.
func (c *Conductor) until(ctx context.Context, at time.Duration) bool {
	if ctx.Err() != nil { // of two that are true, select takes any
		return false
	}
	timer := time.NewTimer(at - c.Clock.Now())
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
