package reports

import (
	"fmt"
	"html/template"
	"slices"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/checker/exact"
	"github.com/etcd-holdfast/holdfast/history"
)

// ordered is a violation of linearizable as the longest order that its calls can
// be put in, and the call that cannot follow.
type ordered struct {
	Picture template.HTML
	Length  string // "3 calls"
	Stuck   string // the call that cannot follow, and whose it is
	Note    string
}

func newOrdered(h *history.History, e *checker.Explanation) *ordered {
	c := &e.Calls[e.Stuck]
	return &ordered{
		Picture: drawOrder(h, e), Length: plural(len(e.Longest), "call"), Note: e.Note,
		Stuck: oneLine(e.Trace.Processes[c.Process]) + "’s " + stepLabel(h, e, c),
	}
}

// stepLabel says what was asked and answered.
func stepLabel(h *history.History, e *checker.Explanation, c *history.Call) string {
	switch op := h.Operation(c.ID); {
	case op == nil:
	case c.Known == history.Unknown && op.Outcome == history.Ok: // it returned after what is looked at
		return string(op.Kind) + ": not over yet"
	default:
		return callLabel(op)
	}
	return shorten(oneLine(exact.Describe(e.Trace, c)), 40)
}

// drawOrder draws a lane for each process. Calls and returns are as far from each
// other as they follow one another, as in porcupine's own picture, so that no call
// is too short to be seen.
func drawOrder(h *history.History, e *checker.Explanation) template.HTML {
	var moments []int64
	var lanes []int32
	for i := range e.Calls {
		c := &e.Calls[i]
		moments = append(moments, c.Invoke)
		if c.Return != history.NoReturn {
			moments = append(moments, c.Return)
		}
		if !slices.Contains(lanes, c.Process) {
			lanes = append(lanes, c.Process)
		}
	}
	slices.Sort(moments)
	moments = slices.Compact(moments)
	slices.SortFunc(lanes, func(a, b int32) int { return natural(e.Trace.Processes[a], e.Trace.Processes[b]) })
	x := func(at int64) float64 {
		if at == history.NoReturn {
			return rightMargin
		}
		k, _ := slices.BinarySearch(moments, at)
		return gutter + (float64(k)+0.3)*(rightMargin-gutter)/(float64(len(moments))+0.3)
	}
	var c canvas
	y := 12.0
	for _, process := range lanes {
		c.line("divider", 0, y-6, canvasWidth, y-6, "")
		c.text("who", 6, y+13, shorten(oneLine(e.Trace.Processes[process]), 18))
		var taken slots
		var notes []note
		for i := range e.Calls {
			call := &e.Calls[i]
			if call.Process != process {
				continue
			}
			x1, x2 := x(call.Invoke), x(call.Return)
			place := slices.Index(e.Longest, i)
			label := stepLabel(h, e, call)
			title := fmt.Sprintf("%s, called at %s", label, e.Trace.At(call.Invoke))
			taken = append(taken, [2]float64{x1, x2})
			switch {
			case i == e.Stuck:
				c.rect("proof", x1, y, x2-x1, laneHeight, title)
				c.text("inbar", x1+6, y+12.5, "✗")
				notes = append(notes, note{x1, x2, "proofname halo", "cannot follow: " + label, true})
			case place >= 0:
				c.rect("exists", x1, y, x2-x1, laneHeight, title)
				c.text("small", x1+6, y+12.5, fmt.Sprint(place+1))
				notes = append(notes, note{x1, x2, "small halo", label, true})
			default:
				c.rect("operation", x1, y+4, x2-x1, laneHeight-8, title)
				notes = append(notes, note{x1, x2, "small halo", label, true})
			}
		}
		y += annotate(&c, notes, taken, y) + 31
	}
	return c.finish(y-4, fmt.Sprintf("the longest order of the calls: %d of %d", len(e.Longest), len(e.Calls)))
}

// orderOf is the picture of a violation's order, or why there is none; both are empty
// where it has no order.
func (m *magnifier) orderOf(g *group, v *checker.Violation) (*ordered, string) {
	if g.Property != checker.Linearizable {
		return nil, ""
	}
	s, ok := m.history.Header.Subject(g.Subject)
	if !ok {
		return nil, ""
	}
	e, why := checker.Explain(m.history, s, v)
	if e == nil {
		return nil, why
	}
	return newOrdered(m.history, e), ""
}
