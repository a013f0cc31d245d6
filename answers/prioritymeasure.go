package answers

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/quantity"
	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/recipes"
)

// Load is the traffic of one part of the measurement.
type Load struct {
	Name string
	// Readers is the share of requests that are reads, 0 to 1.
	Readers float64
}

// PriorityOptions are what is measured. The zero value measures etcd's
// read-write lock.
type PriorityOptions struct {
	// Subject is a read-write lock whose grants have tokens in the order in which
	// requests arrived, as the create revisions of etcd's have.
	Subject *workloads.Subject
	// Loads follow one another; none is a read-heavy and a write-heavy one.
	Loads []Load
	// Clients share one lock; zero is 12. Each asks, holds for Hold, and pauses
	// for Think, for Duration; zero is 15 s.
	Clients     int
	Duration    time.Duration
	Hold, Think quantity.Span
	Seed        int64
	// Progress, if set, is told what is being done, and Status how far it is.
	Progress func(line string)
	Status   func(Standing)
}

func (o PriorityOptions) withDefaults() PriorityOptions {
	if o.Subject == nil {
		for _, s := range recipes.Subjects() {
			if s.Name == "rwmutex" {
				o.Subject = &s
			}
		}
	}
	if len(o.Loads) == 0 {
		o.Loads = []Load{{"read-heavy", 0.9}, {"write-heavy", 0.3}}
	}
	if o.Clients == 0 {
		o.Clients = 12
	}
	if o.Duration == 0 {
		o.Duration = 15 * time.Second
	}
	if o.Hold == (quantity.Span{}) {
		o.Hold = quantity.Span{Min: 5 * time.Millisecond, Max: 25 * time.Millisecond}
	}
	if o.Think == (quantity.Span{}) {
		o.Think = quantity.Span{Max: 40 * time.Millisecond}
	}
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	if o.Status == nil {
		o.Status = func(Standing) {}
	}
	return o
}

// Validate reports everything that is wrong with the options.
func (o PriorityOptions) Validate() error {
	var errs []error
	if o.Subject != nil && o.Subject.NewRWLock == nil {
		errs = append(errs, fmt.Errorf("subject: %q is not a read-write lock", o.Subject.Name))
	}
	if o.Clients < 0 || o.Clients > 200 {
		errs = append(errs, fmt.Errorf("clients: %d is not between 1 and 200", o.Clients))
	}
	if o.Duration < 0 || o.Duration > time.Hour {
		errs = append(errs, fmt.Errorf("duration: %v is not between 0s and 1h", o.Duration))
	}
	for _, l := range o.Loads {
		if l.Readers < 0 || l.Readers > 1 {
			errs = append(errs, fmt.Errorf("load %s: a share of %v is not between 0 and 1", l.Name, l.Readers))
		}
	}
	return errors.Join(errs...)
}

// Priority is whom a read-write lock lets in first.
type Priority struct {
	Subject string       `json:"subject"`
	Prefers Preference   `json:"prefers"`
	Loads   []LoadResult `json:"loads"`
	Clients int          `json:"clients"`
	Etcd    string       `json:"etcd"`
	Seed    int64        `json:"seed"`
}

// MeasurePriority compares the order of grants with the order of arrival.
// Times are taken on one monotonic clock. When ctx ends what the loads before came
// to is returned beside ErrInterrupted.
func MeasurePriority(ctx context.Context, o PriorityOptions) (result *Priority, err error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	o.Progress("starting 3 etcd members")
	lab, err := openLab(ctx)
	if err != nil {
		return nil, interrupted(ctx, err)
	}
	defer func() { err = errors.Join(err, lab.close()) }()
	result = &Priority{Subject: o.Subject.Name, Clients: o.Clients, Etcd: lab.cluster.Version(), Seed: o.Seed}
	now := Standing{Planned: len(o.Loads)}
	for _, load := range o.Loads {
		o.Progress(fmt.Sprintf("%s: %d clients of %s, %.0f %% of requests are reads, for %v", load.Name, o.Clients, o.Subject.Name, 100*load.Readers, o.Duration))
		now.Now = fmt.Sprintf("%s, for %v", load.Name, o.Duration)
		o.Status(now)
		requests, err := o.run(ctx, lab, load)
		if err = interrupted(ctx, err); err != nil {
			err = fmt.Errorf("%s load: %w", load.Name, err)
			if errors.Is(err, ErrInterrupted) && len(result.Loads) > 0 {
				return result, err
			}
			return nil, err
		}
		measured, err := analyse(requests)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", o.Subject.Name, err)
		}
		measured.Load, measured.Readers = load.Name, load.Readers
		result.Loads = append(result.Loads, measured)
		result.Prefers = preference(result.Loads)
		now.Done, now.SoFar = now.Done+1, fmt.Sprintf("readers overtook %d times, writers %d", measured.Read.Overtook, measured.Write.Overtook)
	}
	return result, nil
}

// run puts one load on a lock of its own. When the time is over nobody asks
// again, and whoever waits is still let in.
func (o *PriorityOptions) run(ctx context.Context, lab *lab, load Load) ([]request, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	clients := make([]*client, o.Clients)
	sessions := make([]*workloads.Session, o.Clients)
	defer func() {
		for _, c := range clients {
			if c != nil {
				c.close()
			}
		}
	}()
	for i := range clients {
		var err error
		if clients[i], err = lab.connect(ctx, fmt.Sprintf("%s-%d", load.Name, i)); err != nil {
			return nil, err
		}
		timer := time.AfterFunc(setupPatience, clients[i].die)
		sessions[i], err = clients[i].session(waiterTTL)
		timer.Stop()
		if err != nil {
			return nil, err
		}
	}
	made := make([][]request, o.Clients)
	errs := make([]error, o.Clients)
	until := lab.clock.Now() + o.Duration
	var group sync.WaitGroup
	for i := range clients {
		group.Go(func() {
			lock := o.Subject.NewRWLock(sessions[i], "answers/"+load.Name)
			made[i], errs[i] = o.ask(ctx, lab, lock, load, fmt.Sprintf("%s/%d", load.Name, i), until)
			if errs[i] != nil {
				cancel() // the others would wait for what this one left behind
				for _, c := range clients {
					c.die()
				}
			}
		})
	}
	group.Wait()
	var all []request
	for _, requests := range made {
		all = append(all, requests...)
	}
	return all, errors.Join(errs...)
}

// ask is one client's requests.
func (o *PriorityOptions) ask(ctx context.Context, lab *lab, lock workloads.RWLock, load Load, label string, until time.Duration) ([]request, error) {
	var made []request
	draws := workloads.Stream(o.Seed, label)
	for lab.clock.Now() < until && ctx.Err() == nil {
		read, hold, think := draws.Float64() < load.Readers, o.Hold.Draw(draws), o.Think.Draw(draws)
		q := request{mode: history.WriteMode}
		acquire, release := lock.Acquire, lock.Release
		if read {
			q.mode, acquire, release = history.ReadMode, lock.AcquireRead, lock.ReleaseRead
		}
		q.call = lab.clock.Now()
		grant, err := acquire(ctx)
		q.granted = lab.clock.Now()
		if err != nil {
			return made, fmt.Errorf("acquire: %w", err)
		}
		q.arrival = grant.Token
		sleep(ctx, hold)
		q.released = lab.clock.Now()
		if err := release(ctx); err != nil {
			return made, fmt.Errorf("release: %w", err)
		}
		made = append(made, q)
		sleep(ctx, think)
	}
	return made, nil
}
