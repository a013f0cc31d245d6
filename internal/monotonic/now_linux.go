package monotonic

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// Now is the time on the machine's monotonic clock, which is the one that the
// package time reads beside the wall clock.
func Now() (time.Duration, error) {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		return 0, fmt.Errorf("read the monotonic clock: %w", err)
	}
	return time.Duration(t.Nano()), nil
}
