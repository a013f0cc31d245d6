//go:build !linux

package process

import (
	"errors"
	"time"

	"github.com/etcd-holdfast/holdfast/internal/offspring"
)

// Launcher is the role of a process whose calls are held up, which there is on Linux
// only.
const Launcher = "launch"

var errNoGate = errors.New("disks can be made slow on Linux only")

// Launch returns the exit code for what cannot be had.
func Launch() int { return 70 }

// SlowDisks is why members' disks cannot be made slow on this machine.
func SlowDisks() error { return errNoGate }

// gate is what there is on Linux only.
type gate struct{}

func throughGate(*offspring.Parent, offspring.Command) (*offspring.Process, *gate, error) {
	return nil, nil, errNoGate
}

func (*gate) slowDown(func() time.Duration) (*slowed, error) { return nil, errNoGate }

func (*gate) close() error { return nil }
