package holdfast

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/etcd-holdfast/holdfast/cluster/embedded"
	"github.com/etcd-holdfast/holdfast/cluster/members"
	"github.com/etcd-holdfast/holdfast/faults"
	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/internal/offspring"
	"github.com/etcd-holdfast/holdfast/quantity"
	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/pipe"
)

// PipeError says that a program cannot be put to the test, and why.
type PipeError struct {
	Command string
	Err     error
}

func (e *PipeError) Error() string {
	return fmt.Sprintf("the program %q cannot be put to the test: %v; docs/protocol.md says what it has to do, and this tries it: holdfast pipe check", e.Command, e.Err)
}

func (e *PipeError) Unwrap() error { return e.Err }

const (
	// pipeName is what a program is called that does not say.
	pipeName = "program"
	// LogsOfPrograms is the directory, in a run's, of what programs have written on
	// their standard error, a file a client.
	LogsOfPrograms = "programs"
	// pipeTTL leaves time for programs that renew a lease by starting another.
	pipeTTL = 3 * time.Second
	// pipePeace is how long a program's clients are left in peace at first, and
	// pipeMembers how long the members are: a program's calls are slow by themselves,
	// and while members are harmed too few of them come to an end.
	pipePeace   = 3 * time.Second
	pipeMembers = 26 * time.Second
)

// programs are what a run needs to start them.
type programs struct {
	parent   *offspring.Parent
	commands []*pipe.Command
}

func (p *programs) close() {
	if p.parent != nil {
		_ = p.parent.Close() // what would not end is told of where it was asked to
	}
}

// keepLogs has what programs write on standard error kept in a run's directory, with
// the time on its clock.
func (p *programs) keepLogs(directory string, now func() time.Duration) {
	for _, c := range p.commands {
		c.Logs, c.Now = filepath.Join(directory, LogsOfPrograms), now
	}
}

// piped is true if a workload is of a program.
func (s *Scenario) piped() bool {
	return slices.ContainsFunc(s.Workloads, func(w Workload) bool { return w.Pipe != "" })
}

// askPrograms asks each program of the scenario what it is, and makes it one of
// the scenario's subjects.
func (s *Scenario) askPrograms(ctx context.Context) (*programs, error) {
	p := &programs{}
	if !s.piped() {
		return p, nil
	}
	// What is wrong with all else is told before anything is started.
	c := s.completed()
	if err := c.Validate(); err != nil {
		return nil, err
	}
	s.Workloads, s.Subjects = c.Workloads, slices.Clone(s.Subjects)
	var err error
	if p.parent, err = offspring.NewParent(); err != nil {
		return nil, &PipeError{Command: s.Workloads[0].Pipe, Err: err}
	}
	for i := range s.Workloads {
		w := &s.Workloads[i]
		if w.Pipe == "" {
			continue
		}
		command := &pipe.Command{Line: w.Pipe, Parent: p.parent}
		hello, err := askHello(ctx, command)
		if err != nil {
			p.close()
			return nil, &PipeError{Command: w.Pipe, Err: err}
		}
		if hello.Primitive == history.Election && !hello.Can("observe") {
			w.Observers = 0
		}
		p.commands = append(p.commands, command)
		s.Subjects = append(s.Subjects, command.Subject(w.Subject, hello))
	}
	return p, nil
}

// askHello asks a program what it is, at first without any etcd; one that needs
// etcd for its answer is given a member for a moment.
func askHello(ctx context.Context, c *pipe.Command) (pipe.Hello, error) {
	who := workloads.Attachment{Client: "probe", Prefix: runPrefix + "probe", TTL: pipeTTL}
	hello, err := c.Hello(ctx, who)
	if err == nil {
		return hello, nil
	}
	member, failed := embedded.Start(ctx, members.Config{Members: 1, Gateway: true})
	if failed != nil {
		return hello, errors.Join(err, failed)
	}
	defer func() { _ = member.Close() }() // it was empty
	if who.Endpoints, failed = member.Connect("probe"); failed != nil {
		return hello, errors.Join(err, failed)
	}
	return c.Hello(ctx, who)
}

// probe asks a program that no scenario has yet.
func probe(ctx context.Context, command string) (workloads.Subject, pipe.Hello, error) {
	parent, err := offspring.NewParent()
	if err != nil {
		return workloads.Subject{}, pipe.Hello{}, &PipeError{Command: command, Err: err}
	}
	defer func() { _ = parent.Close() }()
	c := &pipe.Command{Line: command, Parent: parent}
	hello, err := askHello(ctx, c)
	if err != nil {
		return workloads.Subject{}, hello, &PipeError{Command: command, Err: err}
	}
	name := hello.Name
	if _, taken := (&Scenario{}).subject(name); taken || name == "" {
		name = pipeName
	}
	return c.Subject(name, hello), hello, nil
}

// PipeScenario returns the scenario of TortureScenario for a program, which is
// asked what it is. Its leases live longer there, and so do its long holds.
// Errors are of type *PipeError.
func PipeScenario(ctx context.Context, command string) (Scenario, error) {
	subject, _, err := probe(ctx, command)
	if err != nil {
		return Scenario{}, err
	}
	s := TortureScenario(subject)
	s.Name, s.Summary = "pipe", "A program at its work: many clients, few objects, long holds, little patience, and every fault at the moments that matter."
	s.Subjects = nil
	s.Duration, s.Quiet, s.Clients.TTL = 36*time.Second, 20*time.Second, pipeTTL
	s.Expect.DeadlineGrace = 4 * time.Second // it may have to start others for each call
	w := &s.Workloads[0]
	// Programs take longer for a call than what is in this process: those that
	// harm them have to find them at it.
	w.Pipe, w.Clients, w.LastRounds = command, 5, 0
	w.Hold, w.Long, w.LongHold = span(10, 300), 0.2, span(4000, 6000)
	s.Faults = pipeFaults(subject)
	return s, nil
}

// pipeFaults are the faults that the clients of a program meet. Each mistake that
// programs make has an entry that brings it about, and none waits for another: a
// release whose answer is lost and that is made again when another holds already;
// a lease that ends while others wait, and its holder goes on; a holder that
// stands still, or is cut off, for longer than its lease lives; and what happens
// to those who wait. Members are harmed only in the end. Answers are lost for
// longer than programs wait for one.
func pipeFaults(subject workloads.Subject) []Fault {
	release := history.Release
	if subject.Primitive() == history.Election {
		release = history.Resign
	}
	entry := func(event string, longer time.Duration, length, rest quantity.Span, of ...string) Fault {
		return Fault{
			When: &faults.Trigger{Subject: faults.Names{subject.Name}, Event: event, Longer: longer}, Of: of,
			For: length, Peace: pipePeace, Rest: rest, Times: 20,
		}
	}
	return []Fault{
		{Of: []string{"isolate-member", "isolate-leader", "one-way", "split", "bridge", "crash-member"}, Peace: pipeMembers, Every: span(1500, 3000), For: span(800, 2000)},
		{Of: []string{"compact"}, Peace: pipeMembers, Every: span(2500, 4000)},
		{
			When: &faults.Trigger{Subject: faults.Names{subject.Name}, Event: faults.Called + " " + string(release), Nth: 4}, Of: []string{"lose-answer", "lose-answer-partly"},
			For: span(1200, 2500), Times: 20,
		},
		entry(faults.Holding, 150*time.Millisecond, span(1, 1), span(300, 800), "revoke-lease", "revoke-lease", "crash-client"),
		entry(faults.Holding, 50*time.Millisecond, span(3400, 4600), span(500, 1500), "pause-client", "cut-client", "stall-client"),
		entry(faults.Waiting, 30*time.Millisecond, span(300, 1000), span(1500, 3000), "cut-client", "stall-client", "pause-client"),
		entry(faults.Waiting, 100*time.Millisecond, span(1, 1), span(1500, 3000), "revoke-lease", "revoke-lease", "crash-client"),
	}
}

// WithPipe returns the scenario with a program in place of what it has
// workloads of. The traffic is that of the scenario's first workload of the same
// primitive, or else the usual one, with leases of no less than 3 s, as a program
// takes longer to renew one, and time for the last round. Faults that wait for clients of that
// workload wait for the program's, and damage that is expected of it is expected of
// the program; what is about others is left out.
func (s Scenario) WithPipe(ctx context.Context, command string) (Scenario, error) {
	subject, hello, err := probe(ctx, command)
	if err != nil {
		return s, err
	}
	w, replaced := NewWorkload(subject.Name), ""
	for _, old := range s.Workloads {
		if own, ok := s.subject(old.Subject); ok && own.Primitive() == hello.Primitive {
			w, replaced = old, old.Subject
			break
		}
	}
	w.Subject, w.Pipe = subject.Name, command
	w.TTL = max(w.TTL, s.Clients.TTL, pipeTTL)
	s.Quiet = max(s.Quiet, w.TTL+15*time.Second)
	all := slices.Clone(s.Faults)
	s.Faults = nil
	for _, f := range all {
		if f.When != nil && len(f.When.Subject) > 0 {
			if !slices.Contains(f.When.Subject, replaced) {
				continue
			}
			when := *f.When
			when.Subject = []string{subject.Name}
			f.When = &when
		}
		s.Faults = append(s.Faults, f)
	}
	// What was shown on the subject that it replaces is to be shown on it.
	shown := slices.Contains(s.Expect.Damage, replaced)
	s.Workloads, s.Expect.Reproduces, s.Expect.Fixed, s.Expect.Damage = []Workload{w}, nil, "", nil
	if shown {
		s.Expect.Damage = []string{subject.Name}
	}
	return s, nil
}

// pipeMistakes judges a workload of a program, as far as that can be known
// before it has said what it is.
func (s *Scenario) pipeMistakes(field string, w *Workload, wrong complain) {
	if w.Pipe == "" {
		return
	}
	if b, ok := backendOf(s.Cluster.Kind); ok && b.virtual {
		wrong(field+".pipe", "a program lives in real time, and a cluster of kind %s in a time of its own (embedded is real)", s.Cluster.Kind)
	}
	if _, builtin := (&Scenario{}).subject(w.Subject); builtin {
		wrong(field+".subject", "%q is the name of something else; a program needs one of its own", w.Subject)
	}
	if !nameForm.MatchString(w.Subject) {
		wrong(field+".subject", "%q is not a name of up to 64 letters, digits, dots, dashes and underscores", w.Subject)
	}
}
