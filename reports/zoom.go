package reports

import (
	"fmt"
	"html/template"
	"slices"
	"time"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/history"
)

const (
	maxZoomLanes = 10
	maxZoomBars  = 40 // of one kind in one lane; the witness comes on top
)

// zoom draws the time around one violation: what the clients concerned
// believed or called and, below, what the store says.
type zoom struct {
	history *history.History
	index   *index
	object  *object              // nil for a subject that nobody holds
	subject history.SubjectInfo  // on which it shows; its zero value is none
	places  []int32              // in the history, of the calls on such a subject's objects
	calls   []*history.Operation // of which these are within the window
	objects []string             // of such a subject, on which it shows
	truth   []tenure             // none if the store's part is not known
	view    *checker.Violation
	overlap bool // the violation is that two beliefs overlap

	property string

	from, to time.Duration // the violation's, within the record
	scale    scale
	present  []*tenure // the truth within the window
	witness  map[int64]bool
	top      float64
}

// owned is true if the store's part is drawn below each client: its keys.
func (z *zoom) owned() bool { return len(z.truth) > 0 && ofClients(z.subject.Layout) }

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

// draw returns the picture, or "" if there is nothing to show, its legend, and how
// many more clients were there.
func (z *zoom) draw() (drawn, signs template.HTML, left int) {
	z.from = min(max(z.view.From, 0), z.history.End)
	z.to = min(max(z.view.To, z.from), z.history.End)
	z.scale = z.window()
	z.calls = near(z.history, z.places, z.scale.from, z.scale.to)
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
		return "", "", 0
	}
	var bars, c canvas
	concerned := func(f *history.Fault) bool { return z.concerns(f, clients) }
	faults := faultBars(&bars, z.history, z.scale, 20, 6, concerned)
	z.top = 20 + faults
	banded := z.banded()
	if banded {
		z.top += 18
	}
	y := z.top + 8
	for _, client := range clients {
		y = z.client(&bars, client, y)
	}
	y = z.values(&bars, y)
	lanes := y
	if bottom := memberLanes(&bars, z.history, z.scale, y, false); bottom > y {
		bars.line("divider", 0, y-5, canvasWidth, y-5, "")
		y = bottom
	}
	z.scale.axis(&c, 12, y)
	faultBands(&c, z.history, z.scale, 20+faults, y, false, concerned)
	phases(&c, z.history, z.scale, 20+faults, y, false)
	if banded {
		z.mark(&c, lanes)
	}
	c.add(&bars)
	return c.finish(y+4, "timeline around the violation"), legend(c.used, z.signs()), left
}

// signs are what a picture may have, in the words of its primitive.
func (z *zoom) signs() []sign {
	holds, owns := "believes it holds", "its key owns the object"
	if p := z.subject.Primitive; p == history.Election || p == history.Service {
		holds, owns = "believes it leads", "its key leads"
	}
	return []sign{
		{"wait", "waits"}, {"waitproof", "waits, witness"}, {"hold", holds}, {"witness", holds + ", witness"}, {"proof", "call, witness"}, {"operation", "other call"},
		{"told", "told it lost"}, {"crash", "crashed"}, {"due", "its context ended"}, {"deadline", "lease deadline, by the last renewal"},
		{"key", "in etcd: its key exists"}, {"owns", "in etcd: " + owns}, {"leaseend", "in etcd: lease ended"}, {"exists", "in etcd: " + standingMeans[z.subject.Layout]},
		{"leader", "member leads"}, {"follower", "member follows"}, {"down", "member is down"}, {"memberend", "member ended, and holdfast had not ended it"},
		{"fault", "fault, verified"}, {"doubtful", "fault without evidence"}, {"phase", "a phase of the run begins"},
	}
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

// banded is false where the time in which the violation shows is no more than that
// of calls which the picture marks anyway.
func (z *zoom) banded() bool {
	if z.overlap {
		return true
	}
	begins, ends := false, false
	for _, id := range z.view.Witness {
		op := z.history.Operation(id)
		if op == nil {
			continue
		}
		end := min(z.ended(op), z.history.End)
		if op.Call == z.from && end == z.to {
			return false
		}
		begins = begins || op.Call == z.from || end == z.from
		ends = ends || op.Call == z.to || end == z.to
	}
	return !begins || !ends || z.property == checker.Leftovers && z.from != z.to
}

// ended is when a call was over: it returned, its client died, or the record ends.
func (z *zoom) ended(op *history.Operation) time.Duration {
	if op.Completed() {
		return op.Return
	}
	if t, ok := z.index.crashed[op.Client]; ok {
		return max(t, op.Call)
	}
	return z.history.End
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
	case z.property == checker.Leftovers:
		label = "what was left is still there, " + lasting(z.to-z.from)
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
	for _, op := range z.calls {
		if !slices.Contains(chosen, op.Client) && !slices.Contains(others, op.Client) && z.scale.shows(op.Call, z.ended(op)) {
			others = append(others, op.Client)
		}
	}
	for _, t := range z.present {
		if !t.ofClient(z.subject.Layout) {
			continue
		}
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
	switch {
	case t.client != "":
		return t.client
	case t.life.Lease == 0:
		return "key without a lease"
	}
	return fmt.Sprintf("lease %x", t.life.Lease)
}

func (z *zoom) any(spans []span) bool {
	return slices.ContainsFunc(spans, func(s span) bool { return z.scale.shows(s.from, s.to) })
}
