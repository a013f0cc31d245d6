package broken

import (
	"context"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/recipes"
)

// registerFromCache is a register whose reads come from memory for a while.
//
// Plausible: a tenth of a second is nothing, and it takes most of the load off
// etcd. Whoever has heard that another wrote reads the old value.
//
// Found by linearizable when another client writes between two reads.
func registerFromCache() Specimen {
	return Specimen{Breaks: []string{linearizable}, Twin: "kv-register", Subject: workloads.Subject{
		Name:    "register-from-cache",
		Summary: "a register whose reads are up to a tenth of a second old",
		Origin:  history.Broken,
		Layout:  history.OneKey,
		NewRegister: func(s *workloads.Session, prefix string) workloads.Register {
			return &cachedRegister{Register: recipes.NewRegister(s, prefix), fresh: freshFor}
		},
	}}
}

// freshFor is how long what was read counts as what is there.
const freshFor = 100 * time.Millisecond

type cachedRegister struct {
	*recipes.Register
	known workloads.Reading
	read  time.Time
	fresh time.Duration
}

func (r *cachedRegister) Get(ctx context.Context) (workloads.Reading, error) {
	if time.Since(r.read) < r.fresh {
		return r.known, nil // the bug
	}
	asked := time.Now()
	reading, err := r.Register.Get(ctx)
	if err == nil {
		r.known, r.read = reading, asked
	}
	return reading, err
}

func (r *cachedRegister) Put(ctx context.Context, value string) (int64, error) {
	r.read = time.Time{}
	return r.Register.Put(ctx, value)
}

func (r *cachedRegister) CompareAndSet(ctx context.Context, prior, value string) (int64, error) {
	r.read = time.Time{}
	return r.Register.CompareAndSet(ctx, prior, value)
}
