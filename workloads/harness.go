package workloads

import (
	"context"
	"io"
	"net/rpc"
	"sync"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads/internal/wire"
)

// harness is the harness as a client in a process of its own sees it: its
// recorder, and what it shares with its crew. When the connection is gone the
// client is dead, as far as it can know.
type harness struct {
	rpc       *rpc.Client
	clock     *history.Clock
	primitive history.Primitive

	waiting sync.WaitGroup
	// others returns what othersFinished does.
	others func() <-chan struct{}
}

func newHarness(conn io.ReadWriteCloser) *harness {
	h := &harness{rpc: rpc.NewClient(conn)}
	h.others = sync.OnceValue(func() <-chan struct{} {
		finished, _ := h.wait(wire.OthersFinished)
		return finished
	})
	return h
}

func (h *harness) close() {
	_ = h.rpc.Close() // it may be closed already
	h.waiting.Wait()
}

func (h *harness) ask(what string, question, answer any) error {
	return h.rpc.Call(wire.Service+"."+what, question, answer)
}

func (h *harness) tell(what string, news any) error {
	var nothing bool
	return h.ask(what, news, &nothing)
}

// wait returns a channel that is closed when something has come, and one that is
// closed when it will not, as the connection is gone.
func (h *harness) wait(what string) (come, lost <-chan struct{}) {
	came, never := make(chan struct{}), make(chan struct{})
	h.waiting.Go(func() {
		if h.tell("Await", what) != nil {
			close(never)
			return
		}
		close(came)
	})
	return came, never
}

// The recorder.

func (h *harness) Clock() *history.Clock { return h.clock }

func (h *harness) Invoke(op *history.Operation) bool {
	var reply wire.Recorded
	if err := h.ask("Invoke", op, &reply); err != nil || !reply.Taken {
		return false
	}
	op.ID, op.Call = reply.ID, reply.At
	return true
}

func (h *harness) Complete(c *history.Completion) (time.Duration, bool) {
	var reply wire.Recorded
	err := h.ask("Complete", c, &reply)
	return reply.At, err == nil && reply.Taken
}

func (h *harness) Event(e history.Event) bool {
	taken := false
	return h.ask("Event", &e, &taken) == nil && taken
}

// What is shared. Where the connection is gone there is nothing to do: the next
// record will be refused, and that ends the client.

func (h *harness) began()                          { _ = h.tell("Began", true) }
func (h *harness) finished()                       { _ = h.tell("Finished", true) }
func (h *harness) fence()                          { _ = h.tell("Fence", true) }
func (h *harness) stepDone()                       { _ = h.tell("StepDone", true) }
func (h *harness) othersFinished() <-chan struct{} { return h.others() }

func (h *harness) saw(object, value string) {
	_ = h.tell("Saw", &wire.Sight{Object: object, Value: value})
}

func (h *harness) await(ctx context.Context, object, value string) {
	_ = h.tell("Sighted", &wire.Sight{Object: object, Value: value, Deadline: h.deadline(ctx)})
}

// deadline is when ctx ends, on the run's clock, or zero.
func (h *harness) deadline(ctx context.Context) time.Duration {
	at, ok := ctx.Deadline()
	if !ok {
		return 0
	}
	return max(h.clock.Now()+time.Until(at), 1)
}

func (h *harness) keepWon(w won) {
	_ = h.tell("KeepWon", &wire.Won{There: true, Object: w.object, Lease: w.lease, Key: w.grant.Key, Token: w.grant.Token})
}

func (h *harness) takeWon() (won, bool) { return h.won("TakeWon", true) }

func (h *harness) leftBy(index int) (won, bool) { return h.won("LeftBy", index) }

func (h *harness) won(what string, question any) (won, bool) {
	var w wire.Won
	if err := h.ask(what, question, &w); err != nil || !w.There {
		return won{}, false
	}
	return won{object: w.Object, lease: w.Lease, grant: Grant{Key: w.Key, Token: w.Token}}, true
}

func (h *harness) meet(ctx context.Context, group int, last bool) bool {
	enters := false
	err := h.ask("Meet", &wire.Meeting{Group: group, Last: last, Deadline: h.deadline(ctx)}, &enters)
	return err == nil && enters
}

func (h *harness) entered(group int) { _ = h.tell("Entered", &wire.Meeting{Group: group}) }

func (h *harness) parted(group int, well bool) {
	_ = h.tell("Parted", &wire.Meeting{Group: group, Well: well})
}

func (h *harness) nextStep(context.Context) (Step, bool, error) {
	var s wire.Step
	if err := h.ask("NextStep", true, &s); err != nil {
		return Step{}, false, errDead
	}
	if !s.More {
		return Step{}, false, nil
	}
	step, err := ParseStep(h.primitive, s.Line)
	return step, true, err
}

// sharer is nobody: a session cannot be shared with another process.
func (h *harness) sharer(string) (*crewMember, bool) { return nil, false }

// resource is the protected resource of an object, in the harness.
func (h *harness) resource(object string) Resource { return &farResource{h, object} }

// farResource is a resource in the harness.
type farResource struct {
	harness *harness
	object  string
}

func (r *farResource) access(a wire.Access) (wire.Accessed, error) {
	a.Object = r.object
	var done wire.Accessed
	err := r.harness.ask("Access", &a, &done)
	if done.Panic != "" {
		panic(done.Panic)
	}
	if done.Stale {
		err = ErrStale
	}
	return done, err
}

func (r *farResource) Read() (string, int64) {
	done, _ := r.access(wire.Access{})
	return done.Value, done.Position
}

func (r *farResource) Write(value string) int64 {
	done, _ := r.access(wire.Access{Write: true, Value: value})
	return done.Position
}

func (r *farResource) ReadFenced(token int64) (string, int64, error) {
	done, err := r.access(wire.Access{Fenced: true, Token: token})
	return done.Value, done.Position, err
}

func (r *farResource) WriteFenced(token int64, value string) (int64, error) {
	done, err := r.access(wire.Access{Fenced: true, Write: true, Token: token, Value: value})
	return done.Position, err
}
