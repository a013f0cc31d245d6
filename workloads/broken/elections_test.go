package broken

import (
	"testing"

	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/internal/testetcd"
)

// What an election says that it proclaimed is not what the leader's value is.
func TestProclaimsThatWriteNothing(t *testing.T) {
	for _, name := range []string{"proclaims-once", "proclaim-ignores-outcome"} {
		t.Run(name, func(t *testing.T) {
			session, prefix := testetcd.Open(t), testetcd.Prefix(t)
			election := testetcd.Named(t, Subjects(), name).NewElection(session, prefix)
			grant, err := election.Campaign(testetcd.Within(t), "at first")
			if err != nil {
				t.Fatal(err)
			}
			leads := func(want string) {
				t.Helper()
				if l, err := election.Leader(testetcd.Within(t)); err != nil || l.Value != want {
					t.Errorf("the leader is %+v, %v, want %q", l, err, want)
				}
			}
			if name == "proclaims-once" {
				if err := election.Proclaim(testetcd.Within(t), "then"); err != nil {
					t.Error(err)
				}
				leads("then")
			} else if _, err := session.Client.Delete(testetcd.Within(t), grant.Key); err != nil {
				t.Fatal(err)
			}
			if err := election.Proclaim(testetcd.Within(t), "in the end"); err != nil {
				t.Errorf("it noticed that it wrote nothing: %v", err)
			}
			if name == "proclaims-once" {
				leads("then")
			} else if _, err := election.Leader(testetcd.Within(t)); err != workloads.ErrNoLeader {
				t.Errorf("somebody leads: %v", err)
			}
		})
	}
}
