package holdfast

import (
	"time"

	"github.com/etcd-holdfast/holdfast/faults"
	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/quantity"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// TortureScenario returns a scenario that gives subjects of any primitive a hard
// time: many clients on few objects, holds far longer than leases live, waiters
// that lose patience when it is nearly their turn, tries, two objects at a time,
// clients that ignore that their session is over, and clients that crash, are
// cut off, stalled, robbed of their lease or of an answer, while they wait and
// while they hold. Later members are isolated and crash too, and history is
// compacted. After the heal there are many rounds in which nothing is in the way.
//
// It does not know what it looks for: subjects of one primitive get the same,
// those of the zoo, and one's own:
//
//	scenario := holdfast.TortureScenario(subject)
//	judgement, err := holdfast.Run(ctx, scenario, holdfast.RunOptions{})
//
// More than about ten subjects at a time need more than two cores.
func TortureScenario(subjects ...workloads.Subject) Scenario {
	s := NewScenario("torture")
	s.Summary = "Many clients, few objects, long holds, little patience, and every fault at the moments that matter."
	s.Duration, s.Quiet = 18*time.Second, 12*time.Second
	s.Clients.OnLoss = workloads.Mixed
	s.Faults = []Fault{
		{Of: []string{"isolate-member", "isolate-member", "isolate-leader", "one-way", "split", "bridge", "crash-member"}, Peace: tortureMembers, Every: span(600, 1500), For: span(800, 2000)},
		// Too short for an election: a member that lags, and answers.
		{Of: []string{"isolate-member", "one-way", "one-way", "one-way"}, Peace: tortureMembers, Every: span(50, 200), For: span(80, 250)},
		{Of: []string{"compact"}, Peace: tortureMembers, Every: span(2500, 4000)},
	}
	for _, subject := range subjects {
		if own, builtin := (&Scenario{}).subject(subject.Name); builtin {
			subject = own
		} else {
			s.Subjects = append(s.Subjects, subject)
		}
		s.Workloads = append(s.Workloads, tortureWorkload(subject))
		s.Faults = append(s.Faults, tortureFaults(subject)...)
	}
	return s
}

// tortureWorkload is the traffic to a subject. It depends on its primitive only.
func tortureWorkload(subject workloads.Subject) Workload {
	w := NewWorkload(subject.Name)
	w.Clients, w.Objects = 6, 2
	w.Hold, w.Long, w.LongHold = span(2, 60), 0.08, span(2000, 4000)
	w.Think = span(0, 60)
	w.Patience = span(5000, 8000)
	w.Impatient, w.Impatience = 0.35, span(20, 1000)
	w.Try, w.Several = 0.25, 0.1
	w.Readers = 0.5
	w.Proclaim = 0.5
	w.LastRounds = 10
	switch subject.Primitive() {
	case history.Semaphore:
		w.Objects = 1 // many for few permits
	case history.Bank, history.Register:
		w.Objects, w.Long = 1, 0 // nothing is held
		w.Hold, w.Think = span(0, 20), span(0, 40)
	}
	return w
}

// tortureFaults are the faults that the clients of a subject meet, each entry
// one after another. They depend on what its primitive does: hold, wait for
// others, or neither.
func tortureFaults(subject workloads.Subject) []Fault {
	when := func(event string, longer time.Duration) *faults.Trigger {
		return &faults.Trigger{Subject: faults.Names{subject.Name}, Event: event, Longer: longer}
	}
	entry := func(t *faults.Trigger, length, rest quantity.Span, of ...string) Fault {
		return Fault{When: t, Of: of, For: length, Peace: tortureClients, Rest: rest, Times: 20}
	}
	// For longer than a lease lives, or not.
	waiting := entry(when(faults.Waiting, 30*time.Millisecond), span(700, 3000), span(300, 1000), "cut-client", "stall-client")
	// These take no time.
	gone := entry(when(faults.Waiting, 100*time.Millisecond), span(1, 1), span(700, 2000), "revoke-lease", "crash-client")
	switch primitive := subject.Primitive(); primitive {
	case history.Queue, history.PriorityQueue, history.Barrier, history.DoubleBarrier:
		lost := entry(when(faults.Waiting, 20*time.Millisecond), span(300, 1500), span(300, 1000), "lose-answer", "lose-answer-partly")
		return []Fault{waiting, lost, gone}
	case history.Bank, history.Register:
		call := history.Put
		if primitive == history.Bank {
			call = history.Transfer
		}
		// Nothing lasts: it is every so many calls, and without peace.
		every := func(n int, event string, of ...string) Fault {
			return Fault{When: &faults.Trigger{Subject: faults.Names{subject.Name}, Event: event, Nth: n}, Of: of, For: span(300, 1500), Times: 20}
		}
		entries := []Fault{every(100, faults.Called+" "+string(call), "cut-client", "stall-client", "lose-answer-partly", "crash-client")}
		if primitive == history.Bank {
			entries = append(entries, every(100, faults.Requested+" Txn", "lose-answer", "lose-answer-partly"))
		}
		return entries
	}
	return []Fault{
		entry(when(faults.Holding, 10*time.Millisecond), span(700, 3000), span(300, 1000), "cut-client", "stall-client", "lose-answer"),
		waiting,
		// Such that the client goes on with what it is told.
		entry(when(faults.Holding, 5*time.Millisecond), span(700, 1500), span(100, 300), "lose-answer-partly"),
		// These take no time. The first is while there is much of a long hold to come.
		entry(when(faults.Holding, 150*time.Millisecond), span(1, 1), span(100, 400), "revoke-lease", "revoke-lease", "crash-client"),
		entry(when(faults.Holding, 15*time.Millisecond), span(1, 1), span(200, 700), "revoke-lease"),
		gone,
	}
}

// Clients are left in peace at first, and members longer: what a subject can be
// blamed for shows best while nothing else is wrong.
const (
	tortureClients = 6 * time.Second
	tortureMembers = 8 * time.Second
)

// span is a span of milliseconds.
func span(least, most int) quantity.Span {
	return quantity.Span{Min: time.Duration(least) * time.Millisecond, Max: time.Duration(most) * time.Millisecond}
}
