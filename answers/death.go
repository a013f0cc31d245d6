package answers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/recipes"
)

// Death is a way for a holder to end.
type Death string

// The ways to end.
const (
	// Closed: the holder closes its session, which revokes its lease.
	Closed Death = "closed"
	// Crashed: the holder's process is gone: its connections close, nothing is
	// renewed, nobody is told.
	Crashed Death = "crashed"
	// CutOff: the network between the holder and all members is cut. The holder
	// lives and goes on believing that it holds, until it is told.
	CutOff Death = "cut off"
	// WithLeader: the holder crashes at the moment at which the leader does.
	WithLeader Death = "with leader"
)

// Deaths returns all ways to end.
func Deaths() []Death { return []Death{Closed, Crashed, CutOff, WithLeader} }

// HolderDeathOptions are what is measured. The zero value measures etcd's
// mutex, write lock and election, with TTLs of 1, 2 and 5 s, in all deaths.
type HolderDeathOptions struct {
	Subjects []workloads.Subject
	// TTLs are whole seconds, 1 s or more: the smallest that the cluster honours.
	TTLs   []time.Duration
	Deaths []Death
	// Samples is how many holders die for each subject, TTL and way; zero is 30.
	// They are spread over Rounds; zero is 5. In a round of WithLeader all die
	// in one crash of the leader.
	Samples, Rounds int
	// Patience is how long after death and TTL a waiter is waited for; zero is
	// 15 s. After that its lock counts as not released.
	Patience time.Duration
	// Seed decides the moments of death.
	Seed int64
	// Progress, if set, is told what is being done, and Status how far it is.
	Progress func(line string)
	Status   func(Standing)
}

func (o HolderDeathOptions) withDefaults() HolderDeathOptions {
	if len(o.Subjects) == 0 {
		for _, s := range recipes.Subjects() {
			switch s.Name {
			case "mutex", "rwmutex", "election":
				o.Subjects = append(o.Subjects, s)
			}
		}
	}
	if len(o.TTLs) == 0 {
		o.TTLs = []time.Duration{time.Second, 2 * time.Second, 5 * time.Second}
	}
	if len(o.Deaths) == 0 {
		o.Deaths = Deaths()
	}
	if o.Samples == 0 {
		o.Samples = 30
	}
	if o.Rounds == 0 {
		o.Rounds = 5
	}
	o.Rounds = min(o.Rounds, o.Samples)
	if o.Patience == 0 {
		o.Patience = 15 * time.Second
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
func (o HolderDeathOptions) Validate() error {
	var errs []error
	for _, ttl := range o.TTLs {
		if ttl < time.Second || ttl > time.Minute || ttl%time.Second != 0 {
			errs = append(errs, fmt.Errorf("ttl: %v is not whole seconds between 1s and 1m", ttl))
		}
	}
	if o.Samples < 0 || o.Samples > 1000 {
		errs = append(errs, fmt.Errorf("samples: %d is not between 1 and 1000", o.Samples))
	}
	if o.Rounds < 0 || o.Patience < 0 {
		errs = append(errs, errors.New("rounds and patience: less than zero"))
	}
	return errors.Join(errs...)
}

// HolderDeath is how long after its holder's death a lock went to the waiter
// behind it. One cell for each death, TTL and subject, in that order.
type HolderDeath struct {
	Cells []DeathCell `json:"cells"`
	// LeaderCrashes is how often the leader crashed.
	LeaderCrashes int           `json:"leader_crashes"`
	Etcd          string        `json:"etcd"`
	Seed          int64         `json:"seed"`
	Took          time.Duration `json:"-"`
}

// DeathCell is the samples of one subject, one TTL and one death.
type DeathCell struct {
	Subject string        `json:"subject"`
	Death   Death         `json:"death"`
	TTL     time.Duration `json:"-"`
	Seconds int           `json:"ttl_s"`
	// Deaths is the number of holders that died with a waiter behind them;
	// NotReleased is how many of these waiters did not get the lock in time.
	Deaths      int `json:"deaths"`
	NotReleased int `json:"not_released"`
	// Spoiled samples do not count: the machine was too slow to keep a lease, or
	// a waiter met an error. Spoiling is the first reason.
	Spoiled  int    `json:"spoiled"`
	Spoiling string `json:"spoiling,omitempty"`
	// Next is the time from the death until the waiter's acquire returned, of
	// those that did, and First the shortest.
	Next  Quantiles     `json:"until_next_holder,omitzero"`
	First time.Duration `json:"-"`
	// Told, of holders that were cut off, is the time from the cut until their
	// session said that it was over. NotTold is how many were not told in time.
	// Believed is how many were told only after the next holder had the lock:
	// both believed; Both is for how long.
	Told     Quantiles `json:"until_told,omitzero"`
	NotTold  int       `json:"not_told"`
	Believed int       `json:"both_believed"`
	Both     Quantiles `json:"both_believed_for,omitzero"`
}

// handover is one sample: a holder died and its waiter waited.
type handover struct {
	subject string
	death   Death
	ttl     time.Duration
	// spoiled, if not "", is why the sample does not count.
	spoiled string
	// died is the moment of death; next and told, if they came, are later.
	died       time.Duration
	next, told time.Duration
	granted    bool
	wasTold    bool
}

// MeasureHolderDeath lets holders die and times their waiters. Times are taken
// on one monotonic clock: from right before the death until right after the
// waiter's acquire returned. When ctx ends what the rounds before came to is
// returned beside ErrInterrupted.
func MeasureHolderDeath(ctx context.Context, o HolderDeathOptions) (*HolderDeath, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	o.Progress("starting 3 etcd members")
	lab, err := openLab(ctx)
	if err != nil {
		return nil, interrupted(ctx, err)
	}
	began := lab.clock.Now()
	result := &HolderDeath{Etcd: lab.cluster.Version(), Seed: o.Seed}
	all, crashes, err := deathRounds(ctx, lab, &o)
	result.LeaderCrashes, result.Took = crashes, lab.clock.Now()-began
	result.Cells = deathCells(o, all)
	err = errors.Join(err, lab.close())
	if err != nil && len(all) == 0 {
		return nil, err
	}
	return result, err
}

// deathRounds makes all rounds. Holders that die in different ways die beside
// one another, but for those that die with the leader.
func deathRounds(ctx context.Context, lab *lab, o *HolderDeathOptions) (all []handover, crashes int, err error) {
	var alone, together []Death
	for _, d := range o.Deaths {
		if d == WithLeader {
			together = append(together, d)
		} else {
			alone = append(alone, d)
		}
	}
	now := Standing{Planned: o.Rounds * (min(len(alone), 1) + min(len(together), 1))}
	for round := range o.Rounds {
		share := o.Samples*(round+1)/o.Rounds - o.Samples*round/o.Rounds
		for _, deaths := range [][]Death{alone, together} {
			if len(deaths) == 0 {
				continue
			}
			r := &deathRound{lab: lab, options: o, name: fmt.Sprintf("round-%d-%s", round+1, deaths[0]), deaths: deaths, samples: share}
			o.Progress(fmt.Sprintf("round %d of %d: %d holders (%s), each with a waiter", round+1, o.Rounds, r.size(), list(deaths)))
			now.Now = fmt.Sprintf("%d holders die: %s", r.size(), list(deaths))
			o.Status(now)
			sampled, err := r.run(ctx)
			if r.leaderCrashed {
				crashes++
			}
			if err = interrupted(ctx, err); err != nil { // what an end of ctx has done to a round does not count
				return all, crashes, fmt.Errorf("round %d (%s): %w", round+1, list(deaths), err)
			}
			all = append(all, sampled...)
			now.Done, now.SoFar = now.Done+1, deathsSoFar(all)
		}
	}
	return all, crashes, nil
}

// deathsSoFar counts samples.
func deathsSoFar(all []handover) string {
	died, kept, spoiled := 0, 0, 0
	for i := range all {
		switch {
		case all[i].spoiled != "":
			spoiled++
		case !all[i].granted:
			died, kept = died+1, kept+1
		default:
			died++
		}
	}
	return fmt.Sprintf("%d died, %d locks not released, %d samples spoiled", died, kept, spoiled)
}

func list(deaths []Death) string {
	text := ""
	for i, d := range deaths {
		if i > 0 {
			text += ", "
		}
		text += string(d)
	}
	return text
}

// deathCells sums samples up. Every cell that was asked for is there.
func deathCells(o HolderDeathOptions, all []handover) []DeathCell {
	var cells []DeathCell
	for _, death := range o.Deaths {
		for _, ttl := range o.TTLs {
			for i := range o.Subjects {
				c := DeathCell{Subject: o.Subjects[i].Name, Death: death, TTL: ttl, Seconds: int(ttl / time.Second)}
				c.sum(all)
				cells = append(cells, c)
			}
		}
	}
	return cells
}

func (c *DeathCell) sum(all []handover) {
	var next, told, both []time.Duration
	for i := range all {
		h := &all[i]
		if h.subject != c.Subject || h.death != c.Death || h.ttl != c.TTL {
			continue
		}
		if h.spoiled != "" {
			if c.Spoiled++; c.Spoiling == "" {
				c.Spoiling = h.spoiled
			}
			continue
		}
		c.Deaths++
		if h.granted {
			next = append(next, h.next-h.died)
			if first := h.next - h.died; c.First == 0 || first < c.First {
				c.First = first
			}
		} else {
			c.NotReleased++
		}
		if h.death != CutOff {
			continue
		}
		if !h.wasTold {
			c.NotTold++
			continue
		}
		told = append(told, h.told-h.died)
		if h.granted && h.next < h.told {
			c.Believed++
			both = append(both, h.told-h.next)
		}
	}
	c.Next, c.Told, c.Both = quantilesOf(next), quantilesOf(told), quantilesOf(both)
}
