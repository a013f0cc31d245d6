package workloads

import (
	"errors"
	"iter"
	"maps"
	"slices"
	"sync"
)

// ErrStale is returned by a fenced resource to a token lower than one that it
// has seen.
var ErrStale = errors.New("the token is older than one already seen")

// Resource is what a lock protects: a register that clients read, change and
// write back. It has an unfenced side, which believes everybody, and a fenced
// side, which compares tokens. Positions count the resource's operations in
// the order in which it served them. It is safe for concurrent use.
type Resource interface {
	// Read returns the unfenced value.
	Read() (value string, position int64)
	// Write replaces the unfenced value.
	Write(value string) (position int64)
	// ReadFenced returns the fenced value, or ErrStale. From then on lower
	// tokens are refused.
	ReadFenced(token int64) (value string, position int64, err error)
	// WriteFenced replaces the fenced value, or returns ErrStale.
	WriteFenced(token int64, value string) (position int64, err error)
}

// resources are the protected resources of a crew, one an object, made when
// they are first asked for.
type resources struct {
	make func() Resource

	mu sync.Mutex
	by map[string]Resource
}

func (r *resources) of(object string) Resource {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.by == nil {
		r.by = make(map[string]Resource)
	}
	if r.by[object] == nil {
		r.by[object] = r.make()
	}
	return r.by[object]
}

// all yields the resources in the order of their objects' names.
func (r *resources) all() iter.Seq2[string, Resource] {
	r.mu.Lock()
	defer r.mu.Unlock()
	by := maps.Clone(r.by)
	return func(yield func(string, Resource) bool) {
		for _, object := range slices.Sorted(maps.Keys(by)) {
			if !yield(object, by[object]) {
				return
			}
		}
	}
}

type resource struct {
	mu       sync.Mutex
	position int64
	value    string
	fenced   string
	highest  int64
}

// NewResource returns an empty resource that refuses stale tokens. A read is
// fenced too: were it not, an old holder could write between a newer holder's
// read and write, and the newer one would overwrite an acknowledged update.
// See Kleppmann, "How to do distributed locking" (2016).
func NewResource() Resource { return &resource{} }

func (r *resource) Read() (string, int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.position++
	return r.value, r.position
}

func (r *resource) Write(value string) int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.position++
	r.value = value
	return r.position
}

func (r *resource) ReadFenced(token int64) (string, int64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if token < r.highest {
		return "", 0, ErrStale
	}
	r.highest = token
	r.position++
	return r.fenced, r.position, nil
}

func (r *resource) WriteFenced(token int64, value string) (int64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if token < r.highest {
		return 0, ErrStale
	}
	r.highest = token
	r.position++
	r.fenced = value
	return r.position, nil
}
