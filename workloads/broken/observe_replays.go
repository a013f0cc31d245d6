package broken

import (
	"context"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// observeReplays is an election whose observation tells, each second, everything
// again that happened since it began.
//
// Plausible: a watch is renewed now and then, in case it is dead, and begins where
// the first one began: nothing may be missed. An observer sees leaders come back
// who are long gone.
//
// Found by observe within seconds.
func observeReplays() Specimen {
	return Specimen{Breaks: []string{observe}, Twin: "queue-election", Subject: workloads.Subject{
		Name:    "observe-replays",
		Summary: "an election whose observation begins anew after an interruption",
		Origin:  history.Broken,
		Layout:  history.OldestKey,
		NewElection: func(s *workloads.Session, prefix string) workloads.Election {
			return &replayingElection{newQueueElection(s, prefix)}
		},
	}}
}

// renewal is how long one watch is used.
const renewal = time.Second

type replayingElection struct{ *queueElection }

func (e *replayingElection) Observe(ctx context.Context) <-chan workloads.Leadership {
	seen := make(chan workloads.Leadership)
	go func() {
		defer close(seen)
		reply, err := e.session.Client.Get(ctx, e.prefix+locking, clientv3.WithPrefix())
		if err != nil {
			return
		}
		began := reply.Header.Revision
		for ctx.Err() == nil {
			within, cancel := context.WithTimeout(ctx, renewal)
			e.follow(within, began, seen) // the bug: not from where the last one ended
			<-within.Done()
			cancel()
		}
	}()
	return seen
}

// follow delivers what leaders were put from a revision on, until ctx ends.
func (e *replayingElection) follow(ctx context.Context, began int64, seen chan<- workloads.Leadership) {
	leader := int64(0)
	for reply := range e.session.Client.Watch(ctx, e.prefix+locking, clientv3.WithPrefix(), clientv3.WithRev(began+1)) {
		for _, event := range reply.Events {
			if event.Type == mvccpb.DELETE {
				continue
			}
			now, err := e.leader(ctx, clientv3.WithRev(event.Kv.ModRevision))
			if err != nil || now.Token < leader {
				continue
			}
			leader = now.Token
			select {
			case seen <- now:
			case <-ctx.Done():
				return
			}
		}
	}
}
