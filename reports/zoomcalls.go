package reports

import (
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

const (
	// leastProof is how wide a call of the witness is at the least, so that it is
	// seen.
	leastProof = 4.0
	// manyRequests is from how many on a call's requests are told.
	manyRequests = 20
	// maxNear is how many calls on an object are looked through for a picture.
	maxNear = 5000
)

// callsOn are the calls on objects that nobody holds, by object, in the order of
// their calls.
func callsOn(h *history.History) map[objectKey][]int32 {
	free := map[string]bool{}
	for _, s := range h.Header.Subjects {
		free[s.Name] = unheld(s.Primitive)
	}
	all := map[objectKey][]int32{}
	for i := range h.Operations {
		if op := &h.Operations[i]; free[op.Subject] {
			key := objectKey{op.Subject, op.Object}
			all[key] = append(all[key], int32(i))
		}
	}
	return all
}

// unheld is true for primitives whose clients hold nothing: they just make calls.
func unheld(p history.Primitive) bool {
	switch p {
	case history.Queue, history.PriorityQueue, history.Barrier, history.DoubleBarrier, history.Bank, history.Register:
		return true
	}
	return false
}

// near are those of an object's calls, by their places in the history, that ran
// around [from, to].
func near(h *history.History, places []int32, from, to time.Duration) (some []*history.Operation) {
	last := sort.Search(len(places), func(i int) bool { return h.Operations[places[i]].Call > to })
	for _, place := range slices.Backward(places[max(0, last-maxNear):last]) {
		if op := &h.Operations[place]; !op.Completed() || op.Return >= from {
			some = append(some, op)
		}
	}
	slices.Reverse(some)
	return some
}

// operations draws calls that are neither wait nor hold, those of the witness in its
// colour, with what was asked and answered; the others thin.
func (z *zoom) operations(c *canvas, client string, y float64, taken *slots) (notes []note) {
	var witness []*history.Operation
	others := 0
	for _, op := range z.calls {
		if op.Client != client || z.witness[op.ID] || others >= maxZoomBars || !z.scale.shows(op.Call, z.ended(op)) {
			continue
		}
		others++
		x1, x2 := z.scale.x(op.Call), max(z.scale.x(z.ended(op)), z.scale.x(op.Call)+2)
		c.rect("operation", x1, y+5, x2-x1, 7, z.callTitle(op))
		*taken = append(*taken, [2]float64{x1, x2})
	}
	for _, id := range z.view.Witness {
		op := z.history.Operation(id)
		if op != nil && op.Client == client && !op.Kind.Acquires() && len(witness) < maxZoomBars && z.scale.shows(op.Call, z.ended(op)) {
			witness = append(witness, op)
		}
	}
	for _, op := range witness {
		x1, x2 := z.scale.x(op.Call), max(z.scale.x(z.ended(op)), z.scale.x(op.Call)+leastProof)
		c.rect("proof", x1, y+1, x2-x1, laneHeight-2, z.callTitle(op))
		*taken = append(*taken, [2]float64{x1, x2})
		if label := z.label(op); boldWidth(label) < x2-x1-10 {
			c.text("inbar", x1+6, y+12.5, label)
		} else {
			notes = append(notes, note{x1, x2, "proofname halo", label, true})
		}
		notes = append(notes, z.due(c, op, y)...)
	}
	return notes
}

func (z *zoom) callTitle(op *history.Operation) string {
	return fmt.Sprintf("%s %s, %d, %.3f–%.3f s", op.Client, callLabel(op), op.ID, op.Call.Seconds(), z.ended(op).Seconds())
}

// label is callLabel with what else is odd about the call.
func (z *zoom) label(op *history.Operation) string {
	label := callLabel(op)
	if op.Requests >= manyRequests {
		label += fmt.Sprintf(", %d requests", op.Requests)
	}
	if over := z.late(op); over > 0 {
		label += ", " + lasting(over) + " late"
	}
	return label
}

// callLabel says what was asked and answered: "enqueue v7: ok", "get: v3".
func callLabel(op *history.Operation) string {
	label := string(op.Kind)
	if op.Mode != "" {
		label += " (" + string(op.Mode) + ")"
	}
	if op.Kind == history.CompareAndSet && op.Prior != "" {
		label += " " + shorten(oneLine(op.Prior), 16) + " →"
	}
	if op.Value != "" && !answers(op.Kind) {
		label += " " + shorten(oneLine(op.Value), 24)
	}
	if op.Kind == history.FencedWrite || op.Kind == history.FencedRead {
		label += fmt.Sprintf(", token %d", op.Token)
	}
	return label + ": " + callAnswer(op)
}

// answers is true for the kinds whose Value is what they returned.
func answers(k history.Kind) bool {
	switch k {
	case history.Dequeue, history.Get, history.Read, history.FencedRead, history.Leader, history.Audit:
		return true
	}
	return false
}

// callAnswer says how a call ended.
func callAnswer(op *history.Operation) string {
	switch {
	case op.Panicked:
		return "panicked"
	case !op.Completed():
		return "never returned"
	case op.Outcome == history.Info:
		return "unknown outcome"
	case op.Outcome == history.Fail && (op.Kind == history.TryAcquire && op.Number == 1 || op.Kind == history.CompareAndSet && op.Revision != 0):
		return "refused"
	case op.Outcome == history.Fail:
		return "failed"
	case answers(op.Kind) && op.Value != "":
		return shorten(oneLine(op.Value), 24)
	case op.Kind == history.Leader || op.Kind == history.Get || op.Kind == history.Dequeue:
		return "nothing"
	}
	return "ok"
}
