package checker

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// Delivery: a queue gives out each item that it acknowledged once, to who asks
// for it, and nothing else.
//
// Values are unique in a run, so that who enqueued what was dequeued is a
// look-up: exact. An acknowledged item is lost if it was never put, though the
// log covers its enqueue; or if its key was deleted and no dequeue took it. A
// dequeue whose outcome is not known may have taken one item that it was called
// before the deletion of: as the candidates of items deleted earlier are among
// those of later ones, counting decides whether they suffice (Hall). An item
// that is still there is not lost; whether it should have gone is a matter of
// order. Of subjects whose items are no keys only what was dequeued is judged.
func delivery(r *record, s *subject) *judgement {
	if s.Primitive != history.Queue && s.Primitive != history.PriorityQueue {
		return nil
	}
	j := &judgement{}
	enqueued, refused := s.enqueues(history.Ok, history.Info, history.Pending), s.enqueues(history.Fail)
	first := make(map[string]*history.Operation)
	var delivered, twice, foreign, invented, acknowledged, lost, unjudged int
	for _, op := range s.operations {
		if op.Kind == history.Enqueue && op.Outcome == history.Ok {
			acknowledged++
		}
		if op.Kind != history.Dequeue || op.Outcome != history.Ok {
			continue
		}
		delivered++
		e := enqueued[op.Value]
		switch before := first[op.Value]; {
		case before != nil:
			twice++
			j.findings = append(j.findings, r.misdelivered(s, op, before, "returned what another had", func() string {
				return fmt.Sprintf("%s's dequeue returned that too, at %s", before.Client, at(before.Return))
			}))
			continue
		case e == nil:
			invented++
			cause := "returned what nobody had enqueued"
			if refused[op.Value] != nil {
				cause = "returned what an enqueue without effect named"
			}
			j.findings = append(j.findings, r.misdelivered(s, op, refused[op.Value], cause, func() string {
				if no := refused[op.Value]; no != nil {
					return fmt.Sprintf("%s was told at %s that its enqueue of that had no effect", no.Client, at(no.Return))
				}
				return "nobody had enqueued that"
			}))
		case e.Object != op.Object:
			foreign++
			f := r.misdelivered(s, op, e, "returned what is in another queue", func() string {
				return fmt.Sprintf("%s had enqueued that into %s, at %s", e.Client, history.Called(e.Object), at(e.Call))
			})
			f.Known = r.known(s, Delivery, op, nil)
			j.findings = append(j.findings, f)
		}
		first[op.Value] = op
	}
	unsure := unsureDequeues(s)
	for _, ob := range s.objects {
		l, u := r.lostItems(s, ob, first, unsure)
		j.findings = append(j.findings, l...)
		lost, unjudged = lost+len(l), unjudged+u
	}
	j.figures = map[string]float64{
		"enqueued": float64(acknowledged), "delivered": float64(delivered), "twice": float64(twice),
		"foreign": float64(foreign), "invented": float64(invented), "lost": float64(lost), "unjudged": float64(unjudged),
	}
	j.holds = fmt.Sprintf("%s were enqueued and %d given out, each once", count(acknowledged, "item"), delivered)
	if unjudged > 0 {
		j.unknown = fmt.Sprintf("whether %s are lost cannot be judged: the revision log does not cover them", count(unjudged, "item"))
	}
	if delivered == 0 {
		j.vacuous = "no item was given out"
	}
	return j
}

// misdelivered is a dequeue that returned what it should not have.
func (r *record) misdelivered(s *subject, op, other *history.Operation, cause string, clause func() string) finding {
	f := finding{clause: clause}
	f.Violation = Violation{Blame: s.culprit(), Call: op.Kind, Cause: cause, Witness: []int64{op.ID}, From: op.Call, To: op.Return, Object: op.Object}
	if other != nil {
		f.Witness = []int64{other.ID, op.ID}
		f.From, f.To = min(f.From, other.Call), max(f.To, other.Return)
	}
	f.tell = func() string {
		return fmt.Sprintf("%s's dequeue of %s, called at %s, returned %s at %s, but %s", op.Client, history.Called(op.Object), at(op.Call), op.Value, at(op.Return), clause())
	}
	return f
}

// lostItems finds the acknowledged items of an object that are gone without
// anybody having taken them, and counts those that cannot be judged.
func (r *record) lostItems(s *subject, ob *object, delivered map[string]*history.Operation, dequeues []*history.Operation) (lost []finding, unjudged int) {
	if s.Layout != history.ItemKeys {
		return nil, 0
	}
	lives := make(map[string]*history.Life)
	for i := range ob.tenures {
		lives[ob.tenures[i].Values[0].Value] = ob.tenures[i].Life
	}
	type taken struct {
		enqueue *history.Operation // nil if it was not acknowledged
		life    *history.Life
		by      time.Duration
	}
	var gone []taken
	for _, e := range ob.operations {
		if e.Kind != history.Enqueue || e.Outcome == history.Fail || delivered[e.Value] != nil {
			continue
		}
		life := lives[e.Value]
		acknowledged := e.Outcome == history.Ok
		switch {
		case life == nil && !acknowledged:
		case r.log == nil || !r.seesAllBy(r.log.Start, e.Return) && life == nil:
			unjudged++
		case life == nil:
			lost = append(lost, r.lostItem(s, e, BlameServer, "acknowledged, and its key was never there", func() string { return "its key was never there" }))
		case life.Delete == 0:
		case !acknowledged:
			gone = append(gone, taken{nil, life, r.log.Latest(life.Delete)})
		default:
			gone = append(gone, taken{e, life, r.log.Latest(life.Delete)})
		}
	}
	slices.SortStableFunc(gone, func(a, b taken) int { return cmp.Compare(a.by, b.by) })
	// Etcd's queue takes also from queues whose names begin with its own.
	var unsure []*history.Operation
	for _, op := range dequeues {
		if len(gone) > 0 && strings.HasPrefix(ob.name, op.Object) {
			unsure = append(unsure, op)
		}
	}
	available, used := 0, 0
	for _, g := range gone {
		for available < len(unsure) && unsure[available].Call <= g.by {
			available++
		}
		if used < available {
			used++
			continue
		}
		if g.enqueue == nil {
			continue // nobody was told that it is in
		}
		candidates := available
		lost = append(lost, r.lostItem(s, g.enqueue, s.culprit(), "acknowledged, and "+r.lossOf(g.life)+" with no dequeue", func() string {
			text := fmt.Sprintf("its key (rev %d) %s and no dequeue returned it", g.life.Create, r.deletion(g.life))
			if candidates > 0 {
				text += fmt.Sprintf(", nor can one of unknown outcome have taken it: there were %d by then, and as many other items went", candidates)
			}
			return text
		}))
	}
	return lost, unjudged
}

// unsureDequeues are the dequeues that may have taken an item and whose outcome
// is not known, by call.
func unsureDequeues(s *subject) []*history.Operation {
	var unsure []*history.Operation
	for _, op := range s.operations {
		if op.Kind == history.Dequeue && (op.Outcome == history.Info || op.Outcome == history.Pending) {
			unsure = append(unsure, op)
		}
	}
	return unsure
}

func (r *record) lostItem(s *subject, e *history.Operation, blame Blame, cause string, clause func() string) finding {
	f := finding{clause: clause}
	f.Violation = Violation{Blame: blame, Call: e.Kind, Cause: cause, Witness: []int64{e.ID}, From: e.Call, To: max(e.Return, e.Call), Object: e.Object}
	f.tell = func() string {
		return fmt.Sprintf("%s was told at %s that its enqueue of %s into %s, called at %s, succeeded, but the item is lost: %s",
			e.Client, at(e.Return), e.Value, history.Called(e.Object), at(e.Call), clause())
	}
	return f
}
