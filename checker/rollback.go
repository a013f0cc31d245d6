package checker

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// rollback is a store that went back: by the time seen it was known to be at
// revision had, and what was called later found it at an earlier one.
type rollback struct {
	had  int64
	seen time.Duration
	// found is the revision that was found, by a call from call to done.
	found      int64
	call, done time.Duration
	// byLog is true if it is the log that lacks something; had and found then say
	// nothing of the rest.
	byLog bool
}

// rolledBack finds the first time that the store went back, or nil. What is known
// is what clients were told and what the harness read, and so is what shows it. It
// is exact, and needs no more than that reads are linearizable, that revisions only
// rise, and that each write makes one.
func (r *record) rolledBack() *rollback {
	if r.log == nil {
		return nil
	}
	type sight struct {
		call, done time.Duration
		revision   int64
		// most is the last revision that there can have been before.
		most int64
	}
	var told, finds []sight
	for _, s := range r.subjects {
		for _, op := range s.operations {
			revision := madeAt(s, op)
			if revision == 0 {
				continue
			}
			told = append(told, sight{op.Call, op.Return, revision, 0})
			if !op.Kind.Acquires() { // whose key may be older
				finds = append(finds, sight{op.Call, op.Return, revision, revision - 1})
			}
		}
	}
	if len(told) == 0 {
		return nil
	}
	first := r.overwritten()
	for _, t := range r.log.Ticks {
		told = append(told, sight{t.Call, t.Return, t.Revision, 0})
		finds = append(finds, sight{t.Call, t.Return, t.Revision, t.Revision})
	}
	slices.SortFunc(told, func(a, b sight) int { return cmp.Compare(a.done, b.done) })
	slices.SortFunc(finds, func(a, b sight) int { return cmp.Compare(a.call, b.call) })
	var had sight
	next := 0
	for _, f := range finds {
		for ; next < len(told) && told[next].done < f.call; next++ {
			if told[next].revision > had.revision {
				had = told[next]
			}
		}
		if had.revision > f.most {
			if first != nil && first.seen < had.done {
				return first
			}
			return &rollback{had: had.revision, seen: had.done, found: f.revision, call: f.call, done: f.done}
		}
	}
	return first
}

// overwritten finds the first thing that a single member acknowledged and that the
// log does not have, although that member was killed then: a write or a new key at
// its revision, which something else has taken, or the deletion of a key that was
// given up.
func (r *record) overwritten() *rollback {
	if r.members() != 1 || !r.killed(0, r.h.End) {
		return nil
	}
	var first *rollback
	for _, s := range r.subjects {
		for _, ob := range s.objects {
			for _, op := range ob.operations {
				if op.Outcome != history.Ok || first != nil && op.Return >= first.seen || !r.killed(op.Return, op.Return+killedSoon) {
					continue
				}
				if revision := r.missing(s, ob, op); revision != 0 {
					first = &rollback{had: revision, seen: op.Return, found: revision - 1, call: op.Return, done: op.Return, byLog: true}
				}
			}
		}
	}
	return first
}

// killedSoon is how soon after it has acknowledged something a member is killed that
// has not written it yet.
const killedSoon = 2 * time.Second

// missing is the revision of what an operation did by its answer and did not by the
// log, or zero.
func (r *record) missing(s *subject, ob *object, op *history.Operation) int64 {
	revision := madeAt(s, op)
	switch {
	case op.Kind == history.Release && s.storeBlame() == BlameServer && s.Layout != history.NoLayout:
		held := r.h.Operation(op.Hold)
		if held == nil {
			return 0
		}
		if t, _ := ob.identified(held.Key, held.Token); t != nil && (t.Delete == 0 || r.log.Earliest(t.Delete) > op.Return) && r.seesAllBy(t.Create, op.Return) {
			return t.Create + 1 // at least
		}
		return 0
	case revision == 0 || !r.covers(revision, revision):
		return 0
	case op.Kind.Acquires():
		if r.belowPrefix(op.Key) && !r.created(op.Key, revision) {
			return revision
		}
		return 0
	case r.wrote(s, ob, op):
		return 0
	}
	return revision
}

// killed is true if a member was killed at some time within an interval, as was
// seen.
func (r *record) killed(from, to time.Duration) bool {
	return slices.ContainsFunc(r.h.Faults, func(f history.Fault) bool {
		return f.Verified && (f.Kind == "crash-member" || f.Kind == "kill-under-load") && f.From <= to && (f.To == 0 || f.To >= from)
	})
}

// madeAt is the revision at which the store has what an operation was told that it
// did, or zero: the creation of a key by which something is held, or a write.
func madeAt(s *subject, op *history.Operation) int64 {
	switch {
	case op.Outcome != history.Ok:
		return 0
	case op.Kind == history.GuardedWrite: // which the harness itself sends
		return op.Revision
	case s.storeBlame() != BlameServer:
		return 0
	case op.Kind.Acquires() && s.Layout != history.NoLayout:
		return op.Token
	case s.Layout == history.OneKey && (op.Kind == history.Put || op.Kind == history.CompareAndSet):
		return op.Revision
	default:
		return 0
	}
}

// lostByRollback finds the grants and writes that a subject's clients were told of and
// that the store had lost when it was read later.
func (r *record) lostByRollback(s *subject) []finding {
	if r.back == nil {
		return nil
	}
	var findings []finding
	for _, op := range s.operations {
		b, revision := r.back, madeAt(s, op)
		lost := revision > b.found && op.Return < b.call
		if b.byLog {
			ob := r.objects[objectID{op.Subject, op.Object}]
			lost = ob != nil && op.Outcome == history.Ok && (op.Kind.Acquires() || op.Kind == history.Release) &&
				r.killed(op.Return, op.Return+killedSoon) && r.missing(s, ob, op) != 0
		}
		if !lost {
			continue
		}
		f := finding{}
		f.Violation = Violation{Blame: BlameServer, Known: r.rollbackKnown(), Call: op.Kind, Cause: "the store went back behind what it had acknowledged",
			Witness: []int64{op.ID}, From: op.Return, To: b.done, Object: op.Object}
		f.tell = func() string {
			if b.byLog {
				return fmt.Sprintf("%s was told at %s of its %s of %s, called at %s, and the store, whose only member was killed then, does not have it",
					op.Client, at(op.Return), op.Kind, history.Called(op.Object), at(op.Call))
			}
			return fmt.Sprintf("%s was told at %s of its %s of %s, called at %s, which was made at rev %d; what was called at %s found the store at rev %d",
				op.Client, at(op.Return), op.Kind, history.Called(op.Object), at(op.Call), revision, at(b.call), b.found)
		}
		findings = append(findings, f)
	}
	return findings
}

// rollbackKnown is the issue that describes how the store went back, or "".
func (r *record) rollbackKnown() string {
	const issue = "etcd#14370"
	if r.members() != 1 || r.o.Known != nil && !slices.Contains(r.o.Known, issue) {
		return ""
	}
	if !r.killed(r.back.seen, max(r.back.call, r.back.seen+faultsLast)) {
		return ""
	}
	return issue
}

// members is how many members told of themselves whether they lead.
func (r *record) members() int {
	names := make(map[string]bool)
	for i := range r.h.Events {
		if e := &r.h.Events[i]; e.Kind == history.Leads {
			names[e.Client] = true
		}
	}
	return len(names)
}

// afterRollback makes the server to blame for what shows after its store went
// back: the revision log tells revisions of which some were taken back, and what
// clients were told rests on them.
func (r *record) afterRollback(f *finding) {
	b := r.back
	if b == nil || f.To < b.seen || f.Blame == BlameLease || f.Cause == "the store went back behind what it had acknowledged" {
		return
	}
	tell := f.tell
	f.Blame, f.Known, f.Cause = BlameServer, r.rollbackKnown(), "the store went back: "+f.Cause
	f.tell = func() string {
		if b.byLog {
			return fmt.Sprintf("the store lost what it had acknowledged at %s, so that what follows is as the log has it: %s", at(b.seen), tell())
		}
		return fmt.Sprintf("the store went back from rev %d (%s) to rev %d (%s), so that what follows is as the log has it: %s",
			b.had, at(b.seen), b.found, at(b.call), tell())
	}
}
