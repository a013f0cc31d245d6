package reports

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// laneHeight is that of what a client believed or called.
const laneHeight = 17.0

// note is a text beside a mark of a lane.
type note struct {
	from, to float64 // the mark
	class    string
	text     string
	// must is true for what goes below the lane where it has no room in it.
	must bool
}

// client draws one client's two lanes from y on and returns where they end.
func (z *zoom) client(c *canvas, client string, y float64) float64 {
	c.line("divider", 0, y-5, canvasWidth, y-5, "")
	if name, lease, nobody := strings.Cut(client, " "); nobody { // see owner
		c.text("who", 6, y+10, name)
		c.text("small end", gutter-8, y+10, shorten(oneLine(lease), 20))
		z.store(c, client, y)
		return y + 22
	}
	c.text("who", 6, y+13, shorten(oneLine(client), 10))
	does := "calls"
	if l := z.lane(client); l != nil && z.any(l.holds) {
		does = "believes"
	}
	c.text("small end", gutter-8, y+13, does)
	y = z.beliefs(c, client, y)
	if z.owned() {
		c.text("small end", gutter-8, y+33, "in etcd")
		z.store(c, client, y+23)
		y += 20
	}
	return y + 30
}

// beliefs draws waits, holds, calls and marks. What does not fit beside them goes
// below; it returns y, moved down by as much.
func (z *zoom) beliefs(c *canvas, client string, y float64) float64 {
	var taken slots
	var notes []note
	c.line("laneline", gutter, y+laneHeight/2, rightMargin, y+laneHeight/2, "")
	drawn := 0
	each := func(spans []span, draw func(*span, float64, float64)) {
		for i := range spans {
			s := &spans[i]
			proof := s.hold != nil && z.witness[s.hold.Acquire] || s.operation != nil && z.witness[s.operation.ID]
			if !z.scale.shows(s.from, s.to) || drawn >= 2*maxZoomBars || drawn >= maxZoomBars && !proof {
				continue
			}
			drawn++
			x1, x2 := z.scale.x(s.from), max(z.scale.x(s.to), z.scale.x(s.from)+1)
			if proof {
				x2 = max(x2, x1+leastProof)
			}
			taken = append(taken, [2]float64{x1, x2})
			draw(s, x1, x2)
		}
	}
	if l := z.lane(client); l != nil {
		each(l.waits, func(s *span, x1, x2 float64) { notes = append(notes, z.waiting(c, s, x1, x2, y)...) })
		each(l.holds, func(s *span, x1, x2 float64) { notes = append(notes, z.holding(c, s, x1, x2, y)...) })
	}
	notes = append(notes, z.operations(c, client, y, &taken)...)
	notes = append(notes, z.told(c, client, y, notes)...)
	z.deadline(c, client, y, laneHeight)
	if t, ok := z.index.crashed[client]; ok && z.scale.shows(t, t) {
		c.cross("crash", z.scale.x(t), y+laneHeight/2, 5, client+" crashed at "+at(t))
	}
	return y + annotate(c, notes, taken, y)
}

// waiting draws a wait, and says how it ended unless a hold shows that.
func (z *zoom) waiting(c *canvas, s *span, x1, x2, y float64) (notes []note) {
	title, op := waitTitle(s), s.operation
	c.rect("waitbox", x1, y+3, x2-x1, laneHeight-6, title)
	c.hatch(x1, y+3, x2-x1, laneHeight-6, title)
	plate := func(class, label string, width float64) {
		c.rect("plate", x1+5, y+4, width+8, laneHeight-8, "")
		c.text(class, x1+8, y+12.5, label)
	}
	if !z.witness[op.ID] {
		if x2-x1 > 60 {
			plate("small", "waits", 30)
		}
		if op.Outcome == history.Ok || s.to > z.scale.to {
			return nil
		}
		return []note{{x1, x2, "small halo", callAnswer(op), false}}
	}
	c.rect("waitproof", x1, y+2, x2-x1, laneHeight-4, title)
	notes = z.due(c, op, y)
	label := z.label(op)
	switch width := boldWidth(label); {
	case width+24 < x2-x1 && len(notes) == 0:
		plate("proofname", label, width)
	case op.Outcome != history.Ok || label != callLabel(op):
		notes = append(notes, note{x1, x2, "proofname halo", label, true})
	}
	return notes
}

// holding draws the core of a hold and says how it ended.
func (z *zoom) holding(c *canvas, s *span, x1, x2, y float64) []note {
	class := "hold"
	if z.witness[s.hold.Acquire] {
		class = "witness"
	}
	c.rect(class, x1, y, x2-x1, laneHeight, holdTitle(s))
	if label := fitting(x2-x1-10, z.holdLabels(s.hold)...); label != "" {
		c.text("inbar", x1+6, y+12.5, label)
	}
	if s.to > z.scale.to {
		return nil
	}
	c.line("holdend", x2, y-2, x2, y+laneHeight+2, "")
	if z.witness[s.hold.Release] { // which has a label of its own
		return nil
	}
	return []note{{x2, x2, "small halo", ended(s.hold.Ended), false}}
}

// told marks when the client was told that its session is over.
func (z *zoom) told(c *canvas, client string, y float64, said []note) (notes []note) {
	for _, e := range z.index.lost[client] {
		if !z.scale.shows(e.Time, e.Time) {
			continue
		}
		x := z.scale.x(e.Time)
		c.arrow("told", x, y+1, 4.5, lostTitle(e))
		c.line("toldline", x, y, x, y+laneHeight, lostTitle(e))
		what := "told lost"
		if !e.Heeded {
			what = "told lost, ignored"
		}
		if !slices.ContainsFunc(said, func(n note) bool { return n.text == what && n.to-x < 2 && x-n.to < 2 }) {
			notes = append(notes, note{x, x, "small halo", what, false})
		}
	}
	return notes
}

// annotate places notes beside their marks, or below where they have to be said,
// and returns how much higher the lane is for it.
func annotate(c *canvas, notes []note, taken slots, y float64) float64 {
	const line = 13.0
	var below rows
	slices.SortStableFunc(notes, func(a, b note) int {
		switch {
		case a.must == b.must:
			return 0
		case a.must:
			return -1
		}
		return 1
	})
	for _, n := range notes {
		width := textWidth(n.text)
		if strings.HasPrefix(n.class, "proofname") {
			width = boldWidth(n.text)
		}
		switch {
		case n.to+7+width < canvasWidth && taken.take(n.to+0.1, n.to+8+width):
			c.text(n.class, n.to+6, y+12.5, n.text)
		case !n.must:
		case n.from-7-width > gutter && taken.take(n.from-8-width, n.from-0.1):
			c.text(n.class+" end", n.from-6, y+12.5, n.text)
		default:
			from := min(n.from, canvasWidth-8-width)
			row, ok := below.place(from-4, from+8+width, 4)
			if !ok {
				continue
			}
			base := y + laneHeight + line*float64(row+1)
			c.line("lead", n.from, y+laneHeight, n.from, base, "")
			c.text(n.class, from+4, base, n.text)
		}
	}
	return line * float64(len(below))
}

func (z *zoom) lane(client string) *lane {
	if z.object == nil {
		return nil
	}
	return z.object.byClient[client]
}

// deadline marks until when the client's lease lives by the last renewal of which
// it was told before the end of its belief, where renewals are on record.
func (z *zoom) deadline(c *canvas, client string, y, height float64) {
	l := z.lane(client)
	if l == nil {
		return
	}
	for i := range l.holds {
		s := &l.holds[i]
		if !z.scale.shows(s.from, s.to) || !z.witness[s.hold.Acquire] {
			continue
		}
		e := z.index.renewedBefore(client, s.hold.Lease, s.to)
		if e == nil || !z.scale.shows(e.Time+e.TTL, e.Time+e.TTL) {
			continue
		}
		x := z.scale.x(e.Time + e.TTL)
		c.path("deadline", "M"+coordinate(x)+" "+coordinate(y-3)+"v"+coordinate(height+6)+"m-4 0h8m-8 "+coordinate(-height-6)+"h8",
			fmt.Sprintf("%s's lease %x was last renewed at %s and lives until %s", client, e.Lease, at(e.Time), at(e.Time+e.TTL)))
	}
}

// holdLabels are what may stand in a hold's bar, the longest first.
func (z *zoom) holdLabels(h *history.Hold) []string {
	verb := "holds"
	if info, _ := z.history.Header.Subject(h.Subject); info.Primitive == history.Election || info.Primitive == history.Service {
		verb = "leads"
	}
	if h.Mode != "" {
		verb = "holds (" + string(h.Mode) + ")"
	}
	if h.Token != 0 {
		return []string{fmt.Sprintf("%s, token %d", verb, h.Token), verb}
	}
	return []string{verb}
}

// fitting returns the first label that fits into width, or "".
func fitting(width float64, labels ...string) string {
	for _, l := range labels {
		if textWidth(l) <= width {
			return l
		}
	}
	return ""
}

// late is how long after its context had ended a call was over; zero where that is
// within what a call may take.
func (z *zoom) late(op *history.Operation) time.Duration {
	if over := z.ended(op) - op.Deadline; op.Deadline > 0 && over > time.Second {
		return over
	}
	return 0
}

// due marks when the context of a call ended that is late.
func (z *zoom) due(c *canvas, op *history.Operation, y float64) []note {
	if z.late(op) == 0 || !z.scale.shows(op.Deadline, op.Deadline) {
		return nil
	}
	x := z.scale.x(op.Deadline)
	c.line("due", x, y-3, x, y+laneHeight+3, "its context ended at "+at(op.Deadline))
	return []note{{x, x, "proofname halo", "its context ended", true}}
}
