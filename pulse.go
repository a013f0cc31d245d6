package holdfast

import (
	"context"
	"time"
)

// beat is how often a pulse is taken.
const beat = 20 * time.Millisecond

// pulse measures how late the machine is with what this process wants to do.
type pulse struct {
	cancel context.CancelFunc
	worst  chan time.Duration
}

// startPulse begins to measure.
func startPulse(ctx context.Context) *pulse {
	ctx, cancel := context.WithCancel(ctx)
	p := &pulse{cancel, make(chan time.Duration, 1)}
	go func() {
		worst := time.Duration(0)
		ticker := time.NewTicker(beat)
		defer ticker.Stop()
		last := time.Now()
		for {
			select {
			case <-ticker.C:
				now := time.Now()
				worst = max(worst, now.Sub(last)-beat)
				last = now
			case <-ctx.Done():
				p.worst <- worst
				return
			}
		}
	}()
	return p
}

// end ends the measurement and returns the longest delay.
func (p *pulse) end() time.Duration {
	p.cancel()
	return <-p.worst
}
