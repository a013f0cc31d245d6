// Package monotonic reads the clock by which processes of one machine can tell
// each other when something was.
package monotonic

import "errors"

// ErrUnsupported is returned where there is no such clock.
var ErrUnsupported = errors.New("a clock that all processes of the machine share is to be had on Linux only")
