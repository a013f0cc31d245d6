package workloads

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/history"
)

// won is a leadership that a client would write to its own disk, so that after
// a restart it can go on with it.
type won struct {
	object string
	lease  int64
	grant  Grant
}

// candidate runs the rounds of one client of an election.
type candidate struct {
	*crewMember
	session   *session
	elections map[string]Election
	// held are the leaderships of a script, the last of each object.
	held map[string]*hold
}

// electionOf returns the client's election for an object in its present session.
func (c *candidate) electionOf(s *session, object string) (Election, error) {
	if c.session != s {
		c.session, c.elections = s, make(map[string]Election)
	}
	if e, ok := c.elections[object]; ok {
		return e, nil
	}
	e, err := c.newElection(s, object, history.Campaign)
	if err == nil {
		c.elections[object] = e
	}
	return e, err
}

// newElection constructs an election, for a first call of the given kind.
func (m *crewMember) newElection(s *session, object string, kind history.Kind) (e Election, err error) {
	wanted := history.Operation{Subject: m.subject.Name, Object: object, Kind: kind, Lease: s.lease}
	err = m.construct(wanted, func() {
		e = m.subject.NewElection(&s.Session, m.env.Prefix+m.subject.Name+"/"+object)
	})
	return e, err
}

func (c *candidate) operation(kind history.Kind, s *session, object string) history.Operation {
	return history.Operation{Subject: c.subject.Name, Object: object, Kind: kind, Lease: s.lease}
}

// round campaigns, leads for a while and resigns. It returns true if all of
// it went well.
func (c *candidate) round(d Decision) (bool, error) {
	if left, ok := c.takeWon(); ok && d.Resume {
		if done, well, err := c.resume(left, d); done || err != nil {
			return well, err
		}
	}
	s, err := c.live(c.ctx)
	if err != nil {
		return false, err
	}
	object := strconv.Itoa(d.Objects[0])
	e, err := c.electionOf(s, object)
	var h *hold
	if err == nil {
		patience, cancelling := c.patience(d)
		h, _, err = c.win(s, e, object, patience, cancelling)
	}
	switch {
	case errors.Is(err, errDead):
		return false, err
	case err != nil:
		if !Certain(err) && !d.Keep {
			c.abandon(s)
		}
		return false, nil
	}
	return c.lead(s, e, object, h, d)
}

// win campaigns with a value of its own, which it returns.
func (c *candidate) win(s *session, e Election, object string, patience time.Duration, cancelling bool) (*hold, string, error) {
	op := c.operation(history.Campaign, s, object)
	op.Value = c.value()
	if c.subject.Blocking {
		patience = 0
	}
	ctx, cancel, deadline := c.within(patience, cancelling)
	defer cancel()
	op.Deadline = deadline
	done, err := c.attempt(op, func(done *history.Completion) error {
		g, err := e.Campaign(ctx, op.Value)
		done.Key, done.Token = g.Key, g.Token
		return err
	})
	if err != nil {
		return nil, "", err
	}
	return c.holdOf(e, object, done), op.Value, nil
}

// holdOf is the hold that the operation acquired won.
func (c *candidate) holdOf(e Election, object string, acquired history.Operation) *hold {
	h := &hold{
		subject: c.subject.Name, object: object, acquire: acquired.ID,
		grant: Grant{Key: acquired.Key, Token: acquired.Token}, resource: c.resource(object),
	}
	h.guard, _ = e.(Guard)
	if w, ok := e.(Worker); ok {
		h.worker = works(w)
	}
	if h.grant.Token != 0 {
		c.fence()
	}
	return h
}

// lead works under a leadership that was won, and resigns it.
func (c *candidate) lead(s *session, e Election, object string, h *hold, d Decision) (bool, error) {
	c.keepWon(won{object: object, lease: s.lease, grant: h.grant})
	deposed := false
	var steps []func()
	if lacks(e, history.Proclaim) {
		d.Proclaims = 0
	}
	for range d.Proclaims {
		steps = append(steps, func() {
			if !deposed && c.believes(s, h) {
				deposed = c.proclaim(s, e, h)
			}
		})
	}
	believes, err := c.work(s, []*hold{h}, d.Hold, d.Guard, steps...)
	if err != nil {
		return false, err
	}
	if !believes {
		// The dead forget nothing. That its session is over reaches a client that
		// crashes sooner or later than that it is dead.
		if err := errIfDead(c.ctx); err != nil {
			return false, err
		}
		c.dropWon()
		c.abandon(s)
		return false, nil
	}
	return c.resign(s, e, h)
}

// proclaim replaces the leader value. It returns true if etcd said that the
// client does not lead.
func (c *candidate) proclaim(s *session, e Election, h *hold) bool {
	_, err := c.proclaimWithin(s, e, h, releasePatience)
	return err != nil && Certain(err)
}

// proclaimWithin proclaims a value of its own, which it returns.
func (c *candidate) proclaimWithin(s *session, e Election, h *hold, patience time.Duration) (string, error) {
	op := h.operation(history.Proclaim, s)
	op.Key, op.Token, op.Value = h.grant.Key, h.grant.Token, c.value()
	ctx, cancel, deadline := c.within(patience, false)
	defer cancel()
	op.Deadline = deadline
	_, err := c.attempt(op, func(*history.Completion) error { return e.Proclaim(ctx, op.Value) })
	return op.Value, err
}

func (c *candidate) resignWithin(s *session, e Election, h *hold, patience time.Duration) error {
	c.dropWon()
	op := h.operation(history.Resign, s)
	op.Key, op.Token = h.grant.Key, h.grant.Token
	ctx, cancel, deadline := c.within(patience, false)
	defer cancel()
	op.Deadline = deadline
	_, err := c.attempt(op, func(*history.Completion) error { return e.Resign(ctx) })
	return err
}

func (c *candidate) resign(s *session, e Election, h *hold) (bool, error) {
	err := c.resignWithin(s, e, h, releasePatience)
	if err != nil && !errors.Is(err, errDead) {
		c.abandon(s)
		return false, nil
	}
	return err == nil, err
}

// perform does a step of a script: campaign, proclaim, resign, leader, observe,
// resume and work. A proclaim or resign without a leadership is made too.
func (c *candidate) perform(s *session, step Step) error {
	e, err := c.electionOf(s, step.Object)
	if err != nil {
		return err
	}
	if c.held == nil {
		c.held = make(map[string]*hold)
	}
	h := c.held[step.Object]
	if h == nil {
		h = &hold{subject: c.subject.Name, object: step.Object}
	}
	patience := releasePatience
	if step.Within > 0 {
		patience = step.Within
	}
	switch step.Verb {
	case "campaign":
		d := step.decision()
		if h.acquire != 0 && !h.given {
			return errHolds
		}
		delete(c.held, step.Object)
		h, _, err := c.win(s, e, step.Object, d.Patience, d.Cancel)
		if err == nil {
			c.held[step.Object] = h
			c.keepWon(won{object: step.Object, lease: s.lease, grant: h.grant})
		}
		return err
	case "proclaim":
		_, err := c.proclaimWithin(s, e, h, patience)
		return err
	case "resign":
		h.given = true
		return c.resignWithin(s, e, h, patience)
	case "leader":
		return c.askOnce(s, e, step.Object, patience)
	case "observe":
		ctx, cancel, _ := c.within(step.Within, step.Cancel)
		defer cancel()
		if !c.followOnce(ctx, s, e, step.Object) {
			return errDead
		}
		return nil
	case "resume":
		return c.resumeOf(s, e, step)
	default:
		return c.workOn(s, c.held[step.Object], step)
	}
}

// resumeOf takes over the leadership that the client of another role has. Like
// etcd's, it does not ask whether it is there still.
func (c *candidate) resumeOf(s *session, e Election, step Step) error {
	index, _ := RoleIndex(step.Value) // validated
	left, ok := c.leftBy(index)
	resumer, can := e.(Resumer)
	if !ok || !can || left.object != step.Object {
		return &skippedError{fmt.Sprintf("%s left no leadership of %s to resume", step.Value, step.Object)}
	}
	op := c.operation(history.Resume, s, step.Object)
	done, err := c.attempt(op, func(done *history.Completion) error {
		resumer.Resume(left.grant)
		done.Key, done.Token = left.grant.Key, left.grant.Token
		return nil
	})
	if err == nil {
		c.held[step.Object] = c.holdOf(e, step.Object, done)
	}
	return err
}

// resume goes on with the leadership that the client's predecessor had won. It
// returns done = false if that cannot be tried.
func (c *candidate) resume(left won, d Decision) (done, well bool, err error) {
	if c.Lease() != 0 {
		return false, false, nil
	}
	s, err := c.open(clientv3.LeaseID(left.lease))
	if errors.Is(err, errDead) {
		return true, false, err
	}
	if err != nil { // its lease is gone
		return false, false, nil
	}
	e, err := c.electionOf(s, left.object)
	resumer, ok := e.(Resumer)
	if err != nil || !ok {
		return false, false, nil
	}
	op := c.operation(history.Resume, s, left.object)
	op.Value = c.value()
	ctx, cancel, deadline := c.within(releasePatience, false)
	op.Deadline = deadline
	resumed, err := c.attempt(op, func(done *history.Completion) error {
		resumer.Resume(left.grant)
		done.Key, done.Token = left.grant.Key, left.grant.Token
		return e.Proclaim(ctx, op.Value)
	})
	cancel()
	if errors.Is(err, errDead) {
		return true, false, err
	}
	if err != nil {
		c.abandon(s)
		return true, false, nil
	}
	well, err = c.lead(s, e, left.object, c.holdOf(e, left.object, resumed), d)
	return true, well, err
}

// last makes the last rounds: every election once in each, retried until it
// went well or ctx ends.
func (c *candidate) last(ctx context.Context) error {
	c.dropWon()
	for object := range c.traffic.lastRounds(c.early(ctx)) {
		for ctx.Err() == nil {
			well, err := c.round(Decision{Objects: []int{object}, Patience: patienceOf(ctx), Hold: time.Millisecond, Guard: true})
			if err != nil {
				return err
			}
			if well {
				break
			}
			sleep(ctx, 20*time.Millisecond, nil, nil)
		}
	}
	return nil
}

// errLost is why a last leader starts again.
var errLost = errors.New("the session was lost while its client won the election")

// finale makes the client the last leader of every election, and waits until
// every observer has seen it or ctx ends; ready is called then, and the
// leaderships last until the run says that they may end.
func (c *candidate) finale(ctx context.Context, ready func()) error {
	defer ready()
	for ctx.Err() == nil {
		s, err := c.live(ctx)
		if err != nil {
			return errIfDead(c.ctx)
		}
		holds, err := c.winAll(ctx, s)
		if errors.Is(err, errDead) {
			return err
		}
		if err != nil {
			c.abandon(s)
			sleep(ctx, 20*time.Millisecond, nil, nil)
			continue
		}
		ready()
		select {
		case <-c.env.Final:
		case <-c.ctx.Done():
			return errDead
		}
		for _, h := range holds {
			if _, err := c.resign(s, c.elections[h.object], h); err != nil {
				return err
			}
		}
		return nil
	}
	return nil
}

// winAll wins every election, one after another.
func (c *candidate) winAll(ctx context.Context, s *session) ([]*hold, error) {
	var holds []*hold
	for index := range c.traffic.Objects {
		object := strconv.Itoa(index)
		e, err := c.electionOf(s, object)
		if err != nil {
			return nil, err
		}
		h, value, err := c.win(s, e, object, patienceOf(ctx), false)
		if err != nil {
			return nil, err
		}
		if !c.believes(s, h) {
			return nil, errLost
		}
		holds = append(holds, h)
		c.await(ctx, object, value)
		if lacks(e, history.Proclaim) {
			continue
		}
		// A last leader says so twice: observers have to see values, too.
		if value, err = c.proclaimWithin(s, e, h, releasePatience); err != nil {
			return nil, err
		}
		c.await(ctx, object, value)
	}
	return holds, nil
}
