package broken

import (
	"context"
	"fmt"
	"strconv"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/recipes"
)

// doubleBarrierLeavesAlone is a double barrier that is entered together and left
// by everybody for themselves.
//
// Plausible: the way in is what one thinks of, and whoever is done takes its key
// away and goes. That the others are done too is what the second half is for.
//
// Found by passage when one is done before the others.
func doubleBarrierLeavesAlone() Specimen {
	return Specimen{Breaks: []string{passage}, Twin: "double-barrier-checked", Subject: workloads.Subject{
		Name:    "double-barrier-leaves-alone",
		Summary: "a double barrier whose leave does not wait for the others",
		Origin:  history.Broken,
		Layout:  history.MemberKeys,
		NewDoubleBarrier: func(s *workloads.Session, prefix string, permits int) workloads.DoubleBarrier {
			return &lonelyLeave{recipes.NewCheckedDoubleBarrier(s, prefix, permits), s.Client, memberKey(s, prefix)}
		},
	}}
}

// memberKey stands for a session in a double barrier.
func memberKey(s *workloads.Session, prefix string) string {
	return prefix + "/waiters/" + strconv.FormatInt(int64(s.Session.Lease()), 16)
}

type lonelyLeave struct {
	*recipes.CheckedDoubleBarrier
	client *clientv3.Client
	key    string
}

func (b *lonelyLeave) Leave(ctx context.Context) error {
	if _, err := b.client.Delete(ctx, b.key); err != nil { // the bug: and no wait
		return fmt.Errorf("delete the own key: %w", err)
	}
	return nil
}
