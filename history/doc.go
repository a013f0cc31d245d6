// Package history holds what happened in a run: the operations and events that
// clients recorded, the revision log that says what the store really did, and
// the faults.
//
// # Time
//
// All times are [time.Duration] since the start of the run on the run's one
// monotonic clock. In files they are whole nanoseconds. The recorder stamps a
// record while it appends it, so the order of lines is the order of times and
// a file that was cut at any line is the exact history up to an instant.
//
// # The caller's obligations
//
// Record an invocation before the call is made and its completion after the
// call returned. Never complete an operation whose outcome is not known as
// anything but [Info]. Record [Event] Lost before acting on the loss: the
// recording is the moment at which the client stops believing.
package history
