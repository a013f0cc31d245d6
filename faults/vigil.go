package faults

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/etcd-holdfast/holdfast/cluster"
)

// chain is the faults that follow one another: of one entry, and if that is
// triggered, in one subject.
type chain struct {
	entry   int
	subject string
}

func (p Planned) chain() chain { return chain{p.Entry, p.Subject} }

// vigil is how a chain of triggered faults waits for its moments.
type vigil struct {
	trigger Trigger
	slots   []string // the clients that count
	roled   bool
	lasts   bool // the event is a state
	// event is what to wait for: the trigger's event or, before a state, its After.
	// It is nil if there is nothing to wait for but the state.
	event *watch
	until *watch // nil if time alone heals
	// fresh is true as long as event has been armed and not waited for.
	fresh bool
}

// Arm begins to take note of what the plan's faults wait for. Run does so if it
// was not done before; done before the clients start, nothing is missed.
func (c *Conductor) Arm(plan []Planned) error {
	c.vigils = make(map[chain]*vigil)
	untils := make(map[chain]string) // of each chain's faults that last
	for _, p := range plan {
		if p.Until != "" {
			untils[p.chain()] = p.Until
		}
	}
	for _, p := range plan {
		key := p.chain()
		p.Until = untils[key]
		if p.When == nil || c.vigils[key] != nil {
			continue
		}
		v, err := c.newVigil(p)
		if err != nil {
			return fmt.Errorf("faults[%d]: %w", p.Entry, err)
		}
		c.vigils[key] = v
		for _, w := range []*watch{v.until, v.event} {
			if w != nil {
				c.Lookout.add(w)
			}
		}
		c.rearm(v)
	}
	return nil
}

func (c *Conductor) newVigil(p Planned) (*vigil, error) {
	v := &vigil{trigger: *p.When}
	v.trigger.Subject = Names{p.Subject}
	v.trigger.Nth = max(v.trigger.Nth, 1)
	v.slots = c.World.Clients.Slots(p.Subject)
	if role := p.When.Client; role != "" {
		i, ok := Role(role)
		if !ok || i >= len(v.slots) {
			return nil, fmt.Errorf("%s has no client %q", p.Subject, role)
		}
		v.slots, v.roled = v.slots[i:i+1], true
	}
	event, err := ParseEvent(p.When.Event)
	if err != nil {
		return nil, err
	}
	var after, until Event
	for _, bound := range []struct {
		text  string
		event *Event
	}{{p.When.After, &after}, {p.Until, &until}} {
		if bound.text == "" {
			continue
		}
		if *bound.event, err = ParseEvent(bound.text); err != nil {
			return nil, err
		}
		if bound.event.Lasts() {
			return nil, fmt.Errorf("%q is a state; only what happens at an instant can be waited for there", bound.text)
		}
	}
	newWatch := func(event Event, nth int) *watch {
		return &watch{subject: p.Subject, slots: v.slots, roled: v.roled, event: event, nth: nth}
	}
	if p.Until != "" {
		v.until = newWatch(until, 1)
	}
	switch v.lasts = event.Lasts(); {
	case !v.lasts:
		v.event = newWatch(event, v.trigger.Nth)
		v.event.after, v.event.holds, v.event.until = after, event.OnLinks(), v.until
	case p.When.After != "":
		v.event = newWatch(after, 1)
	}
	return v, nil
}

// rearm begins to count from here on.
func (c *Conductor) rearm(v *vigil) {
	v.fresh = true
	if v.event != nil {
		c.Lookout.arm(v.event)
	}
}

// errNever is returned when the moment did not come in time.
var errNever = errors.New("it never happened")

// await waits for the moment of the fault with an id and returns to whom it happened, "" if that
// is not known. What is held meanwhile goes on when the moment is passed.
func (c *Conductor) await(ctx context.Context, id int64, v *vigil) (client string, m *moment, err error) {
	if !v.fresh {
		c.rearm(v)
	}
	v.fresh = false
	if v.event != nil {
		if m = c.Lookout.await(ctx, v.event); m == nil {
			return "", nil, errNever
		}
		client = m.client
	}
	if v.lasts {
		var slots []string
		if v.roled {
			slots = v.slots
		}
		for range v.trigger.Nth {
			if client = c.Lookout.awaitState(ctx, v.trigger, func() { c.turn(id) }, slots); client == "" {
				return "", nil, errNever
			}
		}
		m = nil
		if v.until != nil {
			c.Lookout.arm(v.until)
		}
	}
	if client == "" && v.roled {
		client, _ = c.World.Clients.Current(v.slots[0])
	}
	return client, m, nil
}

// last waits until a fault has lasted as long as it should: until the event that
// heals it, if there is one, or until a time on the clock at most. It returns
// true if the event healed it.
func (c *Conductor) last(ctx context.Context, v *vigil, at time.Duration) bool {
	if v == nil || v.until == nil {
		c.until(ctx, at)
		return false
	}
	within, cancel := context.WithTimeout(ctx, at-c.Clock.Now())
	defer cancel()
	return c.Lookout.await(within, v.until) != nil
}

// never says that a fault's moment did not come, and what may be the reason.
func (c *Conductor) never(p Planned, v *vigil) string {
	if v.lasts && v.trigger.After == "" && !v.roled {
		return fmt.Sprintf("no client of %s was %s for longer than %v before the time for faults was over", p.Subject, p.When.Event, p.When.Longer)
	}
	text := fmt.Sprintf("%s: that did not come before the time for faults was over", p.When.moment(p.Subject))
	linked, ok := c.World.Cluster.(cluster.Linked)
	if v.event == nil || !ok || !v.event.event.OnLinks() && !v.event.after.OnLinks() {
		return text
	}
	blind := int64(0)
	for _, slot := range v.slots {
		client, _ := c.World.Clients.Current(slot)
		for _, m := range c.World.Cluster.Members() {
			if l := linked.Link(client, m); l != nil {
				blind += l.Stats().Blind
			}
		}
	}
	if blind > 0 {
		text += fmt.Sprintf("; %d connections of its clients could not be followed", blind)
	}
	return text
}
