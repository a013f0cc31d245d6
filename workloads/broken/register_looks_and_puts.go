package broken

import (
	"context"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/recipes"
)

// registerLooksAndPuts is a register whose comparison is a read, and then a write.
//
// Plausible: both are linearizable, one after the other. But what comes between
// them is overwritten.
//
// Found by linearizable when two write at once.
func registerLooksAndPuts() Specimen {
	return Specimen{Breaks: []string{linearizable}, Twin: "kv-register", Subject: workloads.Subject{
		Name:    "register-looks-and-puts",
		Summary: "a register that compares what it reads, and writes afterwards",
		Origin:  history.Broken,
		Layout:  history.OneKey,
		NewRegister: func(s *workloads.Session, prefix string) workloads.Register {
			return &lookingRegister{recipes.NewRegister(s, prefix)}
		},
	}}
}

type lookingRegister struct{ *recipes.Register }

func (r *lookingRegister) CompareAndSet(ctx context.Context, prior, value string) (int64, error) {
	now, err := r.Get(ctx)
	if err != nil {
		return 0, workloads.WithoutEffect(err)
	}
	if now.Value != prior {
		return now.Revision, workloads.ErrDiffers
	}
	return r.Put(ctx, value) // the bug
}
