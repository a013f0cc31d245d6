package recipes

import (
	"go.etcd.io/etcd/client/v3/concurrency"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// ResumedElection is Election, but resumes with the prefix that it was made
// with. That is what the two signatures suggest, and wrong: NewElection adds a
// "/" and ResumeElection does not (etcd#10297), so Leader and Observe then look at
// every key that starts like the prefix.
type ResumedElection struct {
	*Election
}

var _ workloads.Resumer = (*ResumedElection)(nil)

// NewResumedElection returns etcd's election on prefix.
func NewResumedElection(s *workloads.Session, prefix string) *ResumedElection {
	return &ResumedElection{NewElection(s, prefix)}
}

// Resume continues the leadership that grant describes.
func (e *ResumedElection) Resume(grant workloads.Grant) {
	e.election = concurrency.ResumeElection(e.session.Session, e.prefix, grant.Key, grant.Token)
	e.grant = grant
}
