package recipes

import (
	"context"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// Semaphore is a counting semaphore on etcd, holdfast's own: etcd has none. It
// is a line in which as many places own at a time as there are permits: those
// with the lowest create revisions. One linearizable read decides, as it shows the
// own key and the older ones together.
type Semaphore struct {
	line
}

var (
	_ workloads.Semaphore = (*Semaphore)(nil)
	_ workloads.Guard     = (*Semaphore)(nil)
)

// NewSemaphore returns a semaphore of so many permits on prefix.
func NewSemaphore(s *workloads.Session, prefix string, permits int) *Semaphore {
	return &Semaphore{line{session: s, prefix: prefix + "/", permits: permits}}
}

// Acquire waits until one of the permits is the caller's.
func (p *Semaphore) Acquire(ctx context.Context) (workloads.Grant, error) {
	return p.own(ctx, "", "", own)
}

// Release gives the permit back. It is no error if the lease's end has done so.
// After an error it may be called again.
func (p *Semaphore) Release(ctx context.Context) error { return p.giveUp(ctx, errNotHeld) }
