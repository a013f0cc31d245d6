package broken

import (
	"sync"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/recipes"
)

// staleToken is etcd's mutex, which is right, in front of a resource that takes
// the fencing token and does not compare it.
//
// Plausible: the token is in the protocol, in the log and in the table; that
// somebody has to refuse the older one is the part that no happy path tests.
//
// Found by fencing when a holder outlives its lease and goes on: a client that
// is paused or cut off for longer than its TTL, or that ignores its loss, and
// another that works meanwhile.
func staleToken() Specimen {
	return Specimen{Breaks: []string{fencing}, Twin: "mutex", Subject: workloads.Subject{
		Name:        "stale-token",
		Summary:     "a correct mutex, and a resource that does not compare fencing tokens",
		Origin:      history.Broken,
		Layout:      history.OldestKey,
		NewLock:     func(s *workloads.Session, prefix string) workloads.Lock { return recipes.NewMutex(s, prefix) },
		NewResource: func() workloads.Resource { return &gullibleResource{} },
	}}
}

// gullibleResource is a register with two sides, neither of which refuses.
type gullibleResource struct {
	mu            sync.Mutex
	position      int64
	plain, fenced string
}

func (r *gullibleResource) Read() (string, int64) { return r.read(&r.plain) }

func (r *gullibleResource) Write(value string) int64 { return r.write(&r.plain, value) }

func (r *gullibleResource) ReadFenced(int64) (string, int64, error) {
	value, position := r.read(&r.fenced) // the bug: the token is not looked at
	return value, position, nil
}

func (r *gullibleResource) WriteFenced(_ int64, value string) (int64, error) {
	return r.write(&r.fenced, value), nil // the bug: the token is not looked at
}

func (r *gullibleResource) read(side *string) (string, int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.position++
	return *side, r.position
}

func (r *gullibleResource) write(side *string, value string) int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.position++
	*side = value
	return r.position
}
