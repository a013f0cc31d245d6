package broken

import (
	"context"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// leaderFromCache is an election that remembers who leads for a third of a second.
//
// Plausible: everybody asks all the time, and leaders change rarely.
//
// Found by linearizable when a leader changes between two questions.
func leaderFromCache() Specimen {
	return Specimen{Breaks: []string{linearizable}, Twin: "queue-election", Subject: workloads.Subject{
		Name:    "leader-from-cache",
		Summary: "an election that answers who leads from its memory",
		Origin:  history.Broken,
		Layout:  history.OldestKey,
		NewElection: func(s *workloads.Session, prefix string) workloads.Election {
			return &rememberingElection{queueElection: newQueueElection(s, prefix)}
		},
	}}
}

// rememberedFor is how long an answer is given again.
const rememberedFor = 300 * time.Millisecond

type rememberingElection struct {
	*queueElection
	asked  time.Time
	answer workloads.Leadership
}

func (e *rememberingElection) Leader(ctx context.Context) (workloads.Leadership, error) {
	if time.Since(e.asked) < rememberedFor {
		return e.answer, nil // the bug
	}
	answer, err := e.queueElection.Leader(ctx)
	if err == nil {
		e.asked, e.answer = time.Now(), answer
	}
	return answer, err
}
