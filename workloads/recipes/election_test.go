package recipes

import (
	"context"
	"errors"
	"testing"

	"go.etcd.io/etcd/client/v3/concurrency"

	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/internal/testetcd"
)

func forEachElection(t *testing.T, test func(t *testing.T, subject workloads.Subject)) {
	forSome(t, func(s workloads.Subject) bool { return s.NewElection != nil }, test)
}

// campaign runs for leadership and fails the test unless it is won.
func campaign(t *testing.T, e workloads.Election, value string) workloads.Grant {
	t.Helper()
	grant, err := e.Campaign(testetcd.Within(t), value)
	if err != nil {
		t.Fatal(err)
	}
	return grant
}

// wantLeader fails the test unless seen is the leadership of grant with value.
func wantLeader(t *testing.T, seen workloads.Leadership, grant workloads.Grant, value string) {
	t.Helper()
	if seen.Value != value || seen.Key != grant.Key || seen.Token != grant.Token || seen.Revision < grant.Token {
		t.Fatalf("the leadership is %+v, want value %q of %+v", seen, value, grant)
	}
}

func TestLeaderIsWhoLeads(t *testing.T) {
	forEachElection(t, func(t *testing.T, subject workloads.Subject) {
		a, b, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
		candidate, voter := subject.NewElection(a, prefix), subject.NewElection(b, prefix)
		leader := func() workloads.Leadership {
			t.Helper()
			seen, err := voter.Leader(testetcd.Within(t))
			if err != nil {
				t.Fatal(err)
			}
			return seen
		}
		if _, err := voter.Leader(testetcd.Within(t)); !errors.Is(err, workloads.ErrNoLeader) {
			t.Fatalf("leader before any campaign: %v, want %v", err, workloads.ErrNoLeader)
		}
		grant := campaign(t, candidate, "one")
		wantLeader(t, leader(), grant, "one")
		testetcd.Must(t, func(ctx context.Context) error { return candidate.Proclaim(ctx, "two") })
		wantLeader(t, leader(), grant, "two")
		testetcd.Must(t, candidate.Resign)
		if _, err := voter.Leader(testetcd.Within(t)); !errors.Is(err, workloads.ErrNoLeader) {
			t.Fatalf("leader after the resignation: %v, want %v", err, workloads.ErrNoLeader)
		}
		if err := candidate.Proclaim(testetcd.Within(t), "three"); err == nil || !workloads.Certain(err) {
			t.Fatalf("proclaim after the resignation: %v, want an error that is certain", err)
		}
	})
}

func TestObserverSeesEveryLeader(t *testing.T) {
	forEachElection(t, func(t *testing.T, subject workloads.Subject) {
		a, b, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
		first, second := subject.NewElection(a, prefix), subject.NewElection(b, prefix)
		ctx, cancel := context.WithCancel(testetcd.Within(t))
		defer cancel()
		seen := second.Observe(ctx)
		next := func() workloads.Leadership {
			t.Helper()
			leadership, open := <-seen
			if !open {
				t.Fatal("the observation ended")
			}
			return leadership
		}
		grant := campaign(t, first, "one")
		wantLeader(t, next(), grant, "one")
		testetcd.Must(t, func(ctx context.Context) error { return first.Proclaim(ctx, "two") })
		wantLeader(t, next(), grant, "two")
		testetcd.Must(t, first.Resign)
		grant = campaign(t, second, "three")
		wantLeader(t, next(), grant, "three")
		cancel()
		for range seen { // ends when the channel is closed
		}
		testetcd.Must(t, second.Resign)
	})
}

func TestResumeContinuesTheLeadership(t *testing.T) {
	forEachElection(t, func(t *testing.T, subject workloads.Subject) {
		before, prefix := testetcd.Open(t), testetcd.Prefix(t)
		// An election whose prefix starts like this one, and is older.
		campaign(t, subject.NewElection(testetcd.Open(t), prefix+"0"), "neighbour")
		grant := campaign(t, subject.NewElection(before, prefix), "one")

		after := testetcd.Open(t, concurrency.WithLease(before.Session.Lease()))
		election := subject.NewElection(after, prefix).(workloads.Resumer)
		election.Resume(grant)
		testetcd.Must(t, func(ctx context.Context) error { return election.Proclaim(ctx, "two") })
		seen, err := election.Leader(testetcd.Within(t))
		if err != nil {
			t.Fatal(err)
		}
		if subject.Name == "election-resumed" {
			// etcd#10297. When it does not, etcd has been corrected.
			if seen.Value != "neighbour" {
				t.Errorf("it sees %+v, and not its neighbour", seen)
			}
			return
		}
		wantLeader(t, seen, grant, "two")
		ctx, cancel := context.WithCancel(testetcd.Within(t))
		defer cancel()
		observed := election.Observe(ctx)
		wantLeader(t, <-observed, grant, "two")
		reply, err := after.Client.Txn(testetcd.Within(t)).If(election.(workloads.Guard).IsOwner()).Commit()
		if err != nil {
			t.Fatal(err)
		}
		if !reply.Succeeded {
			t.Error("the guard fails after the resumption")
		}
		testetcd.Must(t, election.Resign)
		testetcd.AwaitKeys(t, after.Client, prefix, 0)
	})
}

func TestResumeOfALostLeadershipShowsInProclaim(t *testing.T) {
	forEachElection(t, func(t *testing.T, subject workloads.Subject) {
		session, prefix := testetcd.Open(t), testetcd.Prefix(t)
		first := subject.NewElection(session, prefix)
		grant := campaign(t, first, "one")
		testetcd.Must(t, first.Resign)
		election := subject.NewElection(session, prefix).(workloads.Resumer)
		election.Resume(grant)
		if err := election.Proclaim(testetcd.Within(t), "two"); !errors.Is(err, concurrency.ErrElectionNotLeader) {
			t.Errorf("proclaim after resuming a lost leadership: %v, want %v", err, concurrency.ErrElectionNotLeader)
		}
	})
}
