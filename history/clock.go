package history

import "time"

// Clock is a run's one monotonic clock.
type Clock struct{ start time.Time }

// NewClock returns a clock that reads zero now.
func NewClock() *Clock { return &Clock{start: time.Now()} }

// NewClockAt returns a clock that read zero at start, a time that has a monotonic
// part.
func NewClockAt(start time.Time) *Clock { return &Clock{start: start} }

// Now is the time since the start of the run.
func (c *Clock) Now() time.Duration { return time.Since(c.start) }

// Start is the wall-clock time at which the run's clock read zero.
func (c *Clock) Start() time.Time { return c.start }
