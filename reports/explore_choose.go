package reports

import (
	"cmp"
	"slices"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// maxWindows is around how many violations every operation is listed where not
// all can be.
const maxWindows = 24

// life is from the call of an operation to the end of what it began.
func (e *explorer) life(op *history.Operation) (from, to time.Duration) {
	to = op.Return
	if !op.Completed() {
		to = e.history.End
	}
	if hold := e.index.holds[op.ID]; hold != nil {
		to = hold.End
	}
	return op.Call, max(to, op.Call)
}

// choose returns the places of operations in the times around the violations, and
// notes these times: as many as there is room for, the worst violation first.
func (e *explorer) choose() []int {
	h := e.history
	e.head.Windows = [][2]int64{}
	if len(h.Operations) == 0 {
		return nil
	}
	windows := e.windows()
	counts := make([]int, len(windows))
	e.within(windows, func(_, w int) { counts[w]++ })
	room := maxChosen
	var accepted []scale
	for k, w := range windows {
		if counts[k] <= room {
			room -= counts[k]
			accepted = append(accepted, w)
			e.head.Windows = append(e.head.Windows, [2]int64{micros(w.from), micros(w.to)})
		}
	}
	slices.SortFunc(e.head.Windows, func(a, b [2]int64) int { return cmp.Compare(a[0], b[0]) })
	var out []int
	e.within(accepted, func(i, _ int) { out = append(out, i) })
	for _, id := range e.head.Witnesses { // always exact
		if i, ok := h.Place(id); ok {
			out = append(out, i)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// windows are the times around the violations that the page tells of, and the
// beginning of the run.
func (e *explorer) windows() (out []scale) {
	h := e.history
	for _, g := range e.groups {
		for _, v := range g.Violations[:min(len(g.Violations), g.full())] {
			if len(out) == maxWindows {
				break
			}
			from := min(max(v.From, 0), h.End)
			to := min(max(v.To, from), h.End)
			reach := min(max(4*(to-from), 250*time.Millisecond), 5*time.Second)
			out = append(out, scale{max(from-reach, 0), min(to+reach, h.End)})
		}
	}
	return append(out, scale{0, h.Operations[min(len(h.Operations), maxChosen/10)-1].Call})
}

// within calls each for every operation that lives in a window, and the window.
func (e *explorer) within(windows []scale, each func(i, w int)) {
	for i := range e.history.Operations {
		from, to := e.life(&e.history.Operations[i])
		for k, w := range windows {
			if w.shows(from, to) {
				each(i, k)
			}
		}
	}
}
