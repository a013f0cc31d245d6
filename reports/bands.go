package reports

import (
	"fmt"
	"strings"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// faultSpan is when a fault did harm; one that was not healed lasts to the end.
func faultSpan(h *history.History, f *history.Fault) (from, to time.Duration) {
	if f.To == 0 {
		return f.From, max(h.End, f.From)
	}
	return f.From, f.To
}

func faultLabel(f *history.Fault) string {
	label := fmt.Sprintf("F%d %s", f.ID, oneLine(f.Kind))
	if f.Target != "" {
		label += " " + oneLine(f.Target)
	}
	if !f.Verified {
		label += " (not verified)"
	}
	return shorten(label, 48)
}

func faultTitle(h *history.History, f *history.Fault) string {
	from, to := faultSpan(h, f)
	title := fmt.Sprintf("%s: %s to %s", faultLabel(f), at(from), at(to))
	if f.Evidence != "" {
		title += "; " + shorten(oneLine(f.Evidence), 120)
	}
	return title
}

// injected is true if the fault was begun at all.
func injected(f *history.Fault) bool { return f.From > 0 || f.To > 0 || f.Verified }

// faultRow is the height of one line of fault bars.
const faultRow = 15

// faultBars draws those faults of the window that keep wants from y on, each with
// its label, and returns their height. What does not fit into limit rows is
// counted.
func faultBars(c *canvas, h *history.History, s scale, y float64, limit int, keep func(*history.Fault) bool) float64 {
	var packed rows
	left := 0
	for i := range h.Faults {
		f := &h.Faults[i]
		from, to := faultSpan(h, f)
		if !injected(f) || !s.shows(from, to) || !keep(f) {
			continue
		}
		label := faultLabel(f)
		x1, x2 := s.x(from), max(s.x(to), s.x(from)+2)
		textAt, class := x2+4, "faultname halo"
		begin, end := x1, textAt+textWidth(label)
		switch {
		case textWidth(label)+8 < x2-x1: // inside
			textAt, end, class = x1+4, x2, "faultname in"
		case end > canvasWidth: // before
			textAt, class = x1-4, "faultname halo end"
			begin, end = x1-4-textWidth(label), x2
		}
		row, ok := packed.place(begin-4, end+4, limit)
		if !ok {
			left++
			continue
		}
		top := y + float64(row)*faultRow
		kind := "fault"
		if !f.Verified {
			kind = "fault doubtful"
		}
		c.rect(kind, x1, top, x2-x1, faultRow-3, faultTitle(h, f))
		c.text(class, textAt, top+9.5, label)
	}
	height := float64(len(packed)) * faultRow
	if left > 0 {
		c.text("small end", gutter-10, y+9.5+faultRow, fmt.Sprintf("and %d more,", left))
		c.text("small end", gutter-10, y+9.5+2*faultRow, "see the list")
		height = max(height, 3*faultRow)
	}
	return height
}

// everyFault is for pictures that leave none out.
func everyFault(*history.Fault) bool { return true }

// faultBands shades the times of those verified faults that keep wants from top to
// bottom, and numbers them at top where there is room.
func faultBands(c *canvas, h *history.History, s scale, top, bottom float64, numbered bool, keep func(*history.Fault) bool) {
	var d strings.Builder
	var names slots
	reach, drawn := -1.0, 0.0
	flush := func() {
		if reach >= drawn {
			fmt.Fprintf(&d, "M%s %sh%sv%sh%sz", coordinate(drawn), coordinate(top), coordinate(max(reach-drawn, 1)), coordinate(bottom-top), coordinate(-max(reach-drawn, 1)))
		}
	}
	for i := range h.Faults {
		f := &h.Faults[i]
		from, to := faultSpan(h, f)
		if !f.Verified || !s.shows(from, to) || !keep(f) {
			continue
		}
		x1, x2 := s.x(from), s.x(to)
		if x1 > reach+0.5 || x1 < drawn || i < 100 {
			flush()
			drawn, reach = x1, x2
		}
		reach = max(reach, x2)
		if name := fmt.Sprintf("F%d", f.ID); numbered && x2-x1 > 3 && names.take(x1-1, x1+textWidth(name)+2) {
			c.text("bandname", x1+2, top-2, name)
		}
	}
	flush()
	if d.Len() > 0 {
		c.path("band", d.String(), "")
	}
}

// phases marks when the run's phases began. That the load did is told where they are
// named.
func phases(c *canvas, h *history.History, s scale, y, bottom float64, named bool) {
	var names slots
	for i := range h.Events {
		e := &h.Events[i]
		if e.Kind != history.PhaseBegan || !s.shows(e.Time, e.Time) || !named && e.Detail == history.PhaseLoad {
			continue
		}
		x := s.x(e.Time)
		c.line("phase", x, y+3, x, bottom, "")
		if !named {
			continue
		}
		class, begin, label := "phasename", x+3, oneLine(e.Detail)
		if begin+textWidth(label) > canvasWidth {
			class, begin, x = "phasename end", x-3-textWidth(label), x-6
		}
		if names.take(begin, begin+textWidth(label)) {
			c.text(class, x+3, y, label)
		}
	}
}
