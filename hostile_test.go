package holdfast

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/quantity"
	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/recipes"
)

// brief is a short run of one subject of the test's own.
func brief(subject workloads.Subject) Scenario {
	s := NewScenario("hostile")
	s.Seed, s.Duration, s.Quiet = 1, 1500*time.Millisecond, 2*time.Second
	s.Cluster.Members = 1
	s.Subjects = []workloads.Subject{subject}
	w := NewWorkload(subject.Name)
	w.Hold = quantity.Span{Min: time.Millisecond, Max: 20 * time.Millisecond}
	s.Workloads = []Workload{w}
	return s
}

// changed is etcd's mutex or election with some methods replaced.
type changed struct {
	workloads.Lock
	acquire func(context.Context) (workloads.Grant, error)
	release func(context.Context) error
}

func (c *changed) Acquire(ctx context.Context) (workloads.Grant, error) {
	if c.acquire != nil {
		return c.acquire(ctx)
	}
	return c.Lock.Acquire(ctx)
}

func (c *changed) Release(ctx context.Context) error {
	if c.release != nil {
		return c.release(ctx)
	}
	return c.Lock.Release(ctx)
}

// A call that never returns must not keep the run from its verdict.
func TestACallThatNeverReturnsIsReported(t *testing.T) {
	long(t)
	block := make(chan struct{})
	t.Cleanup(func() { // let it go, or it would be a leak of the test's own
		close(block)
		if err := goleak.Find(); err != nil {
			t.Error(err)
		}
	})
	var calls atomic.Int64
	s := brief(workloads.Subject{Name: "hangs", NewLock: func(s *workloads.Session, prefix string) workloads.Lock {
		c := &changed{Lock: recipes.NewMutex(s, prefix)}
		c.acquire = func(ctx context.Context) (workloads.Grant, error) {
			if calls.Add(1) == 10 {
				<-block
			}
			return c.Lock.Acquire(ctx)
		}
		return c
	}})
	s.Workloads[0].Impatient = 1
	s.Expect.Grace = time.Second // less than the quiet time, in which it has to hang for longer
	j := run1(t, t.Context(), s)
	if p := property(t, j, "hangs", checker.Progress); p.Verdict != checker.Violated {
		t.Errorf("progress: %s: %s", p.Verdict, p.Sentence)
	}
	if !strings.Contains(strings.Join(j.Info.Warnings, "\n"), "never returned") {
		t.Errorf("warnings: %q", j.Info.Warnings)
	}
}

func TestPanicsAreViolationsOfTheContract(t *testing.T) {
	t.Parallel()
	long(t)
	for name, subject := range map[string]workloads.Subject{
		"constructor": {Name: "panics", NewLock: func(*workloads.Session, string) workloads.Lock { panic("planted") }},
		"nil lock":    {Name: "panics", NewLock: func(*workloads.Session, string) workloads.Lock { return nil }},
		"acquire": {Name: "panics", NewLock: func(*workloads.Session, string) workloads.Lock {
			return &changed{acquire: func(context.Context) (workloads.Grant, error) { panic(errors.New("planted")) }}
		}},
		"election": {Name: "panics", NewElection: func(*workloads.Session, string) workloads.Election { panic("planted") }},
		"observe": {Name: "panics", NewElection: func(s *workloads.Session, prefix string) workloads.Election {
			return observing{recipes.NewElection(s, prefix), func(context.Context) <-chan workloads.Leadership { panic("planted") }}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := run1(t, t.Context(), brief(subject))
			p := property(t, j, "panics", checker.Contract)
			if p.Verdict != checker.Violated || p.Figures["panics"] == 0 || j.Result().Exit != checker.ExitViolated {
				t.Errorf("exit %d, contract: %s: %s", j.Result().Exit, p.Verdict, p.Sentence)
			}
		})
	}
}

type observing struct {
	workloads.Election
	observe func(context.Context) <-chan workloads.Leadership
}

func (o observing) Observe(ctx context.Context) <-chan workloads.Leadership { return o.observe(ctx) }

// An observation that says nothing, nor ever ends, is not waited for for ever.
func TestAnObservationThatNeverEnds(t *testing.T) {
	t.Parallel()
	s := brief(workloads.Subject{Name: "mute", NewElection: func(s *workloads.Session, prefix string) workloads.Election {
		return observing{recipes.NewElection(s, prefix), func(context.Context) <-chan workloads.Leadership { return nil }}
	}})
	j := run1(t, t.Context(), s)
	if p := property(t, j, "mute", checker.Observe); p.Verdict == checker.Holds {
		t.Errorf("observe: %s: %s", p.Verdict, p.Sentence)
	}
}

// A correct lock may count its own tokens, or have none, and need not say how
// ownership shows: none of that is a violation.
func TestCorrectLocksOfOtherDesignsHold(t *testing.T) {
	t.Parallel()
	var counter atomic.Int64
	for name, grant := range map[string]func(workloads.Grant) workloads.Grant{
		"counter": func(workloads.Grant) workloads.Grant { return workloads.Grant{Token: counter.Add(1)} },
		"none":    func(workloads.Grant) workloads.Grant { return workloads.Grant{} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := run1(t, t.Context(), brief(workloads.Subject{Name: "other", NewLock: func(s *workloads.Session, prefix string) workloads.Lock {
				c := &changed{Lock: recipes.NewMutex(s, prefix)}
				c.acquire = func(ctx context.Context) (workloads.Grant, error) {
					g, err := c.Lock.Acquire(ctx)
					if err != nil {
						return g, err
					}
					return grant(g), nil
				}
				return c
			}}))
			if r := j.Result(); r.Exit != checker.ExitHolds {
				t.Errorf("exit %d", r.Exit)
			}
		})
	}
}

// Tokens that fall or stay are no fencing tokens, even if nobody is harmed yet.
func TestTokensThatDoNotRiseAreFound(t *testing.T) {
	t.Parallel()
	j := run1(t, t.Context(), brief(workloads.Subject{Name: "constant", NewLock: func(s *workloads.Session, prefix string) workloads.Lock {
		c := &changed{Lock: recipes.NewMutex(s, prefix)}
		c.acquire = func(ctx context.Context) (workloads.Grant, error) {
			_, err := c.Lock.Acquire(ctx)
			return workloads.Grant{Token: 5}, err
		}
		return c
	}}))
	if p := property(t, j, "constant", checker.Fencing); p.Verdict != checker.Violated || p.Violations[0].Blame != checker.BlameSubject {
		t.Errorf("fencing: %s: %s", p.Verdict, p.Sentence)
	}
}

func TestAReleaseThatDoesNothingIsFound(t *testing.T) {
	t.Parallel()
	j := run1(t, t.Context(), brief(workloads.Subject{Name: "releases-nothing", NewLock: func(s *workloads.Session, prefix string) workloads.Lock {
		c := &changed{Lock: recipes.NewMutex(s, prefix)}
		c.release = func(context.Context) error { return nil }
		return c
	}}))
	if r := j.Result(); r.Exit != checker.ExitViolated {
		t.Errorf("a release that does nothing: exit %d", r.Exit)
	}
}
