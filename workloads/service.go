package workloads

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// Service is what many programs make of an election: a loop that runs in one
// process at a time, and stops when its leadership is over.
type Service interface {
	// Run waits until the caller leads, calls lead once, and gives the
	// leadership up when lead has returned. The context given to lead ends when
	// the leadership or ctx does. Run returns nil if it led and gave up; errors
	// are as for Lock.
	Run(ctx context.Context, lead func(ctx context.Context, grant Grant)) error
}

var (
	errNotLed   = errors.New("run returned without having led")
	errLedTwice = errors.New("run led a second time")
)

// steward runs the rounds of one client of a service. A campaign lasts from the
// call of Run until lead is called; from then on until lead returns, or its
// context ends and the client heeds that, the client believes that it leads.
type steward struct {
	*crewMember
	session  *session
	services map[string]Service
}

// serviceOf returns the client's service for an object in its present session.
func (w *steward) serviceOf(s *session, object string) (Service, error) {
	if w.session != s {
		w.session, w.services = s, make(map[string]Service)
	}
	if e, ok := w.services[object]; ok {
		return e, nil
	}
	var made Service
	wanted := history.Operation{Subject: w.subject.Name, Object: object, Kind: history.Campaign, Lease: s.lease}
	err := w.construct(wanted, func() { made = w.subject.NewService(&s.Session, w.env.Prefix+w.subject.Name+"/"+object) })
	if err == nil {
		w.services[object] = made
	}
	return made, err
}

// round runs the service once. It returns true if all of it went well.
func (w *steward) round(d Decision) (bool, error) {
	s, err := w.live(w.ctx)
	if err != nil {
		return false, err
	}
	object := strconv.Itoa(d.Objects[0])
	service, err := w.serviceOf(s, object)
	var t *term
	if err == nil {
		t, err = w.run(s, service, object, d)
	}
	switch {
	case errors.Is(err, errDead):
		return false, err
	case err != nil && (t == nil || t.led || !Certain(err) && !d.Keep), t != nil && t.lost:
		w.abandon(s)
		return false, nil
	}
	return err == nil, nil
}

// term is one call of Run.
type term struct {
	led, twice, lost, dead bool
	resign                 history.Operation
}

// run makes one call of Run, and records it as a campaign and, if it led, a
// resignation.
func (w *steward) run(s *session, service Service, object string, d Decision) (*term, error) {
	campaign := history.Operation{Subject: w.subject.Name, Object: object, Kind: history.Campaign, Lease: s.lease, Client: w.Name}
	ctx, cancel := context.WithCancel(w.ctx)
	defer cancel()
	patience, _ := w.patience(d)
	if w.subject.Blocking {
		patience = 0
	}
	// A context with a deadline would end the leadership too.
	var timer *time.Timer
	if patience > 0 {
		campaign.Deadline = w.env.Recorder.Clock().Now() + patience
		timer = time.AfterFunc(patience, cancel)
		defer timer.Stop()
	}
	if !w.env.Recorder.Invoke(&campaign) {
		return nil, errDead
	}
	t := &term{}
	var done history.Completion
	err := surviving(func(*history.Completion) error {
		return service.Run(ctx, func(led context.Context, grant Grant) {
			if t.led {
				t.twice = true
				return
			}
			t.led = true
			if timer != nil {
				timer.Stop()
			}
			w.lead(led, s, &campaign, grant, d, t)
		})
	}, &done)
	switch {
	case err == nil && !t.led:
		err = errNotLed
	case err == nil && t.twice:
		err = errLedTwice
	}
	if t.dead {
		return t, errDead
	}
	done.ID, done.Client = campaign.ID, w.Name
	if t.led {
		done.ID = t.resign.ID
	}
	switch {
	case err == nil:
		done.Outcome = history.Ok
	case Certain(err) && !t.led:
		done.Outcome, done.Error = history.Fail, err.Error()
	default:
		done.Outcome, done.Error = history.Info, err.Error()
	}
	if _, ok := w.env.Recorder.Complete(&done); !ok {
		return t, errDead
	}
	return t, err
}

// lead is the client's time as the leader. What it returns with is that the
// leadership is given up.
func (w *steward) lead(ctx context.Context, s *session, campaign *history.Operation, grant Grant, d Decision, t *term) {
	done := history.Completion{ID: campaign.ID, Client: w.Name, Outcome: history.Ok, Key: grant.Key, Token: grant.Token}
	if _, ok := w.env.Recorder.Complete(&done); !ok {
		t.dead = true
		return
	}
	h := &hold{
		subject: w.subject.Name, object: campaign.Object, acquire: campaign.ID, grant: grant, resource: w.resource(campaign.Object),
	}
	if grant.Token != 0 {
		w.fence()
	}
	// The client works under the context that the service gave it: its end is
	// how a service is told of the loss.
	worker := &session{lease: s.lease, told: make(chan struct{})}
	worker.Client, worker.Session.Session = s.Client, s.Session.Session
	watched := make(chan struct{})
	ended, cancel := context.WithCancel(ctx)
	go func() {
		defer close(watched)
		<-ended.Done()
		if ctx.Err() != nil {
			if w.heeds {
				w.lose(s, h.acquire)
			}
			close(worker.told)
		}
	}()
	believes, err := w.work(worker, []*hold{h}, d.Hold, false)
	cancel()
	<-watched
	t.lost = !believes || ctx.Err() != nil
	if errors.Is(err, errDead) {
		t.dead = true
		return
	}
	t.resign = h.operation(history.Resign, s)
	t.resign.Key, t.resign.Token, t.resign.Client = grant.Key, grant.Token, w.Name
	t.dead = !w.env.Recorder.Invoke(&t.resign)
}

// last makes the last round: every service once, each retried until it went
// well or ctx ends.
func (w *steward) last(ctx context.Context) error {
	return w.eachObject(ctx, w.round)
}

// perform does the one step of a script: run, as the leader for the step's time.
func (w *steward) perform(s *session, step Step) error {
	service, err := w.serviceOf(s, step.Object)
	if err != nil {
		return err
	}
	d := step.decision()
	if d.Hold, err = time.ParseDuration(step.Value); err != nil {
		d.Hold = time.Millisecond
	}
	_, err = w.run(s, service, step.Object, d)
	return err
}

// eachObject makes a round on every object, retried until it went well or ctx
// ends.
func (m *crewMember) eachObject(ctx context.Context, round func(Decision) (bool, error)) error {
	for object := range m.traffic.Objects {
		for ctx.Err() == nil {
			d := Decision{Objects: []int{object}, Mode: history.WriteMode, Patience: patienceOf(ctx), Hold: time.Millisecond, Guard: true}
			well, err := round(d)
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
