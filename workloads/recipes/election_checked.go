package recipes

import (
	"context"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// CheckedElection is Election without etcd#19597: a campaign succeeds only if a
// read after the wait finds the candidate's key. See check for why that is
// enough and what it leaves open.
type CheckedElection struct {
	*Election
}

var (
	_ workloads.Resumer = (*CheckedElection)(nil)
	_ workloads.Guard   = (*CheckedElection)(nil)
)

// NewCheckedElection returns the corrected election on prefix.
func NewCheckedElection(s *workloads.Session, prefix string) *CheckedElection {
	return &CheckedElection{NewElection(s, prefix)}
}

// Campaign waits until the caller leads.
func (e *CheckedElection) Campaign(ctx context.Context, value string) (workloads.Grant, error) {
	grant, err := e.Election.Campaign(ctx, value)
	if err != nil {
		return workloads.Grant{}, err
	}
	if err := check(ctx, e.session.Client, grant, e.Resign); err != nil {
		e.grant = workloads.Grant{}
		return workloads.Grant{}, err
	}
	return grant, nil
}
