package broken

import (
	"context"
	"errors"
	"fmt"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/recipes"
)

// serviceUnconfirmed is a leader's loop that begins to lead when the leader before
// it has resigned, whoever else has seen that.
//
// Plausible: it watches the leader's key, and when that is deleted nobody leads.
// It puts its own key then, and so do all others who have waited.
//
// Found by exclusion and by ownership when two wait for one leader.
func serviceUnconfirmed() Specimen {
	return Specimen{Breaks: []string{exclusion, ownership}, Twin: "service", Subject: workloads.Subject{
		Name:       "service-unconfirmed",
		Summary:    "a leader's loop that takes an empty seat for its own",
		Origin:     history.Broken,
		Layout:     history.OldestKey,
		NewService: func(s *workloads.Session, prefix string) workloads.Service { return &hastyService{s, prefix} },
	}}
}

type hastyService struct {
	session *workloads.Session
	prefix  string
}

func (v *hastyService) Run(ctx context.Context, lead func(context.Context, workloads.Grant)) error {
	election := &hastyElection{recipes.NewElection(v.session, v.prefix), v.session, v.prefix + "/"}
	grant, err := election.Campaign(ctx, fmt.Sprintf("%x", v.session.Session.Lease())) // the bug is in there
	if err != nil {
		return err
	}
	leadWhile(ctx, v.session, grant, lead)
	own := claim{v.session.Client, grant.Key, grant.Token}
	resigning, cancel := cleanup(ctx)
	defer cancel()
	if err := own.withdraw(resigning); err != nil && !errors.Is(err, errLost) {
		return fmt.Errorf("resign: %w", err)
	}
	return nil
}
