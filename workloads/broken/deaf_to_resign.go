package broken

import (
	"context"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// deafToResign is an election whose resignation ends the leader's work and leaves
// its key, so that the next campaign of the same client is won without waiting.
//
// Plausible: the leader stops, which is what resigning looks like from inside, and
// "sticky" leadership spares elections. The others wait for a leader that does
// nothing.
//
// Found by leftovers as soon as one resigns.
func deafToResign() Specimen {
	return Specimen{Breaks: []string{leftovers, progress}, Twin: "queue-election", Subject: workloads.Subject{
		Name:    "deaf-to-resign",
		Summary: "an election whose leader stays in office after it resigned",
		Origin:  history.Broken,
		Layout:  history.OldestKey,
		NewElection: func(s *workloads.Session, prefix string) workloads.Election {
			return &stickyElection{newQueueElection(s, prefix)}
		},
	}}
}

type stickyElection struct{ *queueElection }

func (e *stickyElection) Resign(context.Context) error { return nil } // the bug
