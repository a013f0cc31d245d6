package broken

import (
	"context"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// observeSkipsProclaims is an election whose observation delivers a leader when it
// comes, and nothing when it proclaims.
//
// Plausible: "who leads" is what one observes an election for, and the key says
// that; that the value is what the leader says of itself is another chapter.
//
// Found by observe when the last leader has proclaimed.
func observeSkipsProclaims() Specimen {
	return Specimen{Breaks: []string{observe}, Twin: "queue-election", Subject: workloads.Subject{
		Name:    "observe-skips-proclaims",
		Summary: "an election whose observation tells of new leaders, not of new values",
		Origin:  history.Broken,
		Layout:  history.OldestKey,
		NewElection: func(s *workloads.Session, prefix string) workloads.Election {
			return &deafObserverElection{newQueueElection(s, prefix)}
		},
	}}
}

type deafObserverElection struct{ *queueElection }

func (e *deafObserverElection) Observe(ctx context.Context) <-chan workloads.Leadership {
	seen := make(chan workloads.Leadership)
	go func() {
		defer close(seen)
		leader := int64(0)
		for now := range e.queueElection.Observe(ctx) {
			if now.Token == leader {
				continue // the bug
			}
			leader = now.Token
			select {
			case seen <- now:
			case <-ctx.Done():
			}
		}
	}()
	return seen
}
