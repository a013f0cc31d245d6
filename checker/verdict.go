package checker

import (
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// Verdict is the answer to whether a promise was kept.
type Verdict string

// The verdicts.
const (
	// Holds: the promise was put to the test and kept.
	Holds Verdict = "holds"
	// Violated: a witness shows that the promise was broken.
	Violated Verdict = "violated"
	// Unknown: the record does not suffice, or a limit ended the check.
	Unknown Verdict = "unknown"
	// Vacuous: the run never put the promise to the test.
	Vacuous Verdict = "vacuous"
)

// Blame says who broke a promise.
type Blame string

// The blames.
const (
	// BlameServer: etcd lost or invented something.
	BlameServer Blame = "server"
	// BlameLibrary: etcd's client library told something that was not true.
	BlameLibrary Blame = "library"
	// BlameLease: a belief outlived its lease. Leases cannot prevent this;
	// fencing can.
	BlameLease Blame = "lease"
	// BlameSubject: the subject, where it is not etcd's own.
	BlameSubject Blame = "subject"
)

// Violation is one time that a promise was broken.
type Violation struct {
	Blame Blame
	// Known is the issue that describes this mechanism, for example
	// "etcd#19597", or "".
	Known string
	// Call is the kind of call that went wrong, and Cause says in a few words how,
	// without names, times or revisions: of two violations with the same cause it
	// is the same. See Mechanism.
	Call  history.Kind
	Cause string
	// Sentence tells it with times, clients and revisions.
	Sentence string
	// Witness are the IDs of the few operations that prove it.
	Witness []int64
	// From and To bound the time in which it shows.
	From, To time.Duration
	// Object is the lock, election or resource on which it shows.
	Object string
}

// Property is the judgement of one promise on one subject.
type Property struct {
	Subject, Property string
	// Primitive is the subject's, or "" for calls that belong to no subject.
	Primitive history.Primitive
	Verdict   Verdict
	// Violations are ordered worst first: unexplained, known, then lease.
	Violations []Violation
	// Effect is the verdict that this one alone would give the run: Holds for what is
	// only reported, for what is allowed, and for what the run was not there to test.
	Effect Verdict
	// Sentence sums up; for a violation it is the worst one's.
	Sentence string
	// Undecided says what else could not be judged although a violation was
	// found; "" is nothing. Where nothing was found the verdict is Unknown.
	Undecided string
	// Figures are measured numbers; the name ends in the unit (_ms, _percent)
	// unless it is a count.
	Figures map[string]float64
}

// Fails is true if the property by itself makes a run fail: it is violated,
// and not merely by known defects or by beliefs that outlived their leases.
func (p *Property) Fails(strict bool) bool {
	for i := range p.Violations {
		if p.Verdict == Violated && (strict || p.Violations[i].Known == "" && p.Violations[i].Blame != BlameLease) {
			return true
		}
	}
	return false
}

// The exit codes of a judged run.
const (
	ExitHolds    = 0
	ExitViolated = 1
	ExitUnknown  = 2
	ExitUsage    = 64
	ExitInternal = 70
)

// Result is the judgement of a run.
type Result struct {
	// Verdict is the worst of the properties', where known defects and lease
	// overlaps count as Holds unless the run was judged strictly.
	Verdict Verdict
	// Exit is the exit code that Verdict stands for.
	Exit       int
	Properties []Property
	// Unfired names the entries of faults whose moment never came: with any, the
	// run is at best Vacuous.
	Unfired []string
	// Ends are the ends of members that the run had not ended, in order: with one that
	// no fault explains, the run is at best Unknown.
	Ends []MemberEnd
	// Notes say in plain words what limits the result: a record that was cut
	// short, faults without evidence, gaps in the revision log.
	Notes []string
}

// Reproduction is a known defect that a run should show on a subject.
type Reproduction struct{ Subject, Known string }

// Options are the judgement's parameters. The zero value works.
type Options struct {
	// Strict makes known defects and lease overlaps fail the run.
	Strict bool
	// CutShort says that the run ended before its time: at best it is unknown.
	CutShort bool
	// Reproduces are what the run is there to show: without one of them it is
	// vacuous, and with all of them it is not for what else it leaves untested.
	Reproduces []Reproduction
	// Damage names the subjects on which the run is there to show that what is not
	// fenced comes to harm: without lost updates on each of them it is vacuous.
	Damage []string
	// Known are the issues accepted as known, for example "etcd#19597"; nil
	// accepts every one that this package can recognise.
	Known []string
	// Grace is how long beyond its lease's time-to-live a dead holder's object
	// may stay taken; zero is 5 s.
	Grace time.Duration
	// DeadlineGrace is how long after its deadline a call may return; zero is 2 s.
	DeadlineGrace time.Duration
	// NoticeLimit makes Notice a promise: the longest time from losing a lease
	// to being told; zero only reports it.
	NoticeLimit time.Duration
	// Unconfirmed leaves porcupine out, which else confirms what is told: for
	// where time counts, and a violation is judged again without it. What the
	// checks themselves find is the same; a mistake in one is not noticed. The
	// figures confirmed_by_porcupine are zero.
	//
	// Check then starts no goroutine, asks for no time, and has no limit of time.
	Unconfirmed bool
}
