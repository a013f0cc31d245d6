package checker

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/etcd-holdfast/holdfast/checker/exact"
	"github.com/etcd-holdfast/holdfast/history"
)

// Exclusion: no two clients believe at once in holds of one object that
// exclude each other.
//
// A hold's core runs from the acknowledgement of its acquire to the call of
// its release. An acquire can linearize as late as its return and a release as
// early as its call, whatever it returns; so a history of locks is
// linearizable if and only if no two incompatible cores overlap, and sorting
// the cores and sweeping over them decides it exactly, in O(n log n), with any
// number of acquires and releases of unknown outcome (those never begin a
// hold). Cores that merely touch are legal: the release can come first.
//
// Porcupine is asked about the two holds of each overlap that is told, alone;
// should it find them legal, the property is unknown.
//
// Who is to blame for an overlap is decided by what happened in the store, by
// revisions where keys are known and by time otherwise; see blameOverlap. An
// overlap whose cause lies beyond the end of the log is a fact without a
// culprit: it makes the property unknown.
func exclusion(r *record, s *subject) *judgement {
	if !s.holding() {
		return nil
	}
	if s.permits() > 1 {
		return exceeding(r, s)
	}
	j := &judgement{}
	var holds, contended, undecided, confirmed, disputed int
	var lease, known int
	var longest, total time.Duration
	for _, ob := range s.objects {
		holds += len(ob.holds)
		contended += r.contended(ob)
		for _, o := range overlaps(ob.holds) {
			if !r.o.Unconfirmed && confirmed+disputed < storedViolations {
				if o.confirmed(r) {
					confirmed++
				} else {
					disputed++
				}
			}
			f, decided := r.blameOverlap(s, ob, o)
			if decided && f.Blame == BlameLibrary && f.Known == "" {
				f.Known = cmp.Or(r.known(s, Exclusion, r.h.Operation(o.first.Acquire), nil), r.known(s, Exclusion, r.h.Operation(o.second.Acquire), nil))
			}
			longest, total = max(longest, o.to-o.from), total+o.to-o.from
			switch {
			case !decided:
				undecided++
				continue
			case f.Blame == BlameLease:
				lease++
			case f.Known != "":
				known++
			}
			j.findings = append(j.findings, f)
		}
	}
	j.figures = map[string]float64{
		"holds": float64(holds), "contended": float64(contended),
		"overlaps": float64(len(j.findings) + undecided), "overlaps_lease": float64(lease),
		"overlaps_known": float64(known), "overlaps_undecided": float64(undecided),
		"overlap_max_ms": milliseconds(longest), "overlap_total_ms": milliseconds(total),
		"confirmed_by_porcupine": float64(confirmed),
	}
	j.holds = fmt.Sprintf("no two of %s overlapped; %s had to wait for another client", count(holds, "hold"), count(contended, "request"))
	if undecided > 0 {
		j.unknown = fmt.Sprintf("%s whose cause lies beyond the end of the revision log", count(undecided, "overlap"))
	}
	if disputed > 0 {
		j.unknown = fmt.Sprintf("the sweep and porcupine disagree on %s: that is a bug in holdfast, please report it with this run", count(disputed, "overlap"))
	}
	if contended == 0 {
		j.vacuous = "no client ever waited for another: nothing was put to the test"
	}
	return j
}

// overlap is a pair of incompatible holds, first the one that began first, and
// the time that their cores share.
type overlap struct {
	first, second *history.Hold
	from, to      time.Duration
}

// confirmed asks porcupine whether the two holds alone break the lock.
func (o *overlap) confirmed(r *record) bool {
	var calls []history.Call
	for i, h := range []*history.Hold{o.first, o.second} {
		c := history.Call{
			ID: h.Acquire, Process: int32(i), Invoke: int64(r.h.Operation(h.Acquire).Call), Return: int64(h.Start),
			Function: history.FunctionAcquire, Known: history.Succeeded, Shared: h.Mode == history.ReadMode,
		}
		calls = append(calls, c)
		if h.Ended != history.EndOfRecord {
			c.Function, c.Known, c.Invoke, c.Return = history.FunctionRelease, history.Unknown, int64(h.End), history.NoReturn
			calls = append(calls, c)
		}
	}
	model, _ := exact.ModelNamed("rwmutex")
	return model.SecondOpinion(calls, exact.Parameters{}) == porcupine.Illegal
}

// overlaps sweeps over one object's holds, which are ordered by Start.
func overlaps(holds []history.Hold) []overlap {
	var found []overlap
	var active []*history.Hold
	for i := range holds {
		b := &holds[i]
		active = slices.DeleteFunc(active, func(a *history.Hold) bool { return a.End <= b.Start })
		for _, a := range active {
			if a.Start < b.End && a.Client != b.Client && !a.Compatible(b) {
				found = append(found, overlap{a, b, b.Start, min(a.End, b.End)})
			}
		}
		active = append(active, b)
	}
	return found
}

// contended counts the acquires that ran while a client other than their own
// was in an incompatible hold.
func (r *record) contended(ob *object) int {
	type request struct {
		op  *history.Operation
		end time.Duration
	}
	var waiting []request
	var active []*history.Hold
	n, next := 0, 0
	against := func(op *history.Operation, h *history.Hold) bool {
		return h.Acquire != op.ID && h.Client != op.Client && !(h.Mode == history.ReadMode && op.Mode == history.ReadMode)
	}
	begin := func(h *history.Hold) {
		waiting = slices.DeleteFunc(waiting, func(q request) bool {
			hit := q.end > h.Start && against(q.op, h)
			if hit {
				n++
			}
			return hit || q.end <= h.Start
		})
		active = append(active, h)
	}
	for _, op := range ob.operations {
		if !op.Kind.Acquires() {
			continue
		}
		for ; next < len(ob.holds) && ob.holds[next].Start <= op.Call; next++ {
			begin(&ob.holds[next])
		}
		active = slices.DeleteFunc(active, func(h *history.Hold) bool { return h.End <= op.Call })
		if slices.ContainsFunc(active, func(h *history.Hold) bool { return against(op, h) }) {
			n++
			continue
		}
		waiting = append(waiting, request{op, r.ended(op)})
	}
	for ; next < len(ob.holds); next++ {
		begin(&ob.holds[next])
	}
	return n
}

// blameOverlap decides who made two holds overlap, by the first of these that
// applies:
//
//  1. one of the acquires was a lie: its blame and its issue;
//  2. the lease of the one who owned first had ended before the other came to
//     own, or, where keys are not known, may have ended before the overlap
//     began: the lease;
//  3. an acknowledged key never was in the store: the server;
//  4. otherwise both were told so while it was not true for one of them: the
//     library or the subject.
//
// Decided is false if the log ends too early to tell the last three apart.
func (r *record) blameOverlap(s *subject, ob *object, o overlap) (f finding, decided bool) {
	a, b := r.h.Operation(o.first.Acquire), r.h.Operation(o.second.Acquire)
	f.Violation = Violation{Blame: s.culprit(), Witness: []int64{a.ID, b.ID}, From: o.from, To: o.to, Object: ob.name}
	f.Call, f.Cause = b.Kind, "both leases were alive"
	why := func() string { return "both leases were alive" }
	f.tell = func() string {
		return fmt.Sprintf("%s was told it %s at %s%s and had not released at %s; %s was told it %s at %s%s: %s of overlap; %s",
			a.Client, belief(a), at(a.Return), token(a.Token), at(o.to),
			b.Client, belief(b), at(b.Return), token(b.Token), span(o.to-o.from), why())
	}
	if lie, of := worse(s.lies[a.ID], a, s.lies[b.ID], b); lie != nil {
		f.Blame, f.Known, f.Call, f.Cause = lie.Blame, lie.Known, of.Kind, following(lie)
		why = func() string {
			return fmt.Sprintf("what %s was told was not true: %s", of.Client, lie.clause())
		}
		return f, true
	}
	if r.log == nil {
		f.Cause = "not known without a revision log"
		why = func() string { return "there is no revision log that could show the end of a lease" }
		for _, h := range []*history.Hold{o.first, o.second} {
			for _, told := range r.lost[membership{h.Client, h.Lease}] {
				if told >= h.Start && told <= o.from {
					f.Blame, f.Cause = BlameLease, "told that its session was over"
					f.Call = r.h.Operation(h.Acquire).Kind
					why = func() string {
						return fmt.Sprintf("%s had been told at %s that its session was over, and went on", h.Client, at(told))
					}
				}
			}
		}
		return f, true
	}
	if s.Layout != history.NoLayout {
		ta, _ := ob.identified(a.Key, a.Token)
		tb, _ := ob.identified(b.Key, b.Token)
		if ta != nil && tb != nil {
			earlier := a
			if ta.Create > tb.Create {
				earlier, ta, tb = b, tb, ta
			}
			decided = r.blameByRevision(s, &f, earlier, ta, tb, &why)
			return f, decided
		}
	}
	for _, op := range []*history.Operation{a, b} {
		if op.Token != 0 && s.Origin != history.FromUser && r.belowPrefix(op.Key) && r.covers(op.Token, op.Token) && !r.created(op.Key, op.Token) {
			f.Blame, f.Call, f.Cause = BlameServer, op.Kind, "key not in the log"
			if s.Origin == history.Broken {
				f.Blame = BlameSubject
			}
			why = func() string {
				return fmt.Sprintf("%s's key %s (rev %d) is not in the revision log, which covers its creation", op.Client, op.Key, op.Token)
			}
			return f, true
		}
	}
	decided = r.blameByTime(s, &f, o, &why)
	return f, decided
}

// blameByRevision decides from the keys of the one who owned first and of the
// one who owned later.
func (r *record) blameByRevision(s *subject, f *finding, first *history.Operation, owned, owns *tenure, why *func() string) bool {
	if owned.Life == owns.Life {
		if a, b := r.h.Operation(f.Witness[0]), r.h.Operation(f.Witness[1]); a.Lease == b.Lease && s.Primitive == history.Mutex {
			f.Known = r.knownAs(s, "mutex-shared-session")
		}
		f.Cause = "both rest on one key"
		*why = func() string { return fmt.Sprintf("both rest on one key (rev %d)", owned.Create) }
		return true
	}
	if owned.Delete == 0 {
		return false
	}
	f.Call = first.Kind
	switch r.deletedBy(owned.Life) {
	case causeUnknown:
		return false
	case causeLease:
		if owned.Delete > owns.owns { // only a gap in the log leaves this open
			return false
		}
		if owned.Lease != first.Lease && !r.harmedBefore(first.Client, r.log.Latest(owned.Delete)) {
			f.Cause = "a lease of the subject's own was not kept alive"
			*why = func() string {
				return fmt.Sprintf("%s's key went at %s with a lease that the subject had made itself and not kept alive, while the client's session lived", first.Client, r.revision(owned.Delete))
			}
			return true
		}
		if r.neverRenewed(s, first.Client, owned.Lease) {
			f.Cause = neverRenewed
			*why = func() string {
				return fmt.Sprintf("%s's program let its lease end at %s, without a renewal", first.Client, r.revision(owned.Delete))
			}
			return true
		}
		f.Blame, f.Cause = BlameLease, "lease ended while held"
		f.Known = r.toldLate(s, first, f)
		*why = func() string {
			return fmt.Sprintf("%s's lease had ended at %s", first.Client, r.revision(owned.Delete))
		}
	case causeOther:
		late := r.lateRelease(owned)
		f.Cause = "key deleted while held"
		if late == nil {
			*why = func() string { return fmt.Sprintf("%s's key %s", first.Client, r.deletion(owned.Life)) }
			break
		}
		if s.Primitive == history.Mutex {
			f.Known = r.knownAs(s, "etcd#22082")
		}
		f.Witness, f.Cause = append(f.Witness, late.ID), "key deleted by the release of an earlier hold"
		*why = func() string {
			return fmt.Sprintf("%s's key %s but by %s's release (called at %s) of an earlier hold whose key had the same name (rev %d)",
				first.Client, r.deletion(owned.Life), late.Client, at(late.Call), late.Token)
		}
	}
	return true
}

// toldLate names why a client that heeds the end of its session went on
// believing: it was told of it after the next one held already; or "". One that
// stood still meanwhile could not be told.
func (r *record) toldLate(s *subject, first *history.Operation, f *finding) string {
	h, session := r.holdOf(first.ID), r.sessions[first.Lease]
	end, ended := r.leaseEnds[first.Lease]
	if h == nil || h.Ended != history.EndLost || session == nil || !ended || h.End <= f.From ||
		r.awake(h.Client, end.latest, h.End) < h.End-end.latest {
		return ""
	}
	// A lease that was never renewed ends one time-to-live after it began; what
	// etcd adds to it, and a slow machine, is less than another.
	if end.latest < session.Time+2*session.TTL && h.End > session.Time+2*session.TTL+2*time.Second {
		return r.knownAs(s, "session-done-dial-timeout")
	}
	return r.knownAs(s, "session-done-late")
}

// lateRelease returns the release that may have deleted a key although it was
// one of an earlier life of the key, or nil.
func (r *record) lateRelease(t *tenure) *history.Operation {
	var late *history.Operation // the last that can have been: the first was the one whose answer was lost
	for _, op := range r.releasesOf(t.Key) {
		if op.Token != 0 && op.Token < t.Create && op.Call <= r.log.Latest(t.Delete) && r.ended(op) >= r.log.Earliest(t.Delete) {
			late = op
		}
	}
	return late
}

// blameByTime decides from the ends of the two sessions' leases alone.
func (r *record) blameByTime(s *subject, f *finding, o overlap, why *func() string) bool {
	for _, h := range []*history.Hold{o.first, o.second} {
		end, ended := r.leaseEnds[h.Lease]
		if !ended || h.Lease == 0 || end.earliest > o.from {
			continue
		}
		f.Call = r.h.Operation(h.Acquire).Kind
		if call := r.h.Operation(h.Acquire).Call; end.latest < call {
			f.Cause = "lease ended before the call"
			*why = func() string {
				return fmt.Sprintf("%s was told of a success for which it asked at %s, after its lease had ended at %s", h.Client, at(call), at(end.latest))
			}
			return true
		}
		if r.neverRenewed(s, h.Client, h.Lease) {
			f.Cause = neverRenewed
			*why = func() string {
				return fmt.Sprintf("%s's program let its lease end by %s, without a renewal", h.Client, at(end.latest))
			}
			return true
		}
		f.Blame, f.Cause = BlameLease, "lease ended while held"
		*why = func() string { return fmt.Sprintf("%s's lease had ended by %s", h.Client, at(end.latest)) }
		return true
	}
	for _, h := range []*history.Hold{o.first, o.second} {
		if life := r.ownLeaseEnded(h, o.to); life != nil {
			f.Blame, f.Call, f.Cause = BlameLease, r.h.Operation(h.Acquire).Kind, "lease of the subject's own ended while held"
			*why = func() string {
				return fmt.Sprintf("the lease of %s's key had ended at %s", h.Client, r.revision(life.Delete))
			}
			return true
		}
	}
	if life, of := r.untoldLeaseEnded(s, o); life != nil {
		f.Blame, f.Call, f.Cause = BlameLease, r.h.Operation(of.Acquire).Kind, "a lease of which the program does not tell ended while held"
		*why = func() string {
			return fmt.Sprintf("%s's program tells neither key nor lease, and the lease of the key %s had ended at %s", of.Client, life.Key, r.revision(life.Delete))
		}
		return true
	}
	return r.leaseAlive(o.first.Lease, o.from) && r.leaseAlive(o.second.Lease, o.from)
}

// ownLeaseEnded returns the key of a hold that went with a lease of the
// subject's own, which a fault may have kept it from keeping alive, at a
// revision that may have happened by time t; or nil.
func (r *record) ownLeaseEnded(h *history.Hold, t time.Duration) *history.Life {
	life := r.lifeOf(h.Key, h.Token)
	if life == nil || life.Delete == 0 || life.Lease == h.Lease || r.deletedBy(life) != causeLease ||
		r.log.Earliest(life.Delete) > t || !r.harmedBefore(h.Client, r.log.Latest(life.Delete)) {
		return nil
	}
	return life
}

// faultsLast is for how long before a lease's end a fault may have kept its
// client from renewing it.
const faultsLast = 10 * time.Second

// harmedBefore is true if a fault may have kept a client from renewing a lease
// that ended at time t.
func (r *record) harmedBefore(client string, t time.Duration) bool {
	return r.harmed(client, t-faultsLast, t)
}

// worse returns the lie that explains less.
func worse(a *finding, of *history.Operation, b *finding, or *history.Operation) (*finding, *history.Operation) {
	if a == nil || b != nil && b.rank() < a.rank() {
		return b, or
	}
	return a, of
}

func (r *record) belowPrefix(key string) bool {
	return key != "" && len(key) >= len(r.h.Header.Prefix) && key[:len(r.h.Header.Prefix)] == r.h.Header.Prefix
}

func (r *record) created(key string, create int64) bool {
	return r.lifeOf(key, create) != nil
}
