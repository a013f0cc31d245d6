package recipes

import (
	"context"
	"strings"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// CheckedRWMutex is a read-write lock that keeps what recipe.RWMutex promises,
// and heeds contexts; see line for what it does differently.
type CheckedRWMutex struct {
	line
}

var (
	_ workloads.RWLock = (*CheckedRWMutex)(nil)
	_ workloads.Guard  = (*CheckedRWMutex)(nil)
)

// The kinds of key, below the prefix.
const (
	readKind  = "read/"
	writeKind = "write/"
)

// NewCheckedRWMutex returns the corrected read-write lock on prefix.
func NewCheckedRWMutex(s *workloads.Session, prefix string) *CheckedRWMutex {
	return &CheckedRWMutex{line: line{session: s, prefix: prefix + "/"}}
}

// AcquireRead waits until no older writer is left.
func (m *CheckedRWMutex) AcquireRead(ctx context.Context) (workloads.Grant, error) {
	return m.acquire(ctx, readKind, isWriter)
}

// Acquire waits until nobody older is left.
func (m *CheckedRWMutex) Acquire(ctx context.Context) (workloads.Grant, error) {
	return m.acquire(ctx, writeKind, func(rest string) bool { return isWriter(rest) || isReader(rest) })
}

func (m *CheckedRWMutex) acquire(ctx context.Context, kind string, first func(string) bool) (workloads.Grant, error) {
	return m.own(ctx, kind, "", first)
}

func isReader(rest string) bool {
	name, ok := strings.CutPrefix(rest, readKind)
	return ok && own(name)
}

func isWriter(rest string) bool {
	name, ok := strings.CutPrefix(rest, writeKind)
	return ok && own(name)
}

// ReleaseRead gives the lock up, as Release does.
func (m *CheckedRWMutex) ReleaseRead(ctx context.Context) error { return m.Release(ctx) }

// Release gives the lock up. After an error it may be called again.
func (m *CheckedRWMutex) Release(ctx context.Context) error { return m.giveUp(ctx, errNotHeld) }
