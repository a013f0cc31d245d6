package faults

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/etcd-holdfast/holdfast/cluster"
)

// crashMember ends a member without a goodbye and later starts it again on the
// data that it left. Proved by the member no longer running. Only one member
// is down at a time, or a cluster of three would lose its majority for as long
// as two crashes overlap.
func crashMember() Kind {
	return Kind{
		Name: "crash-member", Summary: "end one member without a goodbye, and restart it on its data", Draws: true, Downs: 1,
		needs: []need{needsCrash, needsStatus},
		inject: func(ctx context.Context, w *World, choice *rand.Rand, _ string) (*effect, error) {
			member, leader, target, err := onlyOne(w.Cluster, choice)
			if err != nil {
				return nil, err
			}
			crasher := w.Cluster.(cluster.Crasher)
			restart := func(ctx context.Context) error { return crasher.Restart(ctx, member) }
			if err := crasher.Crash(ctx, member); err != nil {
				// It may be half dead.
				return &effect{target: target, heal: restart}, fmt.Errorf("crash %s: %w", member, err)
			}
			down := func(context.Context) (bool, string) { return isDown(w.Cluster, member) }
			return &effect{
				target: target,
				prove:  leaderMoved(w, leader, down),
				heal:   restart,
			}, nil
		},
	}
}
