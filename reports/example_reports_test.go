package reports_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/reports"
)

const ms = time.Millisecond

// record is a history under construction.
type record struct {
	history.History
	next    int64
	changes []*history.Change
	ends    []lapse
	born    map[int64]*history.Change // by the acquire's ID
}

// lapse is the end of a lease, by the change that it made.
type lapse struct {
	lease  int64
	change *history.Change
}

func newRecord(subjects ...history.SubjectInfo) *record {
	r := &record{next: 1, born: map[int64]*history.Change{}}
	r.Header = history.Header{Version: history.FormatVersion, Prefix: "/holdfast/", Subjects: subjects}
	return r
}

func (r *record) add(op history.Operation) int64 {
	op.ID = r.next
	r.next++
	r.Operations = append(r.Operations, op)
	r.End = max(r.End, op.Return, op.Call)
	return op.ID
}

func (r *record) event(e history.Event) {
	r.Events = append(r.Events, e)
	r.End = max(r.End, e.Time)
}

// hold adds an acquire from call to got, and a release at until if it is not 0.
func (r *record) hold(subject, object, client string, lease int64, call, got, until time.Duration) int64 {
	info, _ := r.Header.Subject(subject)
	acquire, release := history.Acquire, history.Release
	if info.Primitive == history.Election {
		acquire, release = history.Campaign, history.Resign
	}
	key := fmt.Sprintf("%s/%x", r.Header.ObjectPrefix(subject, object), lease)
	created := &history.Change{Time: (call + got) / 2, Key: key, Version: 1, Lease: lease}
	r.changes = append(r.changes, created)
	id := r.add(history.Operation{
		Client: client, Subject: subject, Object: object, Kind: acquire, Call: call, Return: got, Outcome: history.Ok,
		Lease: lease, Key: key,
	})
	r.born[id] = created
	if until > 0 {
		r.add(history.Operation{
			Client: client, Subject: subject, Object: object, Kind: release, Call: until, Return: until + 4*ms, Outcome: history.Ok, Lease: lease, Hold: id,
		})
		r.drop(key, until+3*ms)
	}
	return id
}

func (r *record) drop(key string, at time.Duration) *history.Change {
	deleted := &history.Change{Time: at, Key: key, Deleted: true}
	r.changes = append(r.changes, deleted)
	return deleted
}

// expire ends a lease and with it its key.
func (r *record) expire(key string, lease int64, at time.Duration) {
	r.ends = append(r.ends, lapse{lease, r.drop(key, at)})
}

func (r *record) phases(load, healed, final, end time.Duration) {
	for i, t := range []time.Duration{load, healed, final, end} {
		r.event(history.Event{Time: t, Kind: history.PhaseBegan, Detail: []string{history.PhaseLoad, history.PhaseHealed, history.PhaseFinal, history.PhaseEnd}[i]})
	}
}

// done numbers the changes by their times and returns the history.
func (r *record) done() *history.History {
	slices.SortStableFunc(r.changes, func(a, b *history.Change) int { return int(a.Time - b.Time) })
	changes := make([]history.Change, len(r.changes))
	for i, c := range r.changes {
		c.Revision = 801 + int64(i)
		if !c.Deleted {
			c.Create = c.Revision
		}
		changes[i] = *c
	}
	for id, c := range r.born {
		op := r.Operation(id)
		op.Token, op.Revision = c.Revision, c.Revision
	}
	var ends []history.LeaseEnd
	for _, e := range r.ends {
		ends = append(ends, history.LeaseEnd{Lease: e.lease, Revision: e.change.Revision, Time: e.change.Time})
	}
	r.Revisions = history.NewRevisionLog(800, 0, changes, ends, nil, nil)
	h := r.History
	return &h
}

func report(h *history.History, result *checker.Result) *reports.Report {
	return &reports.Report{
		Scenario: "quick", Seed: 7, ScenarioYAML: "name: quick\nseed: 7\nduration: 5s\ncluster: {kind: embedded, members: 3}\n",
		Command: "holdfast run --seed 7 scenario.yaml", Started: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		EtcdVersion: "3.7.3", ClusterKind: "embedded", HoldfastVersion: "v0.1.0", GoVersion: "go1.26.8", Host: "linux/amd64, 2 cores",
		Ended: reports.Complete, History: h, Result: result,
	}
}

// violatedReport has a violation nobody knew, one that is known, and beliefs
// that outlived their leases.
func violatedReport() *reports.Report {
	r := newRecord(
		history.SubjectInfo{Name: "mutex", Primitive: history.Mutex, Origin: history.FromEtcd, Layout: history.OldestKey},
		history.SubjectInfo{Name: "ours", Primitive: history.Mutex, Origin: history.FromUser, Layout: history.OldestKey},
		history.SubjectInfo{Name: "election", Primitive: history.Election, Origin: history.FromEtcd, Layout: history.OldestKey},
	)
	for i := range int64(6) {
		r.event(history.Event{Time: time.Duration(i) * ms, Kind: history.SessionOpened, Client: fmt.Sprint("c", i+1), Lease: 0x694d0 + i, TTL: time.Second})
	}
	for i, m := range []string{"m1", "m2", "m3"} {
		r.event(history.Event{Time: 10 * ms, Kind: history.Leads, Client: m, Detail: []string{"leader", "follower", "follower"}[i]})
	}
	r.hold("mutex", "a", "c3", 0x694d2, 100*ms, 120*ms, 700*ms)
	r.hold("ours", "a", "c1", 0x694d0, 120*ms, 140*ms, 900*ms)
	c3 := r.hold("mutex", "a", "c3", 0x694d2, 1190*ms, 1204*ms, 1950*ms)
	r.changes = r.changes[:len(r.changes)-1] // its lease ends first:
	r.expire("/holdfast/mutex/a/694d2", 0x694d2, 1350*ms)
	c5 := r.hold("mutex", "a", "c5", 0x694d4, 1220*ms, 1377*ms, 2300*ms)
	r.event(history.Event{Time: 1500 * ms, Kind: history.Leads, Client: "m1", Detail: "follower"})
	r.event(history.Event{Time: 1620 * ms, Kind: history.Leads, Client: "m2", Detail: "leader"})
	r.event(history.Event{Time: 1940 * ms, Kind: history.Lost, Client: "c3", Lease: 0x694d2})
	first := r.hold("ours", "a", "c2", 0x694d1, 2000*ms, 2050*ms, 2800*ms)
	second := r.hold("ours", "a", "c4", 0x694d3, 2100*ms, 2110*ms, 2900*ms)
	e1 := r.hold("election", "e", "c6", 0x694d5, 2500*ms, 3400*ms, 3600*ms)
	r.changes = r.changes[:len(r.changes)-1] // deleted while it waited
	r.drop("/holdfast/election/e/694d5", 3150*ms)
	r.hold("election", "e", "c4", 0x694d3, 2300*ms, 2320*ms, 3300*ms)
	o1 := r.hold("ours", "b", "c5", 0x694d4, 3000*ms, 3010*ms, 3900*ms)
	r.changes = r.changes[:len(r.changes)-1]
	r.expire("/holdfast/ours/b/694d4", 0x694d4, 3500*ms)
	o2 := r.hold("ours", "b", "c6", 0x694d5, 3050*ms, 3520*ms, 3950*ms)
	r.add(history.Operation{Client: "c1", Subject: "election", Object: "e", Kind: history.Campaign, Call: 2600 * ms, Return: 3100 * ms, Outcome: history.Info, Error: "context deadline exceeded", Lease: 0x694d0})
	r.add(history.Operation{Client: "c2", Subject: "mutex", Object: "a", Kind: history.Acquire, Call: 3500 * ms, Lease: 0x694d1})
	r.event(history.Event{Time: 3800 * ms, Kind: history.Crashed, Client: "c2"})
	r.phases(20*ms, 4000*ms, 4800*ms, 5000*ms)
	r.Faults = []history.Fault{
		{ID: 1, Kind: "cut-client", Target: "c3", Planned: 1200 * ms, From: 1210 * ms, To: 1930 * ms, Verified: true, Evidence: "c3's calls failed for 700 ms"},
		{ID: 2, Kind: "isolate-leader", Target: "m1", Planned: 1400 * ms, From: 1402 * ms, To: 2600 * ms, Verified: true, Evidence: "m2 led at term 4 at 1.620 s"},
		{ID: 3, Kind: "one-way", Target: "m3→m2", Planned: 3000 * ms, From: 3001 * ms, To: 3500 * ms, Evidence: "no message was held back"},
		{ID: 4, Kind: "crash-client", Target: "c2", Planned: 3800 * ms, From: 3800 * ms, To: 3800 * ms, Verified: true, Evidence: "c2 is gone"},
		{ID: 5, Kind: "stall-disk", Planned: 3990 * ms, Evidence: "the run was over"},
	}
	lease := checker.Violation{
		Blame: checker.BlameLease, Object: "a", Witness: []int64{c3, c5}, From: 1377 * ms, To: 1950 * ms,
		Sentence: "c3 was told it holds a at 1.204 s and had not released at 1.950 s; c5 was told at 1.377 s: 573 ms of overlap; c3's lease had ended at 1.350 s.",
	}
	library := checker.Violation{
		Blame: checker.BlameLibrary, Known: "etcd#19597", Object: "e", Witness: []int64{e1}, From: 2500 * ms, To: 3400 * ms,
		Sentence: "c6's campaign for e returned success at 3.400 s, although its key had been deleted before and at no revision between call and return did c6 own e.",
	}
	subject := checker.Violation{
		Blame: checker.BlameSubject, Object: "a", Witness: []int64{first, second}, From: 2110 * ms, To: 2800 * ms,
		Sentence: "c2 was told it holds a at 2.050 s and had not released at 2.800 s; c4 was told at 2.110 s: 690 ms of overlap; both leases were alive.",
	}
	late := checker.Violation{
		Blame: checker.BlameLease, Object: "b", Witness: []int64{o1, o2}, From: 3520 * ms, To: 3900 * ms,
		Sentence: "c5 was told it holds b at 3.010 s and had not released at 3.900 s; c6 was told at 3.520 s: 380 ms of overlap; c5's lease had ended at 3.500 s.",
	}
	out := report(r.done(), &checker.Result{
		Verdict: checker.Violated, Exit: checker.ExitViolated,
		Properties: []checker.Property{
			{Subject: "mutex", Property: "exclusion", Verdict: checker.Violated, Violations: []checker.Violation{lease}, Sentence: lease.Sentence, Figures: map[string]float64{"overlap_max_ms": 573}},
			{Subject: "mutex", Property: "ownership", Verdict: checker.Holds, Sentence: "3 acquires were true", Figures: map[string]float64{"checked": 3, "contended": 1, "wait_p99_ms": 157.25}},
			{Subject: "ours", Property: "exclusion", Verdict: checker.Violated, Violations: []checker.Violation{subject, late, late, late}, Sentence: subject.Sentence},
			{Subject: "ours", Property: "fencing", Verdict: checker.Unknown, Sentence: "the search ended at its limit of 30 s"},
			{Subject: "election", Property: "ownership", Verdict: checker.Violated, Violations: []checker.Violation{library, library}, Sentence: library.Sentence},
			{Subject: "", Property: "durability", Verdict: checker.Holds, Sentence: "members agree at rev 815", Figures: map[string]float64{"revisions": 15}},
		},
		Notes: []string{"fault F3 one-way m3→m2 has no evidence and counts as not injected"},
	})
	out.Logs = []reports.LogLine{
		{Time: -200 * ms, Name: "m1", Level: "info", Text: "starting an etcd server"},
		{Time: 1510 * ms, Name: "m1", Level: "warn", Text: "m1 lost its leader quorum"},
		{Time: 1620 * ms, Name: "m2", Level: "info", Text: "m2 became leader at term 4"},
		{Time: 2500 * ms, Name: "m3", Level: "info", Text: "m3 follows m2"},
		{Time: 4990 * ms, Name: "m2", Level: "info", Text: "stopping"},
		{Time: 1500 * ms, Of: reports.Clients, Name: "c3", Text: "panic: no lock"},
		{Time: 4000 * ms, Of: reports.Programs, Name: "c7", Text: "waiting"},
		{Undated: true, Of: reports.Clients, Name: "c8", Text: "from before logs had times"},
	}
	return out
}

// vacuousReport is of a run in which nobody ever waited.
func vacuousReport() *reports.Report {
	r := newRecord(history.SubjectInfo{Name: "mutex", Primitive: history.Mutex, Origin: history.FromEtcd, Layout: history.OldestKey})
	r.hold("mutex", "a", "c1", 0x11, 100*ms, 104*ms, 300*ms)
	r.phases(0, 1000*ms, 1200*ms, 1300*ms)
	return report(r.done(), &checker.Result{
		Verdict: checker.Vacuous, Exit: checker.ExitUnknown,
		Properties: []checker.Property{{Subject: "mutex", Property: "exclusion", Verdict: checker.Vacuous, Sentence: "no client ever waited, so nothing was excluded"}},
	})
}

// cutShortReport is of a run that was killed; what it has, holds.
func cutShortReport() *reports.Report {
	r := newRecord(history.SubjectInfo{Name: "rw", Primitive: history.RWMutex, Origin: history.FromEtcd, Layout: history.ReadWriteKeys})
	r.event(history.Event{Kind: history.PhaseBegan, Detail: history.PhaseLoad})
	r.hold("rw", "a", "c1", 0x11, 100*ms, 104*ms, 300*ms)
	r.hold("rw", "a", "c2", 0x12, 120*ms, 310*ms, 0)
	r.Faults = []history.Fault{{ID: 1, Kind: "split", Target: "m1 | m2 m3", Planned: 200 * ms, From: 200 * ms, Verified: true, Evidence: "m1 lost its leader"}}
	out := report(r.done(), &checker.Result{
		Verdict: checker.Holds, Exit: checker.ExitHolds,
		Properties: []checker.Property{
			{Subject: "rw", Property: "exclusion", Verdict: checker.Holds, Sentence: "2 holds"},
			{Subject: "rw", Property: "notice", Verdict: checker.Violated, Violations: []checker.Violation{{Blame: checker.BlameLease, Object: "a", Sentence: "c2 was told late"}}},
		},
		Notes: []string{"the record was cut short: it has no end"},
	})
	out.Ended = "cut short"
	out.Warnings = []string{"stop member m2: context deadline exceeded"}
	return out
}

// bigReport is of subjects × objects × clients that lock and unlock, in
// operations calls, for the time given.
func bigReport(subjects, objects, clients, operations, faults int, duration time.Duration) *reports.Report {
	random := rand.New(rand.NewPCG(1, 2))
	var infos []history.SubjectInfo
	for i := range subjects {
		infos = append(infos, history.SubjectInfo{Name: []string{"mutex", "rwmutex", "election", "ours", "keyed", "broken-never-waits"}[i%6], Primitive: history.Mutex, Origin: history.FromEtcd, Layout: history.OldestKey})
		if i >= 6 {
			infos[i].Name += fmt.Sprint(i)
		}
	}
	r := newRecord(infos...)
	for i := range clients {
		r.event(history.Event{Time: time.Duration(i) * ms, Kind: history.SessionOpened, Client: fmt.Sprint("c", i+1), Lease: 0x694d7a0 + int64(i), TTL: time.Second})
	}
	leader := 0
	for t := 10 * ms; t < duration; t += duration/8 + time.Duration(random.IntN(1000))*ms {
		for m := range 3 {
			detail := "follower"
			if m == leader {
				detail = "leader"
			} else if random.IntN(4) == 0 {
				detail = "down"
			}
			r.event(history.Event{Time: t, Kind: history.Leads, Client: fmt.Sprint("m", m+1), Detail: detail})
		}
		leader = random.IntN(3)
	}
	// Each object is held by one client after another, while others wait.
	turns := operations / 2 / subjects / objects
	type turn struct{ call, got, until time.Duration }
	length := duration * 9 / 10 / time.Duration(max(turns, 1))
	var first, second int64
	for k := range turns {
		for s := range subjects {
			for o := range objects {
				start := time.Duration(k)*length + 20*ms
				client := (k*7 + s + o) % clients
				wait := min(time.Duration(clients-1)*length, time.Duration(random.Int64N(int64(length)*int64(clients)))/2)
				t := turn{max(start-wait, 5*ms), start + length/10, start + length*8/10}
				overlap := s == subjects-1 && k%max(turns/5, 1) == 3
				if overlap {
					t.until = start + 2*length
				}
				id := r.hold(infos[s].Name, fmt.Sprint("key-", o), fmt.Sprint("c", client+1), 0x694d7a0+int64(client), t.call, t.got, t.until)
				if overlap && first == 0 {
					first = id
				} else if s == subjects-1 && first != 0 && second == 0 && r.Operations[first-1].Object == r.Operations[id-1].Object {
					second = id
				}
			}
		}
	}
	kinds := []string{"isolate-leader", "split", "bridge", "one-way", "cut-client", "crash-client", "lose-answer", "pause-member"}
	for f := range faults {
		from := duration*9/10*time.Duration(f)/time.Duration(faults) + time.Duration(random.IntN(1000))*ms
		r.Faults = append(r.Faults, history.Fault{ID: int64(f + 1), Kind: kinds[f%len(kinds)], Target: fmt.Sprint("m", f%3+1), Planned: from, From: from,
			To: from + 500*ms + time.Duration(random.IntN(2500))*ms, Verified: f%5 != 4, Evidence: "m1 lost its leader 20 ms later; 14 connections were closed"})
	}
	r.event(history.Event{Time: duration / 3, Kind: history.Lost, Client: "c2", Lease: 0x694d7a1, Heeded: true})
	r.event(history.Event{Time: duration / 2, Kind: history.Crashed, Client: fmt.Sprint("c", clients)})
	r.phases(20*ms, duration*9/10, duration*97/100, duration)
	v := checker.Violation{
		Blame: checker.BlameSubject, Object: r.Operations[first-1].Object, Witness: []int64{first, second},
		From: r.Operations[second-1].Return, To: r.Operations[first].Call,
		Sentence: fmt.Sprintf("%s was told it holds %s and had not released when %s was told the same; both leases were alive.", r.Operations[first-1].Client, r.Operations[first-1].Object, r.Operations[second-1].Client),
	}
	result := &checker.Result{Verdict: checker.Violated, Exit: checker.ExitViolated}
	for _, info := range infos {
		for _, property := range []string{"ownership", "exclusion", "fencing", "order", "progress", "notice", "leftovers", "contract"} {
			p := checker.Property{Subject: info.Name, Property: property, Verdict: checker.Holds, Sentence: "kept", Figures: map[string]float64{"checked": float64(turns), "wait_p99_ms": 31.25}}
			switch {
			case info.Name == infos[subjects-1].Name && property == "exclusion":
				p.Verdict, p.Violations, p.Sentence = checker.Violated, []checker.Violation{v, v, v, v, v}, v.Sentence
			case property == "fencing":
				p.Verdict, p.Sentence, p.Figures = checker.Vacuous, "no fenced resource", nil
			}
			result.Properties = append(result.Properties, p)
		}
	}
	return report(r.done(), result)
}
