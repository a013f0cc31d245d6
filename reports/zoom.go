package reports

import (
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/history"
)

const (
	maxZoomLanes = 10
	maxZoomBars  = 40 // of one kind in one lane; the witness comes on top
)

// zoom draws the time around one violation: what the clients concerned
// believed and, below each, what the store says.
type zoom struct {
	history *history.History
	index   *index
	object  *object
	truth   []tenure // none if the store's part is not known
	view    *checker.Violation
	overlap bool // the violation is that two beliefs overlap

	from, to time.Duration // the violation's, within the record
	scale    scale
	present  []*tenure // the truth within the window
	members  bool      // the picture has lanes of members
	renewals bool      // it has deadlines of leases
	witness  map[int64]bool
	top      float64
}

// window is the time to show around [from, to]: all of the witness, unless
// that would make the violation itself too small to see.
func (z *zoom) window() scale {
	lo, hi := z.from, z.to
	for _, id := range z.view.Witness {
		op := z.history.Operation(id)
		if op == nil {
			continue
		}
		lo, hi = min(lo, op.Call), max(hi, op.Call, op.Return)
		if hold := z.index.holds[id]; hold != nil {
			hi = max(hi, hold.End)
		}
	}
	reach := max(4*(z.to-z.from), 250*time.Millisecond)
	lo, hi = max(lo, z.from-reach), min(hi, z.to+reach)
	margin := max((hi-lo)/12, time.Millisecond)
	lo = max(lo-margin, 0)
	return scale{lo, max(min(hi+margin, z.history.End), lo+time.Millisecond)}
}

// draw returns the picture, or "" if there is nothing to show, and how many
// more clients were there.
func (z *zoom) draw() (template.HTML, int) {
	z.from = min(max(z.view.From, 0), z.history.End)
	z.to = min(max(z.view.To, z.from), z.history.End)
	z.scale = z.window()
	for i := range z.truth {
		if t := &z.truth[i]; z.scale.shows(t.created, t.deleted) {
			z.present = append(z.present, t)
		}
	}
	z.witness = map[int64]bool{}
	for _, id := range z.view.Witness {
		z.witness[id] = true
	}
	clients, left := z.clients()
	if len(clients) == 0 {
		return "", 0
	}
	var bars, c canvas
	concerned := func(f *history.Fault) bool { return z.concerns(f, clients) }
	faults := faultBars(&bars, z.history, z.scale, 20, 6, concerned)
	z.top = 20 + faults + 18
	y := z.top + 8
	for _, client := range clients {
		y = z.client(&bars, client, y)
	}
	lanes := y
	if bottom := memberLanes(&bars, z.history, z.scale, y); bottom > y {
		bars.line("divider", 0, y-5, canvasWidth, y-5, "")
		y, z.members = bottom, true
	}
	z.scale.axis(&c, 12, y)
	faultBands(&c, z.history, z.scale, 20+faults, y, false, concerned)
	phases(&c, z.history, z.scale, 20+faults, y, false)
	z.mark(&c, lanes)
	c.b = append(c.b, bars.b...)
	return c.finish(y+4, "timeline around the violation"), left
}

// concerns is false for a fault on clients that the picture does not have.
func (z *zoom) concerns(f *history.Fault, shown []string) bool {
	others := false
	for _, party := range parties(f.Target) {
		if slices.Contains(shown, party) {
			return true
		}
		others = others || z.index.clients[party]
	}
	return !others
}

// mark shades the violation itself and says how long it lasts.
func (z *zoom) mark(c *canvas, bottom float64) {
	x1, x2 := z.scale.x(z.from), z.scale.x(z.to)
	c.rect("wrong", x1, z.top-4, max(x2-x1, 2), bottom-z.top+4, "")
	label := "the violation shows here, " + lasting(z.to-z.from)
	switch {
	case z.to == z.from:
		label = "the violation shows at " + at(z.from)
	case z.overlap:
		label = "overlap, " + lasting(z.to-z.from)
	}
	half := textWidth(label) / 2
	x := min(max((x1+x2)/2, gutter+half), canvasWidth-half)
	c.text("wrongname mid", x, z.top-8, label)
}

// clients are those to draw: the witnesses', then who else was there.
func (z *zoom) clients() (chosen []string, left int) {
	add := func(client string) {
		if client != "" && !slices.Contains(chosen, client) {
			chosen = append(chosen, client)
		}
	}
	for _, id := range z.view.Witness {
		if op := z.history.Operation(id); op != nil {
			add(op.Client)
		}
	}
	var others []string
	if z.object != nil {
		for _, l := range z.object.lanes {
			if !slices.Contains(chosen, l.client) && (z.any(l.waits) || z.any(l.holds)) {
				others = append(others, l.client)
			}
		}
	}
	for _, t := range z.present {
		if c := z.owner(t); !slices.Contains(chosen, c) && !slices.Contains(others, c) {
			others = append(others, c)
		}
	}
	// Who held or owned in the window says more than who only waited.
	slices.SortStableFunc(others, func(a, b string) int { return z.interest(b) - z.interest(a) })
	for _, client := range others {
		if len(chosen) >= maxZoomLanes {
			left++
			continue
		}
		add(client)
	}
	return chosen, left
}

func (z *zoom) interest(client string) int {
	score := 0
	if z.object != nil && z.object.byClient[client] != nil && z.any(z.object.byClient[client].holds) {
		score = 2
	}
	for _, t := range z.present {
		if z.owner(t) == client && t.owns != history.Never && z.scale.shows(t.owns, t.deleted) {
			score++
			break
		}
	}
	return score
}

// owner is whose lane a key is drawn in.
func (z *zoom) owner(t *tenure) string {
	if t.client == "" {
		return fmt.Sprintf("lease %x", t.life.Lease)
	}
	return t.client
}

func (z *zoom) any(spans []span) bool {
	return slices.ContainsFunc(spans, func(s span) bool { return z.scale.shows(s.from, s.to) })
}

// client draws one client's two lanes from y on and returns where they end.
func (z *zoom) client(c *canvas, client string, y float64) float64 {
	height := 30.0
	if len(z.truth) > 0 {
		height = 50
	}
	c.line("divider", 0, y-5, canvasWidth, y-5, "")
	name, lease, _ := strings.Cut(client, " ") // see owner
	c.text("who", 6, y+13, shorten(oneLine(name), 10))
	c.text("small end", gutter-8, y+13, "believes")
	z.beliefs(c, client, y)
	if len(z.truth) > 0 {
		source := "in etcd"
		if lease != "" {
			source = shorten(oneLine(lease), 20)
		}
		c.text("small end", gutter-8, y+33, source)
		z.store(c, client, y+23)
	}
	return y + height
}

// beliefs draws waits, holds, other operations of the witness, and marks.
func (z *zoom) beliefs(c *canvas, client string, y float64) {
	const height = 17.0
	var taken slots
	c.line("laneline", gutter, y+height/2, rightMargin, y+height/2, "")
	type note struct {
		x    float64
		text string
	}
	var notes []note
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
			taken = append(taken, [2]float64{x1, x2})
			draw(s, x1, x2)
		}
	}
	if l := z.lane(client); l != nil {
		each(l.waits, func(s *span, x1, x2 float64) {
			title := waitTitle(s)
			c.rect("waitbox", x1, y+3, x2-x1, height-6, title)
			c.hatch(x1, y+3, x2-x1, height-6, title)
			if x2-x1 > 60 {
				c.rect("plate", x1+5, y+4, 36, height-8, "")
				c.text("small", x1+9, y+12.5, "waits")
			}
			if z.witness[s.operation.ID] {
				c.rect("waitproof", x1, y+2, x2-x1, height-4, title)
			}
			if op := s.operation; op.Outcome != history.Ok && s.to <= z.scale.to {
				end := map[history.Outcome]string{history.Fail: "failed", history.Info: "unknown outcome", history.Pending: "never returned"}[op.Outcome]
				notes = append(notes, note{x2, end})
			}
		})
		each(l.holds, func(s *span, x1, x2 float64) {
			class := "hold"
			if z.witness[s.hold.Acquire] {
				class = "witness"
			}
			c.rect(class, x1, y, x2-x1, height, holdTitle(s))
			c.text("inbar", x1+6, y+12.5, fitting(x2-x1-10, z.holdLabels(s.hold)...))
			if s.to <= z.scale.to {
				c.line("holdend", x2, y-2, x2, y+height+2, "")
				notes = append(notes, note{x2, ended(s.hold.Ended)})
			}
		})
	}
	z.operations(c, client, y, &taken)
	for _, e := range z.index.lost[client] {
		if z.scale.shows(e.Time, e.Time) {
			x := z.scale.x(e.Time)
			c.arrow("told", x, y+1, 4.5, lostTitle(e))
			c.line("toldline", x, y, x, y+height, lostTitle(e))
			what := "told lost"
			if !e.Heeded {
				what = "told lost, ignored"
			}
			if !slices.ContainsFunc(notes, func(n note) bool { return n.text == what && n.x-x < 2 && x-n.x < 2 }) {
				notes = append(notes, note{x, what})
			}
		}
	}
	z.deadline(c, client, y, height)
	if t, ok := z.index.crashed[client]; ok && z.scale.shows(t, t) {
		c.cross("crash", z.scale.x(t), y+height/2, 5, client+" crashed at "+at(t))
	}
	for _, n := range notes {
		if width := textWidth(n.text); n.x+7+width < canvasWidth && taken.take(n.x+0.1, n.x+8+width) {
			c.text("small halo", n.x+6, y+12.5, n.text)
		}
	}
}

func (z *zoom) lane(client string) *lane {
	if z.object == nil {
		return nil
	}
	return z.object.byClient[client]
}

// operations draws the operations of the witness that are neither wait nor
// hold: a write, a proclaim, a question for the leader.
func (z *zoom) operations(c *canvas, client string, y float64, taken *slots) {
	drawn := 0
	for _, id := range z.view.Witness {
		op := z.history.Operation(id)
		if op == nil || op.Client != client || op.Kind.Acquires() || drawn >= maxZoomBars {
			continue
		}
		drawn++
		end := op.Return
		if !op.Completed() {
			end = z.history.End
		}
		if !z.scale.shows(op.Call, end) {
			continue
		}
		x1, x2 := z.scale.x(op.Call), max(z.scale.x(end), z.scale.x(op.Call)+2)
		title := fmt.Sprintf("%s %s %d, %.3f–%.3f s", client, op.Kind, op.ID, op.Call.Seconds(), end.Seconds())
		c.rect("operation", x1, y+4, x2-x1, 9, title)
		label := callLabel(op)
		if op.Kind.Releases() {
			*taken = append(*taken, [2]float64{x1, x2})
			continue
		}
		if width := textWidth(label); x2+4+width < canvasWidth && taken.take(x2+0.1, x2+6+width) {
			c.text("small halo", x2+4, y+12.5, label)
		}
	}
}

// callLabel says what was asked and answered: "enqueue v7", "get: v3".
func callLabel(op *history.Operation) string {
	label := string(op.Kind)
	if op.Value == "" {
		return label
	}
	switch op.Kind {
	case history.Dequeue, history.Get, history.Read, history.FencedRead, history.Leader, history.Audit:
		label += ": "
	default:
		label += " "
	}
	return label + shorten(oneLine(op.Value), 24)
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
		z.renewals = true
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

// store draws the lives of the client's keys: thin while a key only exists,
// thick while it owns the object.
func (z *zoom) store(c *canvas, client string, y float64) {
	const height = 13.0
	var taken slots
	prefix := ""
	if z.object != nil {
		prefix = z.history.Header.ObjectPrefix(z.object.subject, z.object.name) + "/"
	}
	c.line("laneline", gutter, y+height/2, rightMargin, y+height/2, "")
	type note struct {
		x    float64
		text string
	}
	var notes []note
	drawn := 0
	for _, t := range z.present {
		if z.owner(t) != client || drawn >= maxZoomBars {
			continue
		}
		drawn++
		x1, x2 := z.scale.x(t.created), max(z.scale.x(t.deleted), z.scale.x(t.created)+1)
		taken = append(taken, [2]float64{x1, x2})
		c.rect("key", x1, y+height/2-1.5, x2-x1, 3, t.title(prefix))
		if t.owns != history.Never && t.owns <= z.scale.to {
			own := z.scale.x(t.owns)
			c.rect("owns", own, y, max(x2-own, 1), height, t.title(prefix))
			revision := fmt.Sprintf("owns, rev %d", t.life.Create)
			c.text("small", own+6, y+10, fitting(x2-own-8, revision, "owns"))
		}
		if t.open || t.deleted > z.scale.to {
			continue
		}
		text := fmt.Sprintf("key deleted, rev %d", t.life.Delete)
		if t.life.ByLease {
			text = fmt.Sprintf("lease ended, rev %d", t.life.Delete)
			c.cross("leaseend", x2, y+height/2, 5, t.title(prefix))
		} else {
			c.line("holdend", x2, y-1, x2, y+height+1, t.title(prefix))
		}
		notes = append(notes, note{x2, text})
	}
	for _, n := range notes {
		if width := textWidth(n.text); n.x+9+width < canvasWidth && taken.take(n.x+0.1, n.x+10+width) {
			c.text("small halo", n.x+8, y+10, n.text)
		}
	}
}
