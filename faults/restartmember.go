package faults

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/etcd-holdfast/holdfast/cluster"
)

// stopPatience is how long a member that was asked to end may take, before it is
// killed. etcd waits for the streams of its clients for about six seconds.
const stopPatience = 10 * time.Second

// restartMember asks one member to end, as an operator does (SIGTERM), and later
// starts it again on its data. A leader hands the leadership over first. Proved by
// the member no longer running; the evidence says whether it ended by itself.
func restartMember() Kind {
	return Kind{
		Name: "restart-member", Summary: "ask one member to end (SIGTERM), and start it again on its data", Draws: true, Downs: 1,
		needs: []need{needsStop, needsCrash, needsStatus},
		inject: func(ctx context.Context, w *World, choice *rand.Rand, _ string) (*effect, error) {
			member, leader, target, err := onlyOne(w.Cluster, choice)
			if err != nil {
				return nil, err
			}
			restart := func(ctx context.Context) error { return w.Cluster.(cluster.Crasher).Restart(ctx, member) }
			took, byItself, err := stopMember(ctx, w, member)
			if err != nil {
				return &effect{target: target, heal: restart}, err
			}
			return &effect{target: target, heal: restart, prove: leaderMoved(w, leader, func(context.Context) (bool, string) {
				down, evidence := isDown(w.Cluster, member)
				how := "it ended by itself"
				if !byItself {
					how = "it had to be killed"
				}
				return down, fmt.Sprintf("%s, %s after %v", evidence, how, took)
			})}, nil
		},
	}
}

// stopMember asks a member to end, and kills it when it takes too long.
func stopMember(ctx context.Context, w *World, member string) (took time.Duration, byItself bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, stopPatience)
	defer cancel()
	began := time.Now()
	byItself, err = w.Cluster.(cluster.Stopper).Stop(ctx, member)
	if err != nil {
		err = fmt.Errorf("ask %s to end: %w", member, err)
	}
	return time.Since(began).Round(time.Millisecond), byItself, err
}
