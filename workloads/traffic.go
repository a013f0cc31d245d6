package workloads

import (
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/quantity"
)

// OnLoss says what a client does when it is told that its session is over.
type OnLoss string

// The ways to take a loss. Both exist in real code.
const (
	// Stop ends the client's belief at once.
	Stop OnLoss = "stop"
	// Ignore goes on believing until the work is done.
	Ignore OnLoss = "ignore"
	// Watchdog does not wait to be told: the client renews its lease by itself
	// too, and stops believing before the lease can have ended, counted from
	// when it sent the last renewal that was answered.
	Watchdog OnLoss = "watchdog"
	// Mixed makes every other client ignore.
	Mixed OnLoss = "mixed"
)

// Traffic is how the clients of one workload behave. DefaultTraffic gives the
// values that a scenario need not name.
type Traffic struct {
	// Clients is the number of concurrent clients, Objects the number of locks
	// or elections that they share. Zero Clients, TTL or OnLoss in a scenario
	// means the scenario's own.
	Clients int `yaml:"clients"`
	Objects int `yaml:"keys"`
	// TTL is the session's time-to-live, whole seconds.
	TTL    time.Duration `yaml:"ttl"`
	OnLoss OnLoss        `yaml:"on-loss"`
	// Hold is the usual length of the work under a hold; a share Long of holds
	// last LongHold instead.
	Hold     quantity.Span  `yaml:"hold"`
	Long     quantity.Share `yaml:"long"`
	LongHold quantity.Span  `yaml:"long-hold"`
	// Think is the pause between rounds.
	Think quantity.Span `yaml:"think"`
	// Patience is how long an acquire may take; a share Impatient of them give
	// up after Impatience, half by deadline and half by cancellation.
	Patience   quantity.Span  `yaml:"patience"`
	Impatient  quantity.Share `yaml:"impatient"`
	Impatience quantity.Span  `yaml:"impatience"`
	// Try is the share of lock rounds that ask without waiting.
	Try quantity.Share `yaml:"try"`
	// Several is the share of lock rounds that hold two objects at once.
	Several quantity.Share `yaml:"several"`
	// Readers is the share of read rounds of a read-write lock.
	Readers quantity.Share `yaml:"readers"`
	// Proclaim is the share of leaderships that replace their value, and of
	// those that replace it again.
	Proclaim quantity.Share `yaml:"proclaim"`
	// KeepSession is the share of rounds that go on with their session after an
	// acquire of unknown outcome, as careless code does: a key that a lost answer
	// left behind then stays for as long as the session.
	KeepSession quantity.Share `yaml:"keep-session,omitempty"`
	// LastRounds is how many rounds over all objects each client makes after the
	// heal, while nothing keeps it from finishing; zero is one. On a machine that
	// is too slow for them there are fewer: none begins in the last two thirds of
	// the quiet time but the first.
	LastRounds int `yaml:"last-rounds,omitempty"`
	// NoLastRound lets clients end at the heal, for a run that is to be short: whether
	// everybody could go on, and what is left behind, then hardly shows.
	NoLastRound bool `yaml:"no-last-round,omitempty"`
	// Permits is how many may hold a semaphore at once, or how many have to
	// enter a double barrier.
	Permits int `yaml:"permits"`
	// DialTimeout is the client's own; etcd's client also waits that long and a
	// second more for the first answer to a keepalive.
	DialTimeout time.Duration `yaml:"dial-timeout,omitempty"`
	// Script, if there is one, is what the clients do instead of rounds: lines
	// as ParseStep reads them. All of it is done Repeat times, zero for once; a "#"
	// is the number of the time, from 1. Shared makes the client of one role use the
	// connection and session of another.
	Script []string          `yaml:"script,omitempty"`
	Repeat int               `yaml:"repeat,omitempty"`
	Shared map[string]string `yaml:"shared,omitempty"`
	// Rounds, if not nil, are what the clients do in place of what the seed would
	// draw: each its lines, one a round. It then waits for the heal.
	Rounds Rounds `yaml:"rounds,omitempty"`
	// Observers is the number of clients that watch an election instead of
	// running in it. They are counted besides Clients.
	Observers int `yaml:"observers"`
}

// DefaultTraffic is the traffic of a scenario that says nothing of it, but for
// Clients, TTL and OnLoss.
func DefaultTraffic() Traffic {
	return Traffic{
		Objects:    2,
		Hold:       quantity.Span{Min: 5 * time.Millisecond, Max: 200 * time.Millisecond},
		Long:       0.02,
		LongHold:   quantity.Span{Min: 1500 * time.Millisecond, Max: 3 * time.Second},
		Think:      quantity.Span{Max: 20 * time.Millisecond},
		Patience:   quantity.Span{Min: 8 * time.Second, Max: 10 * time.Second},
		Impatient:  0.05,
		Impatience: quantity.Span{Min: 50 * time.Millisecond, Max: 500 * time.Millisecond},
		Try:        0.1,
		Several:    0.1,
		Readers:    0.7,
		Proclaim:   0.4,
		Observers:  1,
		Permits:    2,
	}
}

// Mistake is something wrong with one field, named as scenarios spell it.
type Mistake struct {
	Field string
	Err   error
}

// Mistakes returns everything that is wrong with t for a primitive.
func (t *Traffic) Mistakes(p history.Primitive) []Mistake {
	mistakes := append(t.scriptMistakes(p), t.roundMistakes()...)
	check := func(field string, err error) {
		if err != nil {
			mistakes = append(mistakes, Mistake{field, err})
		}
	}
	check("clients", between(t.Clients, 1, 1000))
	check("keys", between(t.Objects, 1, 10000))
	check("observers", between(t.Observers, 0, 100))
	check("last-rounds", between(t.LastRounds, 0, 1000))
	if t.NoLastRound && t.LastRounds > 0 {
		check("no-last-round", fmt.Errorf("last-rounds asks for %d", t.LastRounds))
	}
	if t.TTL < time.Second || t.TTL%time.Second != 0 {
		check("ttl", fmt.Errorf("%v is not a whole number of seconds, one or more", t.TTL))
	}
	check("repeat", between(t.Repeat, 0, 1000))
	if t.DialTimeout < 0 {
		check("dial-timeout", fmt.Errorf("%v is negative", t.DialTimeout))
	}
	if t.Permits < 1 || t.Permits > 1000 {
		check("permits", between(t.Permits, 1, 1000))
	}
	if p == history.DoubleBarrier && len(t.Script) == 0 && t.Permits > 0 && t.Clients%t.Permits != 0 {
		check("clients", fmt.Errorf("%d clients cannot meet in groups of permits: %d; some would wait for ever", t.Clients, t.Permits))
	}
	check("hold", t.Hold.Validate())
	check("long", t.Long.Validate())
	check("long-hold", t.LongHold.Validate())
	check("think", t.Think.Validate())
	check("patience", t.Patience.Validate())
	if t.Patience.Min <= 0 {
		check("patience", errors.New("an acquire needs some time"))
	}
	check("impatient", t.Impatient.Validate())
	check("impatience", t.Impatience.Validate())
	if t.Impatience.Min <= 0 {
		check("impatience", errors.New("an acquire needs some time"))
	}
	check("try", t.Try.Validate())
	check("several", t.Several.Validate())
	check("readers", t.Readers.Validate())
	check("proclaim", t.Proclaim.Validate())
	check("keep-session", t.KeepSession.Validate())
	if t.OnLoss != Stop && t.OnLoss != Ignore && t.OnLoss != Mixed && t.OnLoss != Watchdog {
		check("on-loss", fmt.Errorf("%q is none of stop, ignore, mixed, watchdog", t.OnLoss))
	}
	return mistakes
}

func between(n, low, high int) error {
	if n < low || n > high {
		return fmt.Errorf("%d is not between %d and %d", n, low, high)
	}
	return nil
}

// lastRounds yields the objects of all last rounds; more is asked before each
// but the first.
func (t *Traffic) lastRounds(more func() bool) iter.Seq[int] {
	return func(yield func(object int) bool) {
		for round := range max(t.LastRounds, 1) {
			if round > 0 && !more() {
				return
			}
			for object := range t.Objects {
				if !yield(object) {
					return
				}
			}
		}
	}
}
