package workloads

import "context"

// Semaphore is a lock that as many clients hold at once as it has permits.
// Errors are as for Lock. The token of a grant need be no fencing token: its
// holds do not exclude each other.
type Semaphore interface {
	// Acquire returns nil only while the caller has one of the permits.
	Acquire(ctx context.Context) (Grant, error)
	// Release gives the permit back.
	Release(ctx context.Context) error
}
