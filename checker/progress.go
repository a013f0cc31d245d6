package checker

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// Progress: once every fault is healed, every waiter finishes, and the object
// of a dead holder becomes free within its lease's time-to-live and a grace.
//
// This is the liveness half, judged only where nothing may stop it any more:
// an acquire that had not finished when the final phase began never did in the
// time that the run gave it, and neither did a client whose attempts since the
// heal all failed. Either is a violation only if the object stood still for the
// grace and longer: while others are granted it, or give it back, a waiter may
// yet have its turn, and whether it would is unknown. A dead holder's key is timed by the log's bounds,
// so that it surely stayed too long. Clients that crashed promise nothing, and
// a lease that a successor resumed is not dead.
//
// Who waits for an item, a barrier or the others of a double barrier is judged
// only where the log shows that what it waits for was there; see owed.
//
// Where a run says that some faults last until the final phase, all of this is
// judged in the state that they leave; without proof that they lasted the
// promise was not put to the test.
//
// It assumes that the last round is short of work for its time: a queue longer
// than the quiet time would be reported. A record that ends before the final
// phase leaves it unknown.
func progress(r *record, s *subject) *judgement {
	j := &judgement{}
	lastRound := 0
	var waits, freed []time.Duration
	undecided := 0
	for _, ob := range s.objects {
		tries := make(map[string]*attempts)
		for _, op := range ob.operations {
			if !hasToEnd(op.Kind) || !r.isHealed {
				continue
			}
			_, crashed := r.crashed[op.Client]
			if op.Completed() && op.Return < r.healed || crashed && !op.Completed() || r.isFinal && op.Call >= r.final {
				continue
			}
			lastRound++
			switch {
			case r.isFinal && (!op.Completed() || op.Return > r.final) && !crashed:
				if !r.owed(s, ob, op) {
					lastRound--
					continue
				}
				if op.Kind.Acquires() && !r.stoodStill(ob, op, op, r.final) {
					undecided++
					break
				}
				j.findings = append(j.findings, r.stuck(s, ob, op, op, r.final))
			case op.Outcome == history.Ok:
				waits = append(waits, op.Return-op.Call)
			}
			if t := tries[op.Client]; t == nil {
				tries[op.Client] = &attempts{first: op, last: op, won: op.Outcome == history.Ok}
			} else {
				t.last, t.won = op, t.won || op.Outcome == history.Ok
			}
		}
		for _, client := range slices.Sorted(maps.Keys(tries)) {
			t := tries[client]
			// Clients try again until they win, their time is over, or they wait for
			// something else, which is judged then.
			if !r.isFinal || t.won || r.wentOn(s, t.last) || !t.last.Completed() || t.last.Return > r.final || r.final-max(t.first.Call, r.healed) < r.o.Grace || !r.owed(s, ob, t.last) {
				continue
			}
			if t.last.Kind.Acquires() && !r.stoodStill(ob, t.first, t.last, t.last.Return) {
				undecided++
				continue
			}
			j.findings = append(j.findings, r.stuck(s, ob, t.first, t.last, t.last.Return))
		}
	}
	for _, ob := range s.objects {
		j.findings = append(j.findings, r.heldUpByNeighbours(s, ob)...)
	}
	dead := 0
	for _, ob := range s.objects {
		for i := range ob.holds {
			if h := &ob.holds[i]; h.Ended == history.EndCrashed && !r.resumed[h.Lease] {
				dead++
				f, free := r.deadHolder(s, ob, h)
				if f != nil {
					j.findings = append(j.findings, *f)
				}
				if free >= 0 {
					freed = append(freed, free)
				}
			}
		}
	}
	j.figures = map[string]float64{
		"last_round":  float64(lastRound),
		"wait_p50_ms": milliseconds(quantile(waits, .5)), "wait_p99_ms": milliseconds(quantile(waits, .99)), "wait_max_ms": milliseconds(quantile(waits, 1)),
		"dead_holders": float64(dead),
		"freed_p50_ms": milliseconds(quantile(freed, .5)), "freed_max_ms": milliseconds(quantile(freed, 1)),
	}
	j.holds = fmt.Sprintf("after the heal %s finished, the slowest in %s", count(lastRound, "request"), span(quantile(waits, 1)))
	if len(freed) > 0 {
		j.holds += fmt.Sprintf("; dead holders' objects were free in at most %s", span(quantile(freed, 1)))
	}
	switch unhealed := r.unhealed(); {
	case len(unhealed) > 0:
		j.unknown = told(unhealed[0]) + ": nobody can be expected to make progress"
	case !r.isFinal:
		j.unknown = "the record ends before the final phase: whether waiters finish was not seen"
	case undecided > 0:
		j.unknown = fmt.Sprintf("%s had not finished when the final phase began, less than %s after it was called, all was healed or another held: too little to tell",
			count(undecided, "request"), span(r.o.Grace))
	case lastRound == 0:
		j.vacuous = "no request finished or waited after the heal"
	}
	if _, survives := r.h.Phase(history.PhaseSurvivable); survives {
		lasting := r.lasting()
		j.figures["lasting_faults"] = float64(len(lasting))
		j.holds += "; " + r.stillThere() + " meanwhile"
		if len(lasting) == 0 && j.vacuous == "" {
			j.vacuous = "no fault was seen to last during the last round: the state in which it was to be made was not there"
		}
	}
	return j
}

// lasting are the faults that were seen to last from the heal of all others until
// the final phase.
func (r *record) lasting() []*history.Fault {
	var lasting []*history.Fault
	for i := range r.h.Faults {
		if f := &r.h.Faults[i]; r.isHealed && f.Verified && f.From > 0 && f.From <= r.healed && (f.To == 0 || f.To > r.healed && (!r.isFinal || f.To >= r.final)) {
			lasting = append(lasting, f)
		}
	}
	return lasting
}

// stillThere says which faults lasted during the last round, or "".
func (r *record) stillThere() string {
	var texts []string
	for _, f := range r.lasting() {
		texts = append(texts, f.Kind+" "+f.Target)
	}
	if len(texts) == 0 {
		return ""
	}
	return strings.Join(texts, " and ") + " lasted"
}

// hasToEnd is true for the calls that clients make in their last round until
// they go well.
func hasToEnd(k history.Kind) bool {
	switch k {
	case history.Transfer, history.Audit, history.Get, history.Put, history.CompareAndSet:
		return true
	}
	return k.Waits()
}

// stoodStill is true if a client waited for an object, from its first request to
// its last and until t, for the grace and longer after anybody else was granted it
// or gave it back, and did not stand still itself.
func (r *record) stoodStill(ob *object, first, last *history.Operation, t time.Duration) bool {
	since := r.restedSince(ob, first, t)
	return r.awake(last.Client, since, t) >= r.o.Grace
}

// restedSince is since when, after a call and the heal, nobody but its client was
// granted the object, or gave it back, until t.
func (r *record) restedSince(ob *object, op *history.Operation, t time.Duration) time.Duration {
	since := max(op.Call, r.healed)
	for i := range ob.holds {
		h := &ob.holds[i]
		if h.Client == op.Client {
			continue
		}
		for _, moved := range []time.Duration{h.Start, h.End} {
			if moved <= t {
				since = max(since, moved)
			}
		}
	}
	return since
}

// attempts are one client's requests of one object after the heal.
type attempts struct {
	first, last *history.Operation
	won         bool
}

// wentOn is true if a client waited for another object when the final phase began,
// and so did not ask again.
func (r *record) wentOn(s *subject, last *history.Operation) bool {
	for _, ob := range s.objects {
		for _, op := range ob.operations {
			if ob.name != last.Object && op.Client == last.Client && hasToEnd(op.Kind) && op.Call >= last.Return && op.Call <= r.final && (!op.Completed() || op.Return > r.final) {
				return true
			}
		}
	}
	return false
}

// stuck is the violation of a request that had not finished by time t, and of those
// before it from first on.
func (r *record) stuck(s *subject, ob *object, first, op *history.Operation, t time.Duration) finding {
	f := finding{}
	f.Violation = Violation{Blame: s.culprit(), Witness: []int64{op.ID}, From: max(op.Call, r.healed), To: t, Object: ob.name}
	never := "never finished after the heal"
	if op.Completed() && op.Return <= t {
		never = "never succeeded after the heal"
	}
	f.Call, f.Cause = op.Kind, never
	holder, waits := r.holderAt(s, ob, op.Client, t)
	var stray *stray
	switch {
	case waits != nil:
		f.Witness = append(f.Witness, holder.Acquire)
		f.Cause += ", behind a holder"
		if stray = r.waitsBehind(s, waits, t); stray != nil {
			f.Witness = []int64{stray.maker.ID, waits.ID, op.ID}
			f.Cause = fmt.Sprintf("%s who waits behind a key left by a failed %s", f.Cause, stray.maker.Kind)
			f.Known = r.knownAs(s, r.lostAcquire(s, *stray))
		}
	case holder != nil:
		f.Witness = append(f.Witness, holder.Acquire)
		f.Cause += ", behind a holder"
	case op.Kind.Acquires():
		f.Cause += ", with no holder"
		if stray = r.blockedBy(ob, op, t); stray != nil {
			f.Witness = []int64{stray.maker.ID, op.ID}
			f.Cause = fmt.Sprintf("%s, behind a key left by a failed %s", never, stray.maker.Kind)
			f.Known = r.knownAs(s, r.lostAcquire(s, *stray))
		}
	}
	f.tell = func() string {
		how := "had not finished at " + at(t)
		if op.Completed() && op.Return <= t {
			how = fmt.Sprintf("and called again until %s, was in vain", at(t))
		}
		text := fmt.Sprintf("%s's %s of %s, called at %s, %s although all was healed at %s", op.Client, op.Kind, history.Called(op.Object), at(first.Call), how, at(r.healed))
		if lasted := r.stillThere(); lasted != "" {
			text += " but that " + lasted
		}
		if op.Kind.Waits() && !op.Kind.Acquires() {
			return text + "; " + owing(op)
		}
		if holder != nil {
			text += fmt.Sprintf("; %s had held it since %s", holder.Client, at(holder.Start))
			if stray != nil {
				text += fmt.Sprintf(" and waited for %s itself, since %s: %s, and it was there still", history.Called(waits.Object), at(waits.Call), r.origin(*stray))
			}
			return text
		}
		if stray != nil {
			return text + fmt.Sprintf("; %s, and it was there still", r.origin(*stray))
		}
		if !s.holding() {
			return text
		}
		return text + "; nobody believed in holding it from " + at(r.restedSince(ob, first, t)) + " on" + r.inTheWay(ob, op, t)
	}
	return f
}

// inTheWay tells of the oldest key that was there before a request, and still at time
// t, and whose it was; or it is "".
func (r *record) inTheWay(ob *object, op *history.Operation, t time.Duration) string {
	if r.log == nil {
		return ""
	}
	first := slices.IndexFunc(ob.tenures, func(k tenure) bool {
		return k.Lease != op.Lease && r.log.Latest(k.Create) < op.Call && r.log.Earliest(k.gone) >= t
	})
	if first < 0 {
		return ""
	}
	k := &ob.tenures[first]
	text := fmt.Sprintf("; a key of %s was still there", r.revision(k.Create))
	if k.Lease == 0 {
		text = fmt.Sprintf("; a key of %s, without a lease, was still there", r.revision(k.Create))
	}
	for i := range ob.holds {
		h := &ob.holds[i]
		if h.Token != k.Create || h.Key != "" && h.Key != k.Key {
			continue
		}
		text += fmt.Sprintf(": with it %s had held %s until %s", h.Client, history.Called(ob.name), at(h.End))
		if r.isDead(h.Client, h.End) {
			text += ", when it died"
		}
		break
	}
	return text
}

// holderAt returns who but a client held an object at time t, or nil. If all who
// did waited for another object meanwhile, waits is the request of the one that is
// returned: while that lasts nobody can expect it to give up what it holds.
func (r *record) holderAt(s *subject, ob *object, but string, t time.Duration) (holder *history.Hold, waits *history.Operation) {
	for i := range ob.holds {
		h := &ob.holds[i]
		if h.Start > t || h.End < t || h.Client == but {
			continue
		}
		holder, waits = h, r.waiting(s, h, t)
		if waits == nil {
			break
		}
	}
	return holder, waits
}

// waiting returns the request of another object with which a holder waited at
// time t, or nil.
func (r *record) waiting(s *subject, h *history.Hold, t time.Duration) *history.Operation {
	for _, ob := range s.objects {
		if ob.name == h.Object {
			continue
		}
		for _, op := range ob.acquires {
			if op.Client == h.Client && op.Call >= h.Start && op.Call <= t && (!op.Completed() || op.Return > t) {
				return op
			}
		}
	}
	return nil
}

// waitsBehind returns the stray behind which a request waited at time t, itself or
// through holders that waited for another object, or nil.
func (r *record) waitsBehind(s *subject, op *history.Operation, t time.Duration) *stray {
	for range s.objects { // or it is a deadlock
		ob := r.objects[objectID{s.Name, op.Object}]
		holder, waits := r.holderAt(s, ob, op.Client, t)
		switch {
		case holder == nil:
			return r.blockedBy(ob, op, t)
		case waits == nil:
			return nil
		}
		op = waits
	}
	return nil
}

// isDead is true if a client had crashed by time t.
func (r *record) isDead(client string, t time.Duration) bool {
	died, crashed := r.crashed[client]
	return crashed && died <= t
}

// deadHolder judges how long a dead client's key stayed. Where it shared the
// session of a client that lived on, nobody promised that it goes. Free is the
// time from the crash until it was gone, or negative.
func (r *record) deadHolder(s *subject, ob *object, h *history.Hold) (f *finding, free time.Duration) {
	if r.log == nil {
		return nil, -1
	}
	t, _ := ob.identified(h.Key, h.Token)
	if t == nil {
		return nil, -1
	}
	if t.Delete != 0 && r.log.Latest(t.Delete) != history.Never {
		free = max(0, r.log.Latest(t.Delete)-h.End)
	} else {
		free = -1
	}
	session := r.sessions[h.Lease]
	if !r.isHealed || session == nil || session.TTL == 0 || session.Client != h.Client && !r.isDead(session.Client, h.End) {
		return nil, free
	}
	from, limit := max(h.End, r.healed), session.TTL+r.o.Grace
	stayed := r.log.Earliest(t.gone) - from
	if stayed <= limit {
		return nil, free
	}
	f = &finding{}
	f.Violation = Violation{Blame: BlameServer, Witness: []int64{h.Acquire}, From: from, To: from + stayed, Object: ob.name}
	f.Call, f.Cause = r.h.Operation(h.Acquire).Kind, "a dead holder's key stayed"
	if t.Lease != h.Lease { // etcd was never asked to delete it with its owner
		f.Blame = s.culprit()
	}
	f.tell = func() string {
		return fmt.Sprintf("%s died at %s holding %s, and its key (rev %d) was still there %s later: its lease's time-to-live is %s and the grace %s",
			h.Client, at(h.End), history.Called(h.Object), t.Create, span(from+stayed-h.End), span(session.TTL), span(r.o.Grace))
	}
	return f, free
}
