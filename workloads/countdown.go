package workloads

import "sync/atomic"

// countdown is over when it was counted down as often as it says. A WaitGroup has
// no channel, and a goroutine that waits for one closes its own some time later:
// who looked without waiting would see that, or not.
type countdown struct {
	left atomic.Int64
	over chan struct{}
}

func newCountdown(n int) *countdown {
	c := &countdown{over: make(chan struct{})}
	c.left.Store(int64(n))
	if n <= 0 {
		close(c.over)
	}
	return c
}

func (c *countdown) done() {
	if c.left.Add(-1) == 0 {
		close(c.over)
	}
}
