// Package conform goes through the protocol of docs/protocol.md with a program,
// step by step, and says what was expected and what came.
package conform

import (
	"context"
	"errors"
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/pipe"
)

// Bench is what a program is tried with.
type Bench struct {
	Command *pipe.Command
	// Connect gives a client links of its own to a cluster that serves etcd's JSON
	// gateway; Admin is a connection of the harness's.
	Connect func(client string) ([]string, error)
	Admin   *clientv3.Client
	// Prefix is before all keys of the program, and TTL is for its leases.
	Prefix string
	TTL    time.Duration
	// Report is told of each step when it is done.
	Report func(Step)

	hello   pipe.Hello
	subject workloads.Subject
	started int
	object  int
	failed  bool
	// broken are the rules that steps have failed by, and noisy is true if the program
	// writes before it answers hello, which was told.
	broken map[string]bool
	noisy  bool
}

// The outcomes of a step.
const (
	Passed  = "ok"
	Failed  = "FAIL"
	Skipped = "skipped"
)

// Step is one thing that was tried.
type Step struct {
	Name, Outcome string
	// Text says what was seen or, of a step that failed, what was expected, what
	// came, and what to do.
	Text string
}

// failure is why a step failed. Rule is that of the protocol which was broken, or
// "".
type failure struct{ want, got, advice, rule string }

func (f *failure) Error() string {
	return fmt.Sprintf("expected: %s; came: %s; to do: %s", f.want, f.got, f.advice)
}

// skipped is why a step was skipped.
type skipped struct{ why string }

func (s *skipped) Error() string { return s.why }

// ErrNoHello is returned by Check if the program did not get as far as to be
// tried.
var ErrNoHello = errors.New("the program did not answer hello as it has to")

// Check tries everything that the program says it can. It returns true if all
// went well.
func (b *Bench) Check(ctx context.Context) (bool, error) {
	if err := b.greet(ctx); err != nil {
		return false, err
	}
	for _, step := range []struct {
		name string
		try  func(context.Context) (string, error)
	}{
		{"take and give back", b.takeAndGive}, {"what a grant tells", b.tells}, {"two at once", b.contention},
		{"waiting", b.waiting}, {"a deadline while waiting", b.deadline}, {"rising tokens", b.tokens}, {"try-acquire", b.try}, {"readers and writers", b.modes},
		{"leader and proclaim", b.leader}, {"observe", b.observe}, {"work", b.work}, {"loss", b.loss},
		{"death of a holder", b.death}, {"the end", b.end},
	} {
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		b.object++
		text, err := step.try(ctx)
		b.report(step.name, text, err)
		var failed *failure
		if !errors.As(err, &failed) || failed.rule == "" {
			continue
		}
		if b.broken[failed.rule] {
			b.report("the rest", "", &skipped{"the program has failed in the same way twice: " + failed.rule})
			break
		}
		b.broken[failed.rule] = true
	}
	return !b.failed, nil
}

// greet asks the program what it is.
func (b *Bench) greet(ctx context.Context) error {
	const name, want = "hello without a cluster", "an answer without any endpoint: the program says what it is before there is a cluster"
	b.broken = make(map[string]bool)
	a := workloads.Attachment{Client: "probe", Prefix: b.Prefix, TTL: b.TTL}
	p, err := b.Command.Start(ctx, a)
	if err != nil {
		b.report(name, "", fail(want, err, `answer {"id":1,"ok":true,…} to hello, and connect to etcd later`))
		if a.Endpoints, err = b.Connect(a.Client); err != nil {
			return err
		}
		if p, err = b.Command.Start(ctx, a); err != nil {
			return errors.Join(ErrNoHello, err)
		}
	} else if rule, story := p.Breach(); rule != "" {
		b.noisy = true
		b.report(name, "", fail("the answer, and nothing else", &workloads.BreachError{Rule: rule, Story: rule + ": " + story}, ""))
	} else {
		b.report(name, fmt.Sprintf("%s with %v, name %q, layout %q", p.Primitive, p.Ops, p.Name, p.Layout), nil)
	}
	p.Kill()
	b.hello, b.subject = p.Hello, b.Command.Subject("checked", p.Hello)
	return nil
}

func (b *Bench) report(name, text string, err error) {
	s := Step{Name: name, Outcome: Passed, Text: text}
	var skip *skipped
	switch {
	case errors.As(err, &skip):
		s.Outcome, s.Text = Skipped, skip.why
	case err != nil:
		s.Outcome, s.Text = Failed, err.Error()
		b.failed = true
	}
	b.Report(s)
}

func fail(want string, got error, advice string) error {
	rule := ""
	var broken *workloads.BreachError
	if errors.As(got, &broken) {
		rule, advice = broken.Rule, pipe.Advice(broken.Rule)
	}
	return &failure{want, got.Error(), advice, rule}
}

// party is one program at the bench, with its object.
type party struct {
	*pipe.Program
	lock     workloads.Lock
	rw       workloads.RWLock
	election workloads.Election
}

// join starts a program on the object of the step.
func (b *Bench) join(ctx context.Context) (*party, error) {
	b.started++
	client := fmt.Sprintf("c%d", b.started)
	urls, err := b.Connect(client)
	if err != nil {
		return nil, err
	}
	program, err := b.Command.Start(ctx, workloads.Attachment{Client: client, Endpoints: urls, Prefix: b.Prefix, TTL: b.TTL})
	if err != nil {
		return nil, fail("a second start like the first", err, "let any number of programs run side by side")
	}
	if b.noisy {
		_, _ = program.Breach() // which was told at hello
	}
	p := &party{Program: program}
	session, prefix := &workloads.Session{Partner: program}, fmt.Sprintf("%s/%d", b.Prefix, b.object)
	switch b.hello.Primitive {
	case history.Election:
		p.election = b.subject.NewElection(session, prefix)
	case history.RWMutex:
		p.rw = b.subject.NewRWLock(session, prefix)
	default:
		p.lock = b.subject.NewLock(session, prefix)
	}
	return p, nil
}

// take acquires, or campaigns, for no longer than patience.
func (p *party) take(ctx context.Context, patience time.Duration) (workloads.Grant, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	g, err := func() (workloads.Grant, error) {
		switch {
		case p.election != nil:
			return p.election.Campaign(ctx, fmt.Sprintf("value-%d", p.PID()))
		case p.rw != nil:
			return p.rw.Acquire(ctx)
		default:
			return p.lock.Acquire(ctx)
		}
	}()
	return g, p.blame(err)
}

// give releases, or resigns.
func (p *party) give(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, givePatience)
	defer cancel()
	switch {
	case p.election != nil:
		return p.blame(p.election.Resign(ctx))
	case p.rw != nil:
		return p.blame(p.rw.Release(ctx))
	default:
		return p.blame(p.lock.Release(ctx))
	}
}

// blame says a breach of the protocol rather than what came of it.
func (p *party) blame(err error) error {
	if rule, story := p.Breach(); rule != "" {
		return &workloads.BreachError{Rule: rule, Story: rule + ": " + story}
	}
	return err
}

const (
	takePatience = 10 * time.Second
	givePatience = 5 * time.Second
	// shortPatience is for calls that are not to succeed, and lateness how much
	// later they may answer.
	shortPatience = time.Second
	lateness      = 3 * time.Second
)

const (
	takeAdvice = "answer acquire (campaign) with ok true as soon as the caller holds the object, and no sooner"
	giveAdvice = "answer release (resign) with ok true when it is done, or with ok false and an error"
)

// pair starts two programs and has the first take the object.
func (b *Bench) pair(ctx context.Context) (first, second *party, g workloads.Grant, end func(), err error) {
	if first, err = b.join(ctx); err != nil {
		return nil, nil, g, func() {}, err
	}
	if second, err = b.join(ctx); err != nil {
		first.Kill()
		return nil, nil, g, func() {}, err
	}
	if g, err = first.take(ctx, takePatience); err != nil {
		first.Kill()
		second.Kill()
		return nil, nil, g, func() {}, fail("a grant of a free object within 10 s", err, takeAdvice)
	}
	return first, second, g, func() { first.Kill(); second.Kill() }, nil
}
