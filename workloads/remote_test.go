package workloads_test

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/cluster/embedded"
	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/internal/leaks"
	"github.com/etcd-holdfast/holdfast/quantity"
	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/recipes"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, leaks.OfMembers()...) }

// process is a client's process that is none: it is in this one, so that the race
// detector sees both sides.
type process struct {
	harness, client *pipes
	done            chan struct{}
	err             error
}

type pipes struct {
	io.Reader
	io.WriteCloser
}

func (p *process) Conn() io.ReadWriteCloser { return p.harness }
func (p *process) Done() <-chan struct{}    { return p.done }
func (p *process) Ended() string            { return "exit status 3, saying: good bye" }
func (p *process) Killed() bool             { return false }

func (p *process) Kill() error {
	p.end()
	<-p.done
	return nil
}

// end closes both directions, as the end of a process does.
func (p *process) end() {
	_ = p.harness.Close()
	_ = p.client.Close()
}

func (p *process) Freeze(context.Context) (workloads.Standstill, error) {
	return nil, errors.New("it cannot be stopped")
}

// launcher starts such processes and knows them.
type launcher struct {
	subjects []workloads.Subject

	mu      sync.Mutex
	clients map[string]*process
}

func (l *launcher) launch(client string) (workloads.Process, error) {
	toClient, fromHarness := io.Pipe()
	toHarness, fromClient := io.Pipe()
	p := &process{harness: &pipes{toHarness, fromHarness}, client: &pipes{toClient, fromClient}, done: make(chan struct{})}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.clients == nil {
		l.clients = make(map[string]*process)
	}
	l.clients[client] = p
	go func() {
		defer close(p.done)
		defer p.end()
		p.err = workloads.ServeClient(context.Background(), p.client, func(name string) (workloads.Subject, bool) {
			for _, s := range l.subjects {
				if s.Name == name {
					return s, true
				}
			}
			return workloads.Subject{}, false
		})
	}()
	return p, nil
}

func (l *launcher) of(client string) *process {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.clients[client]
}

// world is a crew on an etcd, whose clients are elsewhere.
type world struct {
	crew        *workloads.Crew
	memory      *history.Memory
	heal, final chan struct{}
	recorder    *history.Recorder
	launcher    *launcher
	records     chan history.Record
}

func newWorld(t *testing.T, l *launcher, subject workloads.Subject, adjust func(*workloads.Traffic)) *world {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	etcd, err := embedded.Start(ctx, embedded.Config{Members: 1, Election: 500 * time.Millisecond, Heartbeat: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := etcd.Close(); err != nil {
			t.Error(err)
		}
	})
	traffic := workloads.DefaultTraffic()
	traffic.Clients, traffic.TTL, traffic.OnLoss, traffic.Observers = 4, 2*time.Second, workloads.Stop, 0
	traffic.Hold = quantity.Span{Min: time.Millisecond, Max: 20 * time.Millisecond}
	traffic.Long = 0
	if adjust != nil {
		adjust(&traffic)
	}
	clock := history.NewClock()
	memory, err := history.NewMemory(history.Header{Prefix: "p/", Subjects: []history.SubjectInfo{{
		Name: subject.Name, Primitive: subject.Primitive(), Origin: subject.Origin, Layout: subject.Layout,
		Permits: subject.PermitsOf(&traffic), Whole: subject.WholeOf(), Promise: subject.Promise, Scripted: len(traffic.Script) > 0,
	}}}, clock)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		memory: memory, recorder: memory.Recorder(), heal: make(chan struct{}), final: make(chan struct{}), launcher: l,
		records: make(chan history.Record, 1<<16),
	}
	w.recorder.Listen(func(r history.Record) { w.records <- r })
	env := &workloads.Env{
		Seed: 1, Recorder: w.recorder, Prefix: "p/", Quiet: 30 * time.Second, Healed: w.heal, Final: w.final,
		Connect: etcd.Connect, Disconnect: etcd.Disconnect, Launch: l.launch,
	}
	w.crew = workloads.NewCrew(env, subject, traffic, 1)
	w.phase(history.PhaseLoad)
	return w
}

func (w *world) phase(name string) {
	w.recorder.Event(history.Event{Kind: history.PhaseBegan, Detail: name})
}

// await returns the first record from now on that is wanted.
func (w *world) await(t *testing.T, wanted func(history.Record) bool) history.Record {
	t.Helper()
	timer := time.NewTimer(time.Minute)
	defer timer.Stop()
	for {
		select {
		case r := <-w.records:
			if wanted(r) {
				return r
			}
		case err := <-w.crew.Failed():
			t.Fatal(err)
		case <-timer.C:
			t.Fatal("it never happened")
		}
	}
}

// completions waits until n calls of a kind went well.
func (w *world) completions(t *testing.T, n int) {
	t.Helper()
	w.await(t, func(r history.Record) bool {
		if r.Completion != nil && r.Completion.Outcome == history.Ok {
			n--
		}
		return n <= 0
	})
}

// end heals, waits for the last round, and judges.
func (w *world) end(t *testing.T) *history.History {
	t.Helper()
	w.phase(history.PhaseHealed)
	close(w.heal)
	timer := time.NewTimer(time.Minute)
	defer timer.Stop()
	select {
	case <-w.crew.Finished():
	case err := <-w.crew.Failed():
		t.Fatal(err)
	case <-timer.C:
		t.Fatal("the last round did not end")
	}
	w.phase(history.PhaseFinal)
	close(w.final)
	w.crew.Wait()
	w.crew.Conclude("harness")
	w.phase(history.PhaseEnd)
	h := w.memory.History()
	result := checker.Check(h, checker.Options{Unconfirmed: true})
	for _, p := range result.Properties {
		if p.Verdict == checker.Violated {
			t.Errorf("%s: %s", p.Property, p.Sentence)
		}
	}
	return h
}

func subjectNamed(t *testing.T, name string) workloads.Subject {
	t.Helper()
	for _, s := range recipes.Subjects() {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("there is no subject %s", name)
	return workloads.Subject{}
}

// Clients of every primitive do their rounds, meet, see each other's values and
// finish their last round, wherever they are; the properties are kept.
func TestClientsElsewhereDoAsThoseHere(t *testing.T) {
	for _, name := range []string{
		"mutex", "rwmutex-checked", "election-checked", "semaphore", "service", "queue-checked", "barrier-checked", "double-barrier-checked",
		"stm-serializable-snapshot", "kv-register",
	} {
		t.Run(name, func(t *testing.T) {
			l := &launcher{subjects: recipes.Subjects()}
			subject := subjectNamed(t, name)
			w := newWorld(t, l, subject, func(traffic *workloads.Traffic) {
				if subject.Primitive() == history.Election {
					traffic.Observers = 1
				}
			})
			w.crew.Start(t.Context())
			w.completions(t, 30)
			h := w.end(t)
			sessions := make(map[string]bool)
			for _, e := range h.Events {
				if e.Kind == history.SessionOpened {
					sessions[e.Client] = true
				}
			}
			if len(sessions) != len(w.crew.Slots()) {
				t.Errorf("%d clients had a session, want %d", len(sessions), len(w.crew.Slots()))
			}
			for _, slot := range w.crew.Slots() {
				if err := l.of(slot).err; err != nil {
					t.Errorf("client %s: %v", slot, err)
				}
			}
			if began := w.crew.Rounds(); len(began) < 4 {
				t.Errorf("rounds were begun by %v, want 4 clients", began)
			}
		})
	}
}

// A script is played by clients elsewhere, one that crashed is replaced, and the
// leadership that it left is resumed.
func TestAScriptIsPlayedElsewhere(t *testing.T) {
	l := &launcher{subjects: recipes.Subjects()}
	w := newWorld(t, l, subjectNamed(t, "election"), func(traffic *workloads.Traffic) {
		traffic.Clients = 2
		traffic.Script = []string{"A campaign x", "A work x 5ms", "A signal mine", "B campaign x within 30s &", "A resign x", "B join", "B proclaim x", "B crash", "A leader x", "B resume x B"}
	})
	w.crew.Start(t.Context())
	w.await(t, func(r history.Record) bool {
		return r.Event != nil && r.Event.Kind == history.Signalled && r.Event.Detail == history.ScriptEnd
	})
	h := w.end(t)
	done := make(map[string]history.Outcome)
	for _, op := range h.Operations {
		done[op.Client+" "+string(op.Kind)] = op.Outcome
	}
	for _, want := range []string{"c1 campaign", "c1 read", "c1 write", "c1 fenced-write", "c1 resign", "c2 campaign", "c2 proclaim", "c1 leader", "c2.1 resume"} {
		if done[want] != history.Ok {
			t.Errorf("%s: %q, want ok; all: %v", want, done[want], done)
		}
	}
}

// Of a client that was killed nothing is recorded any more, and its replacement
// goes on.
func TestACrashElsewhere(t *testing.T) {
	l := &launcher{subjects: recipes.Subjects()}
	w := newWorld(t, l, subjectNamed(t, "mutex"), func(traffic *workloads.Traffic) { traffic.Objects = 1 })
	w.crew.Start(t.Context())
	held := w.await(t, func(r history.Record) bool { return r.Operation != nil && r.Operation.Kind == history.Read })
	client := held.Operation.Client
	if name, lease := w.crew.Current(client); name != client || lease != held.Operation.Lease {
		t.Errorf("%s has lease %x, want that of %s, %x", name, lease, client, held.Operation.Lease)
	}
	if !w.crew.Crash(client) {
		t.Fatal("nobody was there to crash")
	}
	select {
	case <-l.of(client).Done():
	default:
		t.Error("it was crashed, and its process has not ended")
	}
	w.await(t, func(r history.Record) bool { return r.Operation != nil && r.Operation.Client == client+".1" })
	h := w.end(t)
	var crashed time.Duration
	for _, e := range h.Events {
		if e.Kind == history.Crashed {
			crashed = e.Time
			if e.Detail != "" {
				t.Errorf("its death was asked for, and is recorded as %q", e.Detail)
			}
		}
	}
	for _, op := range h.Operations {
		if op.Client == client && (op.Call > crashed || op.Return > crashed) {
			t.Errorf("%s of the dead is recorded at %v, after its death at %v", op.Kind, op.Call, crashed)
		}
	}
}

// A process that ends by itself is a client that died, with what it said last.
func TestAProcessThatEndsByItself(t *testing.T) {
	l := &launcher{subjects: recipes.Subjects()}
	w := newWorld(t, l, subjectNamed(t, "mutex"), nil)
	w.crew.Start(t.Context())
	w.completions(t, 20)
	l.of("c2").end()
	died := w.await(t, func(r history.Record) bool { return r.Event != nil && r.Event.Kind == history.Crashed })
	if want := history.EndedUnasked + "exit status 3, saying: good bye"; died.Event.Client != "c2" || died.Event.Detail != want {
		t.Errorf("%+v, want the death of c2: %s", died.Event, want)
	}
	w.await(t, func(r history.Record) bool { return r.Operation != nil && r.Operation.Client == "c2.1" })
	w.phase(history.PhaseHealed)
	close(w.heal)
	<-w.crew.Finished()
	close(w.final)
	w.crew.Wait()
	result := checker.Check(w.memory.History(), checker.Options{Unconfirmed: true})
	for _, p := range result.Properties {
		if p.Property == checker.Contract && (p.Verdict != checker.Violated || !strings.Contains(p.Sentence, "c2's process ended by itself")) {
			t.Errorf("contract: %s: %s", p.Verdict, p.Sentence)
		}
	}
}

// The end of a run ends clients elsewhere, whatever they are waiting for.
func TestTheEndOfARunEndsThoseElsewhere(t *testing.T) {
	l := &launcher{subjects: recipes.Subjects()}
	w := newWorld(t, l, subjectNamed(t, "rwmutex"), func(traffic *workloads.Traffic) {
		traffic.Objects, traffic.Readers = 1, 0
		traffic.Hold = quantity.Span{Min: time.Minute, Max: time.Minute}
	})
	ctx, cancel := context.WithCancel(t.Context())
	w.crew.Start(ctx)
	w.await(t, func(r history.Record) bool { return r.Operation != nil && r.Operation.Kind == history.Read })
	cancel()
	w.crew.Wait()
	if n := w.crew.Stuck(); n != 0 {
		t.Errorf("%d clients were stuck", n)
	}
}

// What cannot be a client fails the run at once, and says why.
func TestWhatCannotBeAClientSaysWhy(t *testing.T) {
	l := &launcher{} // knows no subject
	w := newWorld(t, l, subjectNamed(t, "mutex"), func(traffic *workloads.Traffic) { traffic.Clients = 1 })
	w.crew.Start(t.Context())
	err := <-w.crew.Failed()
	w.crew.Wait()
	if err == nil || !strings.Contains(err.Error(), `it knows no subject "mutex"; it has to be given to holdfast.Subprocess`) {
		t.Errorf("%v", err)
	}
	// And what ends without a word.
	w = newWorld(t, l, subjectNamed(t, "mutex"), func(traffic *workloads.Traffic) { traffic.Clients = 1 })
	w.crew = workloads.NewCrew(&workloads.Env{
		Recorder: w.recorder, Connect: func(string) ([]string, error) { return nil, nil }, Disconnect: func(string) {},
		Launch: func(string) (workloads.Process, error) {
			r, write, err := os.Pipe()
			if err != nil {
				return nil, err
			}
			p := &process{harness: &pipes{r, write}, client: &pipes{r, write}, done: make(chan struct{})}
			close(p.done)
			return p, nil
		},
	}, subjectNamed(t, "mutex"), workloads.Traffic{Clients: 1}, 1)
	w.crew.Start(t.Context())
	err = <-w.crew.Failed()
	w.crew.Wait()
	if err == nil || !strings.Contains(err.Error(), "exit status 3, saying: good bye; does the program begin with holdfast.Subprocess") {
		t.Errorf("%v", err)
	}
}
