package sim

import (
	"math/rand/v2"
	"time"
)

// chance decides what nobody has decided. In a steady simulation it decides the
// same each time, the middle of what could be: then nothing depends on a seed.
type chance struct {
	*rand.Rand
	steady bool
}

func (c *Cluster) chance(label string) chance { return chance{c.config.Stream(label), c.config.Steady} }

// upTo is a time from zero to less than d.
func (c chance) upTo(d time.Duration) time.Duration {
	if c.steady {
		return d / 2
	}
	return time.Duration(c.Int64N(int64(d)))
}

// oneIn is true once in n times, and of a steady chance never.
func (c chance) oneIn(n int) bool { return !c.steady && c.IntN(n) == 0 }

// index is one of n, the first of a steady chance.
func (c chance) index(n int) int {
	if c.steady {
		return 0
	}
	return c.IntN(n)
}

// about is d, give or take a share of it. The conversion keeps processors that can
// from multiplying and adding in one step, which rounds otherwise.
func (c chance) about(d time.Duration, share float64) time.Duration {
	if c.steady {
		return d
	}
	return time.Duration(float64(d) * (1 - share + float64(2*share*c.Float64())))
}
