//go:build !linux

package offspring

import "context"

// Parent starts processes; here it starts none.
type Parent struct{}

// NewParent returns ErrUnsupported.
func NewParent() (*Parent, error) { return nil, ErrUnsupported }

// Start returns ErrUnsupported.
func (*Parent) Start(Command) (*Process, error) { return nil, ErrUnsupported }

// Close does nothing.
func (*Parent) Close() error { return nil }

// Process is one that was started.
type Process struct{}

// PID returns zero.
func (*Process) PID() int { return 0 }

// Done returns nil.
func (*Process) Done() <-chan struct{} { return nil }

// Err returns nil.
func (*Process) Err() error { return nil }

// Kill returns ErrUnsupported.
func (*Process) Kill() error { return ErrUnsupported }

// Stop returns ErrUnsupported.
func (*Process) Stop(context.Context) (bool, error) { return false, ErrUnsupported }

// Freeze returns ErrUnsupported.
func (*Process) Freeze(context.Context) (*Frozen, error) { return nil, ErrUnsupported }

// Frozen is a process that was frozen.
type Frozen struct{}

// Evidence returns false.
func (*Frozen) Evidence() (bool, string) { return false, "" }

// Thaw does nothing.
func (*Frozen) Thaw() {}

// Keep returns the exit code for what cannot be had.
func Keep() int { return 70 }

// Leftovers finds none: nothing was started.
func Leftovers() ([]Leftover, error) { return nil, nil }

// Remove returns ErrUnsupported.
func (Leftover) Remove() error { return ErrUnsupported }

// InUse returns ErrUnsupported: which directories are in use is known on Linux only.
func InUse([]string, map[int]bool) (map[string]bool, error) { return nil, ErrUnsupported }
