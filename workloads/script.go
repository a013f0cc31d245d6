package workloads

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

var objectForm = regexp.MustCompile(`^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$`)

// script has the clients of a crew do what its traffic's script says. Steps of
// one role are done one after another, by whoever fills the role's slot.
type script struct {
	crew  *Crew
	steps []Step
	roles []*role
	// awaited counts how often the script has waited for what.
	awaited map[Await]int
	// done is closed when the script has ended.
	done chan struct{}
}

// role is what the clients of one slot have to do.
type role struct {
	steps chan Step
	// idle is signalled by every step that ends.
	mu   sync.Mutex
	open int
	idle *sync.Cond
	// member is the client that has the role now.
	member *crewMember
	// left is a step that a client took and did not begin, as it was dead.
	left *Step
}

// fill gives a role to a client.
func (s *script) fill(index int, m *crewMember) {
	if index >= len(s.roles) {
		return // it only observes
	}
	r := s.roles[index]
	r.mu.Lock()
	defer r.mu.Unlock()
	r.member = m
}

func (r *role) filledBy() *crewMember {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.member
}

// take returns the next step for the role's client, or false when there are no
// more and all is healed. A step that it took as ctx ended is left to the next
// client.
func (r *role) take(ctx context.Context, healed <-chan struct{}) (step Step, more bool, err error) {
	if left := r.takeLeft(); left != nil {
		step, more = *left, true
	} else {
		select {
		case step, more = <-r.steps:
		case <-ctx.Done():
			return Step{}, false, errDead
		}
	}
	if !more {
		select {
		case <-healed:
			return Step{}, false, nil
		case <-ctx.Done():
			return Step{}, false, errDead
		}
	}
	if ctx.Err() != nil {
		r.leave(step)
		return Step{}, false, errDead
	}
	return step, true, nil
}

// takeLeft returns the step that a client before left, if there is one.
func (r *role) takeLeft() *Step {
	r.mu.Lock()
	defer r.mu.Unlock()
	step := r.left
	r.left = nil
	return step
}

// leave leaves a step to the next client.
func (r *role) leave(step Step) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.left = &step
}

// finish says that a step has ended.
func (r *role) finish() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open--
	r.idle.Broadcast()
}

// newScript returns the script of a crew, or nil if it has none.
func newScript(c *Crew) *script {
	if len(c.traffic.Script) == 0 {
		return nil
	}
	s := &script{crew: c, awaited: make(map[Await]int), done: make(chan struct{})}
	for n := range max(c.traffic.Repeat, 1) {
		for _, line := range c.traffic.Script {
			step, err := ParseStep(c.subject.Primitive(), strings.ReplaceAll(line, "#", strconv.Itoa(n+1)))
			if err != nil { // validated
				panic(err)
			}
			s.steps = append(s.steps, step)
		}
	}
	for range c.traffic.Clients {
		r := &role{steps: make(chan Step, len(s.steps))}
		r.idle = sync.NewCond(&r.mu)
		s.roles = append(s.roles, r)
	}
	return s
}

// play does the steps in order until ctx ends or all is healed, and then lets
// the clients go.
func (s *script) play(ctx context.Context) {
	defer close(s.done)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, s.wake)
	defer stop()
	released := make(chan struct{})
	go func() {
		defer close(released)
		select {
		case <-s.crew.env.Healed:
			cancel()
		case <-ctx.Done():
		}
	}()
	cut := "" // the step at which the script ended before its time
	for _, step := range s.steps {
		if err := s.begin(ctx, step); err != nil || ctx.Err() != nil {
			cut = step.String()
			break
		}
	}
	for _, r := range s.roles {
		if cut == "" && !r.wait(ctx) {
			cut = "the steps in the background"
		}
		close(r.steps)
	}
	if cut == "" {
		s.signal("", history.ScriptEnd)
	} else {
		s.signal("", history.ScriptCut+cut)
	}
	cancel()
	<-released
}

// begin does a step of the script itself, or gives it to its role, and waits
// for its end unless it is one for the background.
func (s *script) begin(ctx context.Context, step Step) error {
	index, has := RoleIndex(step.Role)
	client, slot := "", ""
	if has {
		slot = s.crew.slots[index]
		client, _ = s.crew.Current(slot)
	}
	switch step.Verb {
	case verbSleep:
		sleep(ctx, step.Within, nil, nil)
		return nil
	case verbSignal:
		s.signal(client, step.Value)
		return nil
	case verbUntil:
		if step.Within > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, step.Within)
			defer cancel()
		}
		wait := Await{slot, step.Value}
		s.awaited[wait]++
		return s.crew.env.Await(ctx, s.crew.subject.Name, slot, step.Value, s.awaited[wait])
	case verbCrash:
		s.crew.Crash(slot)
		return nil
	}
	r := s.roles[index]
	if step.Verb == verbJoin {
		r.wait(ctx)
		return nil
	}
	r.mu.Lock()
	r.open++
	r.mu.Unlock()
	r.steps <- step
	if !step.Background {
		r.wait(ctx)
	}
	return nil
}

func (s *script) signal(client, name string) {
	s.crew.env.Recorder.Event(history.Event{Kind: history.Signalled, Subject: s.crew.subject.Name, Client: client, Detail: name})
}

// wait returns true when the role has nothing to do, or false when ctx has
// ended before.
func (r *role) wait(ctx context.Context) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.open > 0 && ctx.Err() == nil {
		r.idle.Wait()
	}
	return r.open == 0
}

// wake lets everybody who waits for a role look again.
func (s *script) wake() {
	for _, r := range s.roles {
		r.mu.Lock()
		r.idle.Broadcast()
		r.mu.Unlock()
	}
}

// play does the steps of the client's role, until there are no more and all is
// healed, or the client dies.
func (m *crewMember) play(p part) error {
	for {
		step, more, err := m.nextStep(m.ctx)
		if err != nil || !more {
			return err
		}
		err = m.do(p, step)
		m.stepDone()
		var skipped *skippedError
		switch {
		case errors.Is(err, errDead):
			return err
		case errors.As(err, &skipped):
			m.signal(fmt.Sprintf("skipped %q: %v", step, err))
		}
	}
}

func (m *crewMember) signal(name string) {
	m.env.Recorder.Event(history.Event{Kind: history.Signalled, Subject: m.Subject, Client: m.Name, Detail: name})
}

func (m *crewMember) do(p part, step Step) error {
	session, err := m.sessionOf(step.Role)
	if err != nil {
		return err
	}
	switch step.Verb {
	case verbSession:
		return nil
	case verbClose:
		m.abandon(session)
		return nil
	}
	return p.perform(session, step)
}

// sessionOf is the session that a role uses: its own, or that of the role with
// which it shares. A session that was lost is kept: a script says itself when a
// client begins anew.
func (m *crewMember) sessionOf(name string) (_ *session, err error) {
	if owner, shares := m.sharer(name); shares {
		sharer := m
		if m = owner; m == nil {
			return nil, &skippedError{fmt.Sprintf("%s shares the session of %s, which has not begun", name, sharer.traffic.Shared[name])}
		}
		defer func() {
			if errors.Is(err, errDead) && sharer.ctx.Err() == nil { // not the one who asks is
				err = &skippedError{fmt.Sprintf("%s shares the session of %s, which is dead", name, sharer.traffic.Shared[name])}
			}
		}()
	}
	m.mu.Lock()
	current := m.current
	m.mu.Unlock()
	if current != nil {
		return current, nil
	}
	return m.live(m.ctx)
}

// skippedError is why a step was not done.
type skippedError struct{ reason string }

func (e *skippedError) Error() string { return e.reason }

// Await is an event that a script waits for: of the client in a slot, or of any
// if Slot is "".
type Await struct{ Slot, Event string }

// Awaits lists what the crew's script waits for. The same event of the same
// client is waited for again and again: each time for its next occurrence.
func (c *Crew) Awaits() []Await {
	if c.script == nil {
		return nil
	}
	var waits []Await
	for _, step := range c.script.steps {
		if step.Verb != verbUntil {
			continue
		}
		wait := Await{Event: step.Value}
		if index, ok := RoleIndex(step.Role); ok {
			wait.Slot = c.slots[index]
		}
		waits = append(waits, wait)
	}
	return waits
}

// Played returns a channel that is closed when the crew's script has ended, or
// nil if it has none.
func (c *Crew) Played() <-chan struct{} {
	if c.script == nil {
		return nil
	}
	return c.script.done
}

// scriptPatience is how long a call of a script may take that does not say it.
const scriptPatience = 15 * time.Second

// decision is what a step asks for, as a round's.
func (s Step) decision() Decision {
	d := Decision{Mode: history.WriteMode, Patience: scriptPatience}
	if s.Within > 0 {
		d.Patience, d.Impatience, d.Cancel = s.Within, s.Within, s.Cancel
	}
	return d
}

// scriptMistakes returns what is wrong with the script of a workload on a
// primitive.
func (t *Traffic) scriptMistakes(p history.Primitive) []Mistake {
	var mistakes []Mistake
	for i, line := range t.Script {
		field := fmt.Sprintf("script[%d]", i)
		step, err := ParseStep(p, strings.ReplaceAll(line, "#", "1"))
		if err != nil {
			mistakes = append(mistakes, Mistake{field, err})
			continue
		}
		if index, ok := RoleIndex(step.Role); ok && index >= t.Clients {
			mistakes = append(mistakes, Mistake{field, fmt.Errorf("there is no client %s: the workload has clients: %d", step.Role, t.Clients)})
		}
		if step.Verb == "enqueue" && step.Value != "" {
			if _, err := strconv.ParseUint(step.Value, 10, 16); err != nil {
				mistakes = append(mistakes, Mistake{field, fmt.Errorf("%q is no priority, which is a number from 0 to 65535", step.Value)})
			}
		}
		if step.Verb == verbSignal && step.Value == history.ScriptEnd {
			mistakes = append(mistakes, Mistake{field, fmt.Errorf("%q is what the script itself signals at its end", step.Value)})
		}
		if step.Verb == verbResume {
			if index, ok := RoleIndex(step.Value); !ok || index >= t.Clients {
				mistakes = append(mistakes, Mistake{field, fmt.Errorf("%q is no role whose leadership could be resumed", step.Value)})
			}
		}
	}
	if len(t.Script) == 0 && len(t.Shared) > 0 {
		mistakes = append(mistakes, Mistake{"shared", errors.New("it is for the roles of a script, and there is none")})
	}
	for _, role := range slices.Sorted(maps.Keys(t.Shared)) {
		owner := t.Shared[role]
		for _, name := range []string{role, owner} {
			if index, ok := RoleIndex(name); !ok || index >= t.Clients {
				mistakes = append(mistakes, Mistake{"shared", fmt.Errorf("there is no client %q", name)})
			}
		}
		if _, chain := t.Shared[owner]; chain {
			mistakes = append(mistakes, Mistake{"shared", fmt.Errorf("%s shares with %s, which shares itself", role, owner)})
		}
	}
	return mistakes
}
