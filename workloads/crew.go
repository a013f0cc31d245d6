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
	failed     chan error
	stuck      atomic.Int64

	script *script
	// meetings are of a double barrier: who is about to enter with whom.
	meetings meetings
	// fenced is true once a hold had a token.
	fenced atomic.Bool

	mu      sync.Mutex
	current map[string]*Client
	left    map[string]won
	began   map[string][]time.Duration // rounds, by client
}

// crewMember is one client at work for its crew.
type crewMember struct {
	*Client
	*Crew
	env *Env
}

// NewCrew returns the crew of a workload. Its slots are named c<first>,
// c<first+1>, …
func NewCrew(env *Env, subject Subject, traffic Traffic, first int) *Crew {
	c := &Crew{
		env: env, subject: subject, traffic: traffic, seen: newSightings(), failed: make(chan error, 1),
		current: make(map[string]*Client), left: make(map[string]won), began: make(map[string][]time.Duration),
	}
	c.resources.make = subject.NewResource
	if c.resources.make == nil {
		c.resources.make = NewResource
	}
	if len(traffic.Script) == 0 && subject.protects() {
		for i := range traffic.Objects {
			c.resources.of(strconv.Itoa(i))
		}
	}
	c.script = newScript(c)
	c.slots = Slots(first, traffic.Clients+traffic.Observers)
	c.busy, c.rest = newCountdown(traffic.Clients), newCountdown(traffic.Clients-1)
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
	client := c.current[slot]
	c.mu.Unlock()
	if client == nil {
		return "", 0
	}
	return client.Name, client.Lease()
}

// Crash kills the client that fills a slot. A replacement will follow. It
// returns false if the slot was empty.
func (c *Crew) Crash(slot string) bool {
	c.mu.Lock()
	client := c.current[slot]
	c.mu.Unlock()
	return client != nil && client.crash()
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
	pause := c.env.pauses("restart/"+slot, restartPause)
	for incarnation := 0; ; incarnation++ {
		name := slot
		if incarnation > 0 {
			name += "." + strconv.Itoa(incarnation)
		}
		heeds := c.traffic.OnLoss == Stop || c.traffic.OnLoss == Watchdog || c.traffic.OnLoss == Mixed && index%2 == 0
		client, err := newClient(ctx, c.env, slot, name, &c.subject, &c.traffic, heeds)
		if err != nil {
			return err
		}
		c.mu.Lock()
		c.current[slot] = client
		c.mu.Unlock()
		served := make(chan error, 1)
		go func() { served <- c.serve(&crewMember{Client: client, Crew: c, env: c.env}, index, finished) }()
		err = c.await(client, served)
		client.close()
		if !client.hasCrashed() {
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

// stuckPatience is how long the calls of a client that is dead may take to
// return.
const stuckPatience = 5 * time.Second

// await waits for what a client's work comes to. A client that is dead, and
// whose call does not heed that, is left behind.
func (c *Crew) await(client *Client, served <-chan error) error {
	defer c.vacate(client)
	select {
	case err := <-served:
		return err
	case <-client.ctx.Done():
	}
	// Calls that take no context end with the connection.
	client.hangUp()
	timer := time.NewTimer(stuckPatience)
	defer timer.Stop()
	select {
	case err := <-served:
		return err
	case <-timer.C:
		c.stuck.Add(1)
		return errDead
	}
}

// Stuck is the number of clients that were left behind in a call of the subject
// that returned neither when its context ended nor when its connection was
// closed.
func (c *Crew) Stuck() int { return int(c.stuck.Load()) }

// serve does all that one client does in its life.
func (c *Crew) serve(m *crewMember, index int, finished func()) error {
	if index >= c.traffic.Clients {
		return (&observer{m}).observe()
	}
	part := c.partOf(m)
	_, steward := part.(*steward)
	m.alone = c.script == nil && !steward && c.subject.Attach == nil
	if c.script != nil {
		err := c.script.serve(m, index, part)
		finished()
		return c.end(m, err)
	}
	told := finished
	finished = func() {
		m.alone = false // whoever waits for the crew goes on beside the client
		told()
	}
	leader, _ := part.(*candidate)
	decide := Planned(c.env.Seed, m.Name, &c.traffic)
	for !c.env.healed() {
		d, more := decide()
		if !more {
			select {
			case <-c.env.Healed:
			case <-m.ctx.Done():
				return errDead
			}
			break
		}
		c.begin(m.Name)
		if len(d.Objects) > 0 {
			if _, err := part.round(d); err != nil {
				return err
			}
		}
		sleep(m.ctx, d.Think, c.env.Healed, nil)
	}
	if c.traffic.NoLastRound {
		finished()
		return c.end(m, nil)
	}
	ctx, cancel := context.WithTimeout(m.ctx, c.env.Quiet)
	defer cancel()
	if err := part.last(ctx); err != nil {
		return err
	}
	if leader != nil && index == 0 {
		select {
		case <-c.rest.over:
		case <-ctx.Done():
		}
		return c.end(m, leader.finale(ctx, finished))
	}
	finished()
	return c.end(m, nil)
}

// begin takes note of a round that a client begins.
func (c *Crew) begin(client string) {
	now := c.env.Recorder.Clock().Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.began[client] = append(c.began[client], now)
}

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

// part is what one client does with a primitive.
type part interface {
	// round does what a decision says. It returns true if all of it went well.
	round(Decision) (bool, error)
	// last makes the last round, retried until it went well or ctx ends.
	last(ctx context.Context) error
	// perform does one step of a script with a session. Its error is of the
	// call; only errDead ends the client.
	perform(s *session, step Step) error
}

// partOf returns what a client does with the crew's subject.
func (c *Crew) partOf(m *crewMember) part {
	switch {
	case c.subject.NewElection != nil:
		return &candidate{crewMember: m}
	case c.subject.NewQueue != nil, c.subject.NewPriorityQueue != nil:
		return &queuer{crewMember: m}
	case c.subject.NewBarrier != nil:
		return &passer{crewMember: m}
	case c.subject.NewDoubleBarrier != nil:
		return &enterer{crewMember: m}
	case c.subject.NewService != nil:
		return &steward{crewMember: m}
	case c.subject.NewBank != nil:
		return &teller{crewMember: m}
	case c.subject.NewRegister != nil:
		return &writer{crewMember: m}
	default:
		return &locker{crewMember: m}
	}
}

// end closes the client's session, if it has one.
func (c *Crew) end(m *crewMember, err error) error {
	m.Client.mu.Lock()
	s := m.Client.current
	m.Client.mu.Unlock()
	if err == nil && s != nil {
		m.abandon(s)
	}
	return err
}

// vacate marks the client's slot as empty.
func (c *Crew) vacate(client *Client) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current[client.Slot] == client {
		delete(c.current, client.Slot)
	}
}

// keepWon remembers a leadership for the client's replacement, as a client
// would on its disk; dropWon forgets it, and takeWon does and returns it. A client
// that is dead does nothing to its disk.
func (m *crewMember) keepWon(w won) {
	if m.hasCrashed() {
		return
	}
	m.Crew.mu.Lock()
	defer m.Crew.mu.Unlock()
	m.Crew.left[m.Slot] = w
}

func (m *crewMember) dropWon() { m.takeWon() }

func (m *crewMember) takeWon() (won, bool) {
	if m.hasCrashed() {
		return won{}, false
	}
	m.Crew.mu.Lock()
	defer m.Crew.mu.Unlock()
	w, ok := m.Crew.left[m.Slot]
	delete(m.Crew.left, m.Slot)
	return w, ok
}
