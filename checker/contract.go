package checker

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// Contract: a call returns soon after its context ended, and does not panic. A
// program that is spoken to over a pipe keeps to the protocol.
//
// A try is late, too, if it took longer than the grace from its call, and no
// fault was near that could explain it: it waits. A key that was made on a
// session's lease has to be below the prefix of one of its subject's objects.
//
// A call is late if it returned later than its deadline and a grace, or had
// not returned by then at the final phase of a record that is complete. The time
// for which its client stood still does not count: its deadline may even be over
// before it gets to make the call. Calls that a crash cut off promise nothing. A call that waits does not ask again and
// again while nothing changes: see spinning.go, and polling.go for read-write
// locks. Success for work that was not done is found by ownership and leftovers.
// A client's process does not end by itself: see unasked.go.
// An acquire is not refused while its session lives and its time is not over,
// because of what the same session did elsewhere.
func contract(r *record, s *subject) *judgement {
	j := &judgement{}
	var completed, late, panics, breaches, spinning, waiting int
	var latest time.Duration
	for _, op := range s.operations {
		if op.Completed() {
			completed++
		}
		if op.Panicked {
			panics++
			f := r.breach(s, op, op.Return, "panicked", func() string {
				return fmt.Sprintf("%s's %s of %s, called at %s, panicked at %s: %s", op.Client, op.Kind, history.Called(op.Object), at(op.Call), at(op.Return), firstLine(op.Error))
			})
			f.Known = r.known(s, Contract, op, nil)
			if s.Primitive == history.RWMutex && op.Kind == history.Release && r.holdOf(op.Hold) == nil {
				f.Known = r.knownAs(s, "rwmutex-unlock-panics")
			}
			j.findings = append(j.findings, f)
		}
		if op.Breach != "" {
			breaches++
			j.findings = append(j.findings, r.breach(s, op, op.Return, op.Breach, func() string { return breached(op) }))
		}
		if f := r.polls(s, op); f != nil {
			j.findings = append(j.findings, *f)
		}
		if f := r.refusedAlive(s, op); f != nil {
			j.findings = append(j.findings, *f)
		}
		if f := r.spinning(s, op); f != nil {
			spinning++
			j.findings = append(j.findings, *f)
		}
		if f := r.waited(s, op); f != nil {
			waiting++
			j.findings = append(j.findings, *f)
		}
		if op.Deadline == 0 || op.Breach != "" {
			continue
		}
		end := op.Return
		if !op.Completed() {
			if _, crashed := r.crashed[op.Client]; crashed || !r.complete || !r.isFinal {
				continue
			}
			end = r.final
		}
		over := r.awake(op.Client, op.Deadline, end)
		if over <= r.o.DeadlineGrace {
			continue
		}
		late++
		latest = max(latest, over)
		f := r.breach(s, op, end, "returned late", nil)
		f.From = op.Deadline
		switch {
		case !op.Completed():
			f.Cause = "never returned"
		case r.harmed(op.Client, op.Call, end):
			f.Cause = "returned late, during a fault"
		}
		if f.Known = r.known(s, Contract, op, nil); f.Known != "" {
			f.Blame = BlameLibrary // a corrected subject is not to blame for what it does not correct
		}
		f.tell = func() string {
			how := "returned at " + at(end)
			if !op.Completed() {
				how = "had not returned at " + at(end)
			}
			text := fmt.Sprintf("%s's %s of %s, called at %s, had to end at %s and %s, %s late", op.Client, op.Kind, history.Called(op.Object), at(op.Call), at(op.Deadline), how, span(over))
			if still := end - op.Deadline - over; still > 0 {
				text += fmt.Sprintf(" besides the %s for which it stood still", span(still))
			}
			if f.Known != "" {
				text += "; a fault lasted meanwhile"
			}
			return text
		}
		j.findings = append(j.findings, f)
	}
	died := r.unasked(s, j)
	outside := r.outside(s, j)
	j.figures = map[string]float64{
		"completed": float64(completed), "late": float64(late), "late_max_ms": milliseconds(latest), "panics": float64(panics), "breaches": float64(breaches),
		"ended_unasked": float64(died), "spinning": float64(spinning), "tries_waited": float64(waiting), "stray_keys": float64(outside),
	}
	j.holds = fmt.Sprintf("%s ended in time and none panicked", count(completed, "call"))
	if completed == 0 {
		j.vacuous = "no call was completed"
	}
	return j
}

// refusedAlive is an acquire that was refused before its time although its
// session lived, because another call on the same session had deleted its key:
// a try-acquire or a release, of a key that was there before it and that only
// the acquire can have made.
func (r *record) refusedAlive(s *subject, op *history.Operation) *finding {
	if r.log == nil || op.Kind != history.Acquire && op.Kind != history.Campaign || op.Outcome != history.Fail ||
		op.Lease == 0 || op.Deadline != 0 && op.Return >= op.Deadline || !r.shared(op.Lease) || !r.leaseAlive(op.Lease, op.Return) {
		return nil
	}
	ob := r.objects[objectID{s.Name, op.Object}]
	if ob == nil {
		return nil
	}
	for i := range ob.tenures {
		t := &ob.tenures[i]
		if t.Lease != op.Lease || r.log.Latest(t.Create) < op.Call || t.Delete == 0 || r.log.Earliest(t.Delete) > op.Return || r.log.Latest(t.Delete) < op.Call || r.deletedBy(t.Life) != causeOther {
			continue
		}
		if slices.ContainsFunc(ob.operations, func(another *history.Operation) bool {
			return another != op && another.Kind.Acquires() && another.Lease == op.Lease && r.mayHaveMade(another, t)
		}) {
			continue
		}
		for _, other := range ob.operations {
			if other.Lease != op.Lease || other.Client == op.Client || other.Kind != history.TryAcquire && !other.Kind.Releases() ||
				r.log.Latest(t.Create) >= other.Call || other.Call > r.log.Latest(t.Delete) || r.ended(other) < r.log.Earliest(t.Delete) {
				continue
			}
			f := r.breach(s, op, op.Return, fmt.Sprintf("refused while its session lived, its key deleted by a %s on the same session", other.Kind), func() string {
				return fmt.Sprintf("%s's %s of %s, called at %s, was refused at %s (%s) although its session lived: its key %s but by the %s of %s on the same session, called at %s",
					op.Client, op.Kind, history.Called(op.Object), at(op.Call), at(op.Return), op.Error, r.deletion(t.Life), other.Kind, other.Client, at(other.Call))
			})
			f.Witness, f.From = append(f.Witness, other.ID), max(op.Call, r.log.Earliest(t.Delete))
			if other.Kind == history.TryAcquire && s.Primitive == history.Mutex {
				f.Known = r.knownAs(s, "try-lock-deletes-waiter")
			}
			return &f
		}
	}
	return nil
}

func (r *record) breach(s *subject, op *history.Operation, end time.Duration, cause string, tell func() string) finding {
	f := finding{tell: tell}
	f.Violation = Violation{Blame: s.culprit(), Call: op.Kind, Cause: cause, Witness: []int64{op.ID}, From: op.Call, To: end, Object: op.Object}
	return f
}

// breached tells how a program broke the protocol.
func breached(op *history.Operation) string {
	when := fmt.Sprintf("by the end of its %s of %s, called at %s", op.Kind, history.Called(op.Object), at(op.Call))
	switch op.Kind {
	case history.OpenSession:
		when = fmt.Sprintf("when it was started, at %s", at(op.Call))
	case history.CloseSession:
		when = fmt.Sprintf("by the time it was to end, at %s", at(op.Call))
	}
	return fmt.Sprintf("%s's program broke the protocol %s: %s", op.Client, when, op.Error)
}

// firstLine is what a panic said, without its stack, which is in the record.
func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// faultsFelt is for how long after its end a fault on a client may still be felt:
// the delay of its last attempt to connect again, and the time of the next.
const faultsFelt = 3 * time.Second

// outside finds the keys that were made on a lease of one of the subject's
// sessions and belong to none of its objects. Each is told once, and counted.
func (r *record) outside(s *subject, j *judgement) int {
	if r.log == nil {
		return 0
	}
	told := make(map[string]bool)
	for i := range r.lives {
		life := &r.lives[i]
		if r.homes[i] == s {
			continue
		}
		session := r.sessions[life.Lease]
		if session == nil || session.Subject != s.Name || told[life.Key] || r.marks(life) {
			continue
		}
		op := r.madeBy(s, life)
		if op == nil {
			continue // nobody had asked for anything yet
		}
		told[life.Key] = true
		f := r.breach(s, op, r.log.Latest(life.Create), "key below the prefix of no object", func() string {
			return fmt.Sprintf("%s's session made the key %s (rev %d), by its %s of %s called at %s or after it: it is below the prefix of no object of %s",
				session.Client, life.Key, life.Create, op.Kind, history.Called(op.Object), at(op.Call), s.Name)
		})
		f.Known = r.slashless(s, op.Object, life)
		j.findings = append(j.findings, f)
	}
	return len(told)
}

// marks is true for the key by which a session's lease is known.
func (r *record) marks(life *history.Life) bool {
	rest, ours := strings.CutPrefix(life.Key, r.h.Header.Prefix)
	lease, ok := strings.CutPrefix(rest, "leases/")
	var number [20]byte
	return ours && ok && lease == string(strconv.AppendInt(number[:0], life.Lease, 16))
}

// madeBy returns the last call of a session on an object that was made before a
// key on its lease was surely there.
func (r *record) madeBy(s *subject, life *history.Life) *history.Operation {
	var last *history.Operation
	for _, op := range s.operations {
		if op.Lease == life.Lease && op.Object != "" && op.Call <= r.log.Latest(life.Create) {
			last = op
		}
	}
	return last
}
