package checker

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/etcd-holdfast/holdfast/checker/exact"
	"github.com/etcd-holdfast/holdfast/history"
)

// exceeding is exclusion of a semaphore: at no instant do more clients believe
// in a hold than there are permits.
//
// It is exact for the reason that exclusion is: an acquire can linearize as late
// as its return and a release as early as its call, and at one instant releases
// go first; those choices do not hinder each other. So sorting the cores and
// sweeping over them decides it. Each hold that begins when all permits are
// taken is a violation, with as few holds as prove it.
//
// Once a key owns it does so until it is deleted. So of more holds than permits
// that were all true once, the rest have lost their keys: if enough of them by
// the ends of leases, the lease is to blame, and if not, who deleted a key that
// was in use. A lie that ownership found explains it before both.
func exceeding(r *record, s *subject) *judgement {
	j := &judgement{}
	permits := s.permits()
	var holds, contended, undecided, confirmed, disputed, lease int
	for _, ob := range s.objects {
		holds += len(ob.holds)
		contended += r.refused(ob, permits)
		for _, e := range excesses(ob.holds, permits) {
			f, decided := r.blameExcess(s, ob, &e)
			if !r.o.Unconfirmed && confirmed+disputed < storedViolations {
				if e.confirmed(r, permits) {
					confirmed++
				} else {
					disputed++
				}
			}
			if !decided {
				undecided++
				continue
			}
			if f.Blame == BlameLease {
				lease++
			}
			j.findings = append(j.findings, f)
		}
	}
	j.figures = map[string]float64{
		"holds": float64(holds), "contended": float64(contended), "permits": float64(permits),
		"overlaps": float64(len(j.findings) + undecided), "overlaps_lease": float64(lease),
		"overlaps_undecided": float64(undecided), "confirmed_by_porcupine": float64(confirmed),
	}
	j.holds = fmt.Sprintf("never more than %d of %s at once; %s had to wait for a permit", permits, count(holds, "hold"), count(contended, "request"))
	if undecided > 0 {
		j.unknown = fmt.Sprintf("%s whose cause lies beyond the end of the revision log", count(undecided, "excess"))
	}
	if disputed > 0 {
		j.unknown = fmt.Sprintf("the sweep and porcupine disagree on %s: that is a bug in holdfast, please report it with this run", count(disputed, "excess"))
	}
	if contended == 0 {
		j.vacuous = "the permits were never all taken when somebody asked: nothing was put to the test"
	}
	return j
}

// excess is a hold that began when all permits were taken, last, and the others
// that it met.
type excess struct {
	holds    []*history.Hold
	last     *history.Hold
	from, to time.Duration
	witness  []*history.Hold
}

// excesses sweeps over one object's holds.
func excesses(holds []history.Hold, permits int) []excess {
	order := make([]*history.Hold, len(holds))
	for i := range holds {
		order[i] = &holds[i]
	}
	// A hold that ends where it begins can be over before the others that begin
	// there.
	slices.SortStableFunc(order, func(a, b *history.Hold) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End))
	})
	var found []excess
	var active []*history.Hold
	for _, b := range order {
		active = slices.DeleteFunc(active, func(a *history.Hold) bool { return a.End <= b.Start })
		active = append(active, b)
		if len(active) <= permits {
			continue
		}
		ends := make([]time.Duration, len(active))
		for i, a := range active {
			ends[i] = a.End
		}
		slices.Sort(ends)
		found = append(found, excess{holds: slices.Clone(active), last: b, from: b.Start, to: ends[len(active)-permits-1]})
	}
	return found
}

// choose keeps permits+1 holds as the witness, those first that explain nothing
// harmless, and always the last.
func (e *excess) choose(permits int, harmless func(*history.Hold) bool) {
	e.witness = slices.Clone(e.holds)
	rank := func(h *history.Hold) int {
		switch {
		case h == e.last:
			return 0
		case !harmless(h):
			return 1
		}
		return 2
	}
	slices.SortStableFunc(e.witness, func(a, b *history.Hold) int { return cmp.Compare(rank(a), rank(b)) })
	e.witness = e.witness[:permits+1]
	slices.SortStableFunc(e.witness, func(a, b *history.Hold) int { return cmp.Compare(a.Start, b.Start) })
}

// confirmed asks porcupine whether the witness alone breaks the semaphore.
func (e *excess) confirmed(r *record, permits int) bool {
	var calls []history.Call
	for i, h := range e.witness {
		c := history.Call{
			ID: h.Acquire, Process: int32(i), Invoke: int64(r.h.Operation(h.Acquire).Call), Return: int64(h.Start),
			Function: history.FunctionAcquire, Known: history.Succeeded,
		}
		calls = append(calls, c)
		if h.Ended != history.EndOfRecord {
			c.Function, c.Known, c.Invoke, c.Return = history.FunctionRelease, history.Unknown, int64(h.End), history.NoReturn
			calls = append(calls, c)
		}
	}
	model, _ := exact.ModelNamed("semaphore")
	return model.SecondOpinion(calls, exact.Parameters{Permits: permits}) == porcupine.Illegal
}

// loss is how a hold had lost its right to a permit at an instant.
type loss int

const (
	lossNone    loss = iota
	lossUnknown      // it may have, the log does not tell
	lossLease
	lossOther
)

// lostBy tells how a hold may have lost its right by time t.
func (r *record) lostBy(ob *object, h *history.Hold, t time.Duration) (loss, *history.Life) {
	if r.log == nil {
		for _, told := range r.lost[membership{h.Client, h.Lease}] {
			if told >= h.Start && told <= t {
				return lossLease, nil
			}
		}
		return lossNone, nil
	}
	key, _ := ob.identified(h.Key, h.Token)
	if key == nil {
		end, ended := r.leaseEnds[h.Lease]
		switch {
		case ended && end.earliest <= t && end.latest >= r.h.Operation(h.Acquire).Call:
			return lossLease, nil
		case !ended && !r.leaseAlive(h.Lease, t):
			return lossUnknown, nil
		}
		return lossNone, nil
	}
	switch {
	case key.Delete == 0 && r.log.Earliest(key.gone) <= t:
		return lossUnknown, key.Life
	case key.Delete == 0 || r.log.Earliest(key.Delete) > t:
		return lossNone, key.Life
	}
	switch r.deletedBy(key.Life) {
	case causeLease:
		if key.Lease == h.Lease || r.harmedBefore(h.Client, r.log.Latest(key.Delete)) {
			return lossLease, key.Life
		}
		return lossOther, key.Life
	case causeOther:
		return lossOther, key.Life
	}
	return lossUnknown, key.Life
}

// blameExcess decides who made holds exceed the permits, and chooses the
// witness. Decided is false if the log ends too early to tell.
func (r *record) blameExcess(s *subject, ob *object, e *excess) (f finding, decided bool) {
	permits := s.permits()
	f.Violation = Violation{Blame: s.culprit(), From: e.from, To: e.to, Object: ob.name}
	losses := make(map[*history.Hold]loss)
	lives := make(map[*history.Hold]*history.Life)
	n := make(map[loss]int)
	var lie *finding
	var liar *history.Operation
	for _, h := range e.holds {
		losses[h], lives[h] = r.lostBy(ob, h, e.from)
		n[losses[h]]++
		op := r.h.Operation(h.Acquire)
		lie, liar = worse(lie, liar, s.lies[h.Acquire], op)
	}
	e.choose(permits, func(h *history.Hold) bool {
		return losses[h] == lossLease && (liar == nil || liar.ID != h.Acquire)
	})
	tooMany := len(e.holds) - permits
	f.Call, f.Cause = r.h.Operation(e.last.Acquire).Kind, "more were let in than there are permits"
	why := func() string { return "none of their keys or leases had gone" }
	decided = true
	first := func(l loss) *history.Hold {
		i := slices.IndexFunc(e.holds, func(h *history.Hold) bool { return losses[h] == l })
		return e.holds[i]
	}
	switch {
	case lie != nil:
		f.Blame, f.Known, f.Call, f.Cause = lie.Blame, lie.Known, liar.Kind, following(lie)
		why = func() string {
			return fmt.Sprintf("%s was told a thing that was never true: %s", liar.Client, lie.clause())
		}
	case n[lossLease] >= tooMany:
		f.Blame, f.Cause = BlameLease, "lease ended while held"
		why = func() string { return fmt.Sprintf("%s's lease had ended", first(lossLease).Client) }
	case n[lossOther] > 0 && n[lossLease]+n[lossOther] >= tooMany:
		f.Cause = "key deleted while held"
		why = func() string {
			h := first(lossOther)
			return fmt.Sprintf("%s's key %s", h.Client, r.deletion(lives[h]))
		}
	case n[lossUnknown] > 0:
		decided = false
	}
	for _, h := range e.witness {
		f.Witness = append(f.Witness, h.Acquire)
	}
	slices.Sort(f.Witness)
	f.tell = func() string {
		var who []string
		for _, h := range e.witness {
			who = append(who, fmt.Sprintf("%s since %s%s", h.Client, at(h.Start), token(h.Token)))
		}
		return fmt.Sprintf("%d clients were told that they hold %s, which has %s, at %s: %s; %s",
			len(who), history.Called(ob.name), count(permits, "permit"), at(e.from), strings.Join(who, ", "), why())
	}
	return f, decided
}

// refused counts the acquires that ran while all permits were taken.
func (r *record) refused(ob *object, permits int) int {
	type change struct {
		at time.Duration
		by int
	}
	var changes []change
	for i := range ob.holds {
		changes = append(changes, change{ob.holds[i].Start, 1}, change{ob.holds[i].End, -1})
	}
	slices.SortFunc(changes, func(a, b change) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.by, b.by)) })
	type period struct{ from, to time.Duration }
	var full []period
	taken := 0
	for _, c := range changes {
		if taken += c.by; taken == permits && c.by > 0 {
			full = append(full, period{c.at, history.Never})
		} else if taken == permits-1 && c.by < 0 && len(full) > 0 {
			full[len(full)-1].to = c.at
		}
	}
	n := 0
	for _, op := range ob.operations {
		if !op.Kind.Acquires() {
			continue
		}
		// The first period that ends after the call, unless it begins with the
		// acquire's own hold or later.
		k := sort.Search(len(full), func(k int) bool { return full[k].to > op.Call })
		if k < len(full) && full[k].from < r.ended(op) {
			n++
		}
	}
	return n
}
