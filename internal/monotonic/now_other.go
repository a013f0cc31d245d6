//go:build !linux

package monotonic

import "time"

// Now returns ErrUnsupported.
func Now() (time.Duration, error) { return 0, ErrUnsupported }
