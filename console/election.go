package console

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// election is the console of etcd's election.
type election struct {
	*Console
	election workloads.Election
}

func openElection(c *Console) (primitive, string) { return &election{Console: c}, "election" }

func (e *election) renew(s *workloads.Session) {
	made := e.subject().NewElection(s, e.object)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.election = made
}

// current is the election of the session that was opened last. Those who ask
// and watch run beside the others, and need no session.
func (e *election) current() workloads.Election {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.election
}

func (e *election) commands() []*command {
	return []*command{
		{name: "elect", aliases: []string{"campaign"}, arguments: "[VALUE]", most: -1, blocks: true, alone: true, run: e.elect, waits: e.tellWaiting,
			summary: "run for leader, waiting for those who were first"},
		{name: "proclaim", arguments: "VALUE", least: 1, most: -1, alone: true, run: e.proclaim, summary: "replace the leader's value"},
		{name: "resign", alone: true, summary: "step down", run: func(j *job, _ []string) error {
			return e.release(j, e.current().Resign)
		}},
		{name: "watch", aliases: []string{"observe"}, blocks: true, lasting: true, run: e.watch, summary: "tell of every leader from now on",
			waits: func(*job, string) { e.out.line(dim, "watching; cancel watch ends it") }},
		{name: "query", aliases: []string{"leader"}, run: e.query, summary: "ask who leads"},
		{name: "rev", aliases: []string{"key"}, run: e.tellKey, summary: "the key and revision of the own leadership: a fencing token"},
	}
}

func (e *election) elect(j *job, args []string) error {
	value := strings.Join(args, " ")
	if value == "" {
		value = e.Name()
	}
	return e.acquire(j, fmt.Sprintf("leads with %q", value), func(ctx context.Context) (workloads.Grant, error) {
		return e.current().Campaign(ctx, value)
	})
}

func (e *election) proclaim(j *job, args []string) error {
	b, err := e.believed()
	if err != nil {
		return err
	}
	value := strings.Join(args, " ")
	err = e.call(j, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, requestTimeout)
		defer cancel()
		return e.current().Proclaim(ctx, value)
	})
	if err != nil {
		return err
	}
	// A new one: whoever has the old one in hand reads it without the lock.
	now := &belief{who: b.who, what: fmt.Sprintf("leads with %q", value), grant: b.grant, since: b.since}
	e.mu.Lock()
	if e.belief == b {
		e.belief = now
	}
	e.mu.Unlock()
	w, _ := j.last(false)
	e.out.line(green, "%s: key %s created at rev %d, put at rev %d", now, b.grant.Key, b.grant.Token, w.revision)
	return nil
}

func (e *election) query(j *job, _ []string) error {
	var leader workloads.Leadership
	err := e.call(j, func(ctx context.Context) (err error) {
		ctx, cancel := context.WithTimeout(ctx, requestTimeout)
		defer cancel()
		leader, err = e.current().Leader(ctx)
		return err
	})
	if errors.Is(err, workloads.ErrNoLeader) {
		e.out.line(plain, "nobody leads: there is no key of %s", e.object)
		return nil
	}
	if err != nil {
		return err
	}
	e.tellLeader(j, leader)
	return nil
}

func (e *election) watch(j *job, _ []string) error {
	for leader := range e.current().Observe(j.ctx) {
		e.awaitResumed()
		e.tellLeader(j, leader)
	}
	if j.cancelled() {
		e.out.line(yellow, "watch is cancelled")
		return nil
	}
	if e.leaving() {
		return nil
	}
	return errors.New("the observation is lost")
}

func (e *election) tellLeader(j *job, leader workloads.Leadership) {
	// The key is named after its session's lease; election-checked adds a number.
	lease, _, _ := strings.Cut(leader.Key[strings.LastIndexByte(leader.Key, '/')+1:], "-")
	who, ok := e.readNames(j.ctx)[lease]
	if !ok {
		who = "nobody known"
	}
	e.out.line(plain, "leader: %q of %s: key %s created at rev %d, as of rev %d", leader.Value, who, leader.Key, leader.Token, leader.Revision)
}
