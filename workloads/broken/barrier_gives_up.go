package broken

import (
	"context"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/recipes"
)

// barrierGivesUp is a barrier that is waited for no longer than a second, after
// which it counts as open.
//
// Plausible: a wait needs an end, and a program that hangs when it starts is worse
// than one that starts a little early. But its caller is told that it passed.
//
// Found by passage when the barrier is closed for longer.
func barrierGivesUp() Specimen {
	return Specimen{Breaks: []string{passage}, Twin: "barrier-checked", Subject: workloads.Subject{
		Name:    "barrier-gives-up",
		Summary: "a barrier that lets pass who has waited for a second",
		Origin:  history.Broken,
		Layout:  history.BarrierKeys,
		NewBarrier: func(s *workloads.Session, prefix string) workloads.Barrier {
			return &briefBarrier{recipes.NewCheckedBarrier(s, prefix)}
		},
	}}
}

// passPatience is how long the barrier is waited for.
const passPatience = time.Second

type briefBarrier struct{ *recipes.CheckedBarrier }

func (b *briefBarrier) Pass(ctx context.Context) error {
	within, cancel := context.WithTimeout(ctx, passPatience)
	defer cancel()
	if err := b.CheckedBarrier.Pass(within); err != nil && within.Err() == nil || ctx.Err() != nil {
		return err
	}
	return nil // the bug: also when the wait was over before the barrier was open
}
