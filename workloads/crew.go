package workloads

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/quantity"
)

// Crew is the clients of one workload: a subject and its traffic. Each slot is
// filled by one client at a time.
type Crew struct {
	env       *Env
	subject   Subject
	traffic   Traffic
	resources resources
	seen      *sightings
	slots     []string

	running sync.WaitGroup
	// busy counts the slots that have not yet finished their last round; rest
	// leaves out the first, whose client is the last leader of an election.
	busy, rest *countdown
	// seated counts the slots that have not had a client yet.
	seated *countdown
	failed chan error
	stuck  atomic.Int64

	script *script
	// meetings are of a double barrier: who is about to enter with whom.
	meetings meetings
	// fenced is true once a hold had a token.
	fenced atomic.Bool

	mu      sync.Mutex
	current map[string]occupant
	left    map[string]won
	began   map[string][]time.Duration // rounds, by client
}

// NewCrew returns the crew of a workload. Its slots are named c<first>,
// c<first+1>, …
func NewCrew(env *Env, subject Subject, traffic Traffic, first int) *Crew {
	c := &Crew{
		env: env, subject: subject, traffic: traffic, seen: newSightings(), failed: make(chan error, 1),
		current: make(map[string]occupant), left: make(map[string]won), began: make(map[string][]time.Duration),
	}
	c.resources.make = subject.NewResource
	if c.resources.make == nil {
		c.resources.make = NewResource
	}
	if len(traffic.Script) == 0 && subject.Protects() {
		for i := range traffic.Objects {
			c.resources.of(strconv.Itoa(i))
		}
	}
	c.script = newScript(c)
	c.slots = Slots(first, traffic.Clients+traffic.Observers)
	c.busy, c.rest = newCountdown(traffic.Clients), newCountdown(traffic.Clients-1)
	c.seated = newCountdown(len(c.slots))
	return c
}

// Slots names n slots: c<first>, c<first+1>, …
func Slots(first, n int) []string {
	var slots []string
	for i := range max(n, 0) {
		slots = append(slots, "c"+strconv.Itoa(first+i))
	}
	return slots
}

// Subject is the name of the crew's subject.
func (c *Crew) Subject() string { return c.subject.Name }

// Slots are the crew's slots, observers last.
func (c *Crew) Slots() []string { return c.slots }

// Current returns the client that fills a slot now: its name and the lease of
// its session, zero if it has none. The name is "" if the slot is empty.
func (c *Crew) Current(slot string) (name string, lease int64) {
	c.mu.Lock()
	o := c.current[slot]
	c.mu.Unlock()
	if o == nil {
		return "", 0
	}
	return o.name(), o.Lease()
}

// Crash kills the client that fills a slot. A replacement will follow. It
// returns false if the slot was empty.
func (c *Crew) Crash(slot string) bool {
	c.mu.Lock()
	o := c.current[slot]
	c.mu.Unlock()
	return o != nil && o.crash()
}

// Pause makes the client that fills a slot stand still. It returns nil if there
// is none, or none that can be paused: one that has a process of its own.
func (c *Crew) Pause(ctx context.Context, slot string) (Standstill, error) {
	c.mu.Lock()
	f, ok := c.current[slot].(freezer)
	c.mu.Unlock()
	if !ok {
		return nil, nil
	}
	return f.freeze(ctx)
}

// Start sets every slot to work. The clients end when their last round and
// what follows it is done, or at once when ctx ends; Wait then returns.
func (c *Crew) Start(ctx context.Context) {
	for i, slot := range c.slots {
		c.running.Go(func() {
			if err := c.fill(ctx, i, slot); err != nil {
				select {
				case c.failed <- err:
				default:
				}
			}
		})
	}
	if c.script != nil {
		c.running.Go(func() { c.script.play(ctx) })
	}
}

// Seated returns a channel that is closed when every slot has had a client, or never
// will have one.
func (c *Crew) Seated() <-chan struct{} { return c.seated.over }

// Finished returns a channel that is closed when every client has made its
// last round and the last leaders, if any, were seen by the observers.
func (c *Crew) Finished() <-chan struct{} {
	return c.busy.over
}

// Failed delivers the first error of the harness itself.
func (c *Crew) Failed() <-chan error { return c.failed }

// Wait returns when every client has ended.
func (c *Crew) Wait() { c.running.Wait() }

// Conclude records the final reads of the protected resources.
func (c *Crew) Conclude(client string) {
	for object, r := range c.resources.all() {
		op := history.Operation{Client: client, Subject: c.subject.Name, Object: object, Kind: history.Read}
		if !c.env.Recorder.Invoke(&op) {
			return
		}
		value, position := r.Read()
		c.env.Recorder.Complete(&history.Completion{ID: op.ID, Client: client, Outcome: history.Ok, Value: value, Revision: position})
		if !c.fenced.Load() {
			continue // the subject has no tokens
		}
		op = history.Operation{Client: client, Subject: c.subject.Name, Object: object, Kind: history.FencedRead, Token: 1<<63 - 1}
		if !c.env.Recorder.Invoke(&op) {
			return
		}
		value, position, err := r.ReadFenced(op.Token)
		done := history.Completion{ID: op.ID, Client: client, Outcome: history.Ok, Value: value, Revision: position}
		if err != nil {
			done.Outcome, done.Error = history.Fail, err.Error()
		}
		c.env.Recorder.Complete(&done)
	}
}

// restartPause is how long a crashed client's replacement takes to start.
var restartPause = quantity.Span{Min: 50 * time.Millisecond, Max: 400 * time.Millisecond}

// fill keeps a slot filled: when its client crashes, a replacement with
// another name takes over.
func (c *Crew) fill(ctx context.Context, index int, slot string) error {
	var once sync.Once
	candidate := index < c.traffic.Clients
	finished := func() {
		if candidate {
			once.Do(func() {
				c.busy.done()
				if index > 0 {
					c.rest.done()
				}
			})
		}
	}
	defer finished()
	seated := sync.OnceFunc(c.seated.done)
	defer seated()
	pause := c.env.pauses("restart/"+slot, restartPause)
	for incarnation := 0; ; incarnation++ {
		name := slot
		if incarnation > 0 {
			name += "." + strconv.Itoa(incarnation)
		}
		heeds := c.traffic.OnLoss == Stop || c.traffic.OnLoss == Watchdog || c.traffic.OnLoss == Mixed && index%2 == 0
		o, err := c.admit(ctx, &seat{crew: c, index: index, slot: slot, name: name, finish: finished}, heeds)
		if err != nil && ctx.Err() != nil { // the run ended while it connected
			return nil
		}
		if err != nil {
			return err
		}
		c.mu.Lock()
		c.current[slot] = o
		c.mu.Unlock()
		seated()
		err = o.work()
		c.vacate(slot, o)
		o.close()
		if !o.hasCrashed() {
			if errors.Is(err, errDead) {
				err = nil
			}
			if err != nil {
				err = fmt.Errorf("client %s: %w", name, err)
			}
			return err
		}
		sleep(ctx, pause(), nil, nil)
		if ctx.Err() != nil {
			return nil
		}
	}
}

// admit makes a client that is to take a seat.
func (c *Crew) admit(ctx context.Context, s *seat, heeds bool) (occupant, error) {
	if c.env.Launch != nil && c.subject.Attach == nil { // a program is a process already
		return c.launch(ctx, s, heeds)
	}
	return c.inhabit(ctx, s, heeds)
}

// Stuck is the number of clients that were left behind in a call of the subject
// that returned neither when its context ended nor when its connection was
// closed.
func (c *Crew) Stuck() int { return int(c.stuck.Load()) }

// Began returns when each client has begun its rounds before the heal, last
// rounds left out. A client that died before its first one is not there.
func (c *Crew) Began() map[string][]time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.began)
}

// Rounds returns how many rounds of Began there are.
func (c *Crew) Rounds() map[string]int {
	rounds := make(map[string]int)
	for client, began := range c.Began() {
		rounds[client] = len(began)
	}
	return rounds
}

// vacate marks a slot as empty.
func (c *Crew) vacate(slot string, o occupant) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current[slot] == o {
		delete(c.current, slot)
	}
}
