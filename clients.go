package holdfast

import (
	"context"
	"path/filepath"
	"slices"
	"time"

	"github.com/etcd-holdfast/holdfast/faults"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// makeNursery makes what starts the clients that are not in this process, if there are
// to be some.
func (r *run) makeNursery(ctx context.Context) error {
	switch r.scenario.Clients.As {
	case ClientProcesses:
		n, err := newProcessNursery(r.path(), r.now)
		if err != nil {
			return err
		}
		r.nursery = n
	case ClientContainers:
		n, err := newContainerNursery(ctx, filepath.Base(r.path()), r.path(), r.now, r.say)
		if err != nil {
			return err
		}
		r.nursery = n
	}
	return nil
}

// now is the time on the run's clock, which is there before any client is.
func (r *run) now() time.Duration { return r.clock.Now() }

// awaitClients waits until every client that is not in this process has been started,
// or startPatience is over: faults that strike before find nobody.
func (r *run) awaitClients(ctx context.Context) {
	if r.nursery == nil {
		return
	}
	r.say("starting %d clients (%s)", len(r.Slots("")), r.scenario.Clients.As)
	within, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	for _, c := range r.crews {
		select {
		case <-c.Seated():
		case <-within.Done():
			r.say("not all clients have started; going on without them")
			return
		}
	}
}

// hire makes the crews of all workloads.
func (r *run) hire(heal, final <-chan struct{}) {
	env := &workloads.Env{
		Seed: r.scenario.Seed, Recorder: r.recorder, Prefix: r.prefix, Login: r.login, Dial: r.dial(),
		Connect: r.connect, Disconnect: r.disconnect, Requests: r.requests(),
		Healed: heal, Final: final, Quiet: r.scenario.Quiet, Await: r.await,
		Steady: r.scenario.Cluster.Sim != nil && r.scenario.Cluster.Sim.Steady,
	}
	if r.nursery != nil {
		env.Launch = r.nursery.launch
	}
	first := 1
	for _, w := range r.scenario.Workloads {
		subject, _ := r.scenario.subject(w.Subject) // validated
		crew := workloads.NewCrew(env, subject, w.Traffic, first)
		first += len(crew.Slots())
		r.crews = append(r.crews, crew)
		r.awaitFor(crew)
	}
}

// A run's Slots, Current, Crash and Pause are what faults may do to its clients:
// see faults.Clients and faults.ClientPauser.

func (r *run) Slots(subject string) []string {
	var slots []string
	for _, c := range r.crews {
		if subject == "" || c.Subject() == subject {
			slots = append(slots, c.Slots()...)
		}
	}
	return slots
}

func (r *run) crewOf(slot string) *workloads.Crew {
	for _, c := range r.crews {
		if slices.Contains(c.Slots(), slot) {
			return c
		}
	}
	return nil
}

func (r *run) Current(slot string) (name string, lease int64) {
	if c := r.crewOf(slot); c != nil {
		return c.Current(slot)
	}
	return "", 0
}

func (r *run) Crash(slot string) bool {
	c := r.crewOf(slot)
	return c != nil && c.Crash(slot)
}

func (r *run) Pause(ctx context.Context, slot string) (faults.Standstill, error) {
	if c := r.crewOf(slot); c != nil {
		return c.Pause(ctx, slot)
	}
	return nil, nil
}
