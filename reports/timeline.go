package reports

import (
	"fmt"
	"html/template"
	"maps"
	"slices"

	"github.com/etcd-holdfast/holdfast/history"
)

const (
	maxObjects = 60 // pictures of the whole run
	maxLanes   = 64 // clients in one of them; the others share a lane
)

// picture is one svg with its title.
type picture struct {
	Title  string
	Note   string
	Open   bool
	SVG    template.HTML
	Legend template.HTML
}

// timeline draws the whole run.
type timeline struct {
	history *history.History
	index   *index
	scale   scale
	witness map[int64]bool
	drawn   map[string]bool // the classes of shapes in the objects' pictures
}

func newTimeline(h *history.History, x *index, result []*group) *timeline {
	t := &timeline{history: h, index: x, scale: scale{0, max(h.End, 1)}, witness: map[int64]bool{}, drawn: map[string]bool{}}
	for _, g := range result {
		for _, v := range g.Violations[:min(len(g.Violations), 200)] {
			for _, id := range v.Witness {
				if len(t.witness) < 2000 {
					t.witness[id] = true
				}
			}
		}
	}
	return t
}

// overview is the run's phases, its faults, and who led the cluster.
func (t *timeline) overview() picture {
	var c, over canvas
	y := 30.0
	over.text("lanename end", gutter-10, y+9.5, "faults")
	height := faultBars(&over, t.history, t.scale, y, 16, everyFault)
	if height == 0 {
		over.text("small", gutter, y+9.5, "none was injected")
		height = faultRow
	}
	y += height + 10
	y = memberLanes(&over, t.history, t.scale, y, true)
	t.scale.axis(&c, 12, y)
	phases(&c, t.history, t.scale, 26, y, true)
	faultBands(&c, t.history, t.scale, 30+height, y, false, everyFault)
	c.add(&over)
	return picture{SVG: c.finish(y+4, "faults and leaders of the whole run"), Legend: legend(c.used, overviewSigns)}
}

// pictures are one per object, those with violations first within the limit, and
// the legend of them all.
func (t *timeline) pictures(all []*group) (out []picture, signs template.HTML, left int) {
	violated := map[objectKey]bool{}
	for _, g := range all {
		for _, v := range g.Violations {
			violated[objectKey{g.Subject, v.Object}] = true
		}
	}
	chosen := make([]*object, 0, min(len(t.index.objects), maxObjects))
	for _, want := range []bool{true, false} {
		for _, o := range t.index.objects {
			if len(chosen) < maxObjects && violated[objectKey{o.subject, o.name}] == want {
				chosen = append(chosen, o)
			}
		}
	}
	left = len(t.index.objects) - len(chosen)
	lanes := make([][]*lane, len(chosen))
	total := 0
	for i, o := range chosen {
		lanes[i] = t.lanes(o)
		total += len(lanes[i])
	}
	open := func(i int) bool {
		return i == 0 || total <= 60 || violated[objectKey{chosen[i].subject, chosen[i].name}]
	}
	spans := map[bool][][]span{}
	for i := range chosen {
		for _, l := range lanes[i] {
			spans[open(i)] = append(spans[open(i)], l.waits, l.holds)
		}
	}
	gaps := map[bool]float64{true: chooseGap(spans[true], t.scale, openBudget), false: chooseGap(spans[false], t.scale, foldedBudget)}
	for i, o := range chosen {
		out = append(out, picture{
			Title: objectTitle(o.subject, o.name), Note: plural(len(o.lanes), "client"), Open: open(i), SVG: t.draw(o, lanes[i], gaps[open(i)]),
		})
	}
	return out, legend(t.drawn, stillSigns), left
}

func objectTitle(subject, name string) string {
	if name == "" {
		return subject
	}
	return subject + " · " + name
}

// lanes are the object's, of which the last stands for all that do not fit.
func (t *timeline) lanes(o *object) []*lane {
	if len(o.lanes) <= maxLanes {
		return o.lanes
	}
	rest := &lane{client: fmt.Sprintf("%d others", len(o.lanes)-maxLanes+1)}
	for _, l := range o.lanes[maxLanes-1:] {
		rest.waits = append(rest.waits, l.waits...)
		rest.holds = append(rest.holds, l.holds...)
	}
	earlier := func(a, b span) int { return int(a.from - b.from) }
	slices.SortStableFunc(rest.waits, earlier)
	slices.SortStableFunc(rest.holds, earlier)
	return append(slices.Clone(o.lanes[:maxLanes-1]), rest)
}

// draw is the picture of one object: a lane per client.
func (t *timeline) draw(o *object, lanes []*lane, gap float64) template.HTML {
	var c canvas
	pitch, bar := 15.0, 10.0
	if len(lanes) > 12 {
		pitch, bar = 12, 8
	}
	top := 30.0
	bottom := top + pitch*float64(len(lanes)) + 2
	t.scale.axis(&c, 11, bottom)
	faultBands(&c, t.history, t.scale, top-2, bottom, true, everyFault)
	phases(&c, t.history, t.scale, top-6, bottom, false)
	for i, l := range lanes {
		y := top + pitch*float64(i) + 1
		c.text("lanename end", gutter-10, y+bar-0.5, shorten(oneLine(l.client), 20))
		c.line("laneline", gutter, y+bar/2, rightMargin, y+bar/2, "")
		t.bars(&c, l, y, bar, gap)
		if crash, ok := t.index.crashed[l.client]; ok {
			c.cross("crash", t.scale.x(crash), y+bar/2, 3.5, l.client+" crashed at "+at(crash))
		}
		if lost := t.index.lost[l.client]; len(lost) <= 50 {
			for _, e := range lost {
				c.arrow("told", t.scale.x(e.Time), y+bar/2, 3, lostTitle(e))
			}
		}
	}
	maps.Copy(t.drawn, c.used)
	return c.finish(bottom+4, "waits and holds of "+objectTitle(o.subject, o.name))
}

func (t *timeline) bars(c *canvas, l *lane, y, height, gap float64) {
	nothing := func(*span) bool { return false }
	waits := bars(l.waits, t.scale, laneGap(len(l.waits), gap), nothing)
	for i := range waits {
		b := &waits[i]
		c.hatch(b.from, y+height*0.2, b.to-b.from, height*0.6, b.title(waitTitle, "waits"))
	}
	emphasised := func(s *span) bool { return t.witness[s.hold.Acquire] }
	holds := bars(l.holds, t.scale, laneGap(len(l.holds), gap), emphasised)
	for i := range holds {
		b := &holds[i]
		top, high := y, height
		if b.count > 1 { // so that it is not taken for one long hold
			top, high = y+height*0.15, height*0.7
		}
		c.shade("hold", b.from, top, b.to-b.from, high, b.opacity(), b.title(holdTitle, "holds"))
	}
	for i := range l.holds {
		if s := &l.holds[i]; emphasised(s) {
			x1, x2 := t.scale.x(s.from), t.scale.x(s.to)
			c.rect("witness", x1, y-1, max(x2-x1, 2), height+2, "Witness of a violation: "+holdTitle(s))
		}
	}
}

func waitTitle(s *span) string {
	op := s.operation
	end := string(op.Outcome)
	if !op.Completed() {
		end = "never returned"
	}
	return fmt.Sprintf("%s waits %.3f–%.3f s: %s, %s %d", op.Client, s.from.Seconds(), s.to.Seconds(), end, op.Kind, op.ID)
}

func holdTitle(s *span) string {
	h := s.hold
	title := fmt.Sprintf("%s holds %.3f–%.3f s (%s), %s, %d", h.Client, s.from.Seconds(), s.to.Seconds(), lasting(s.to-s.from), ended(h.Ended), h.Acquire)
	if h.Mode != "" {
		title += ", " + string(h.Mode)
	}
	return title
}

// ended is the end of a hold in words.
func ended(e history.HoldEnd) string {
	switch e {
	case history.EndLost:
		return "told lost"
	case history.EndOfRecord:
		return "still held at the end"
	default:
		return string(e)
	}
}

func lostTitle(e *history.Event) string {
	what := "ignored it"
	if e.Heeded {
		what = "heeded it"
	}
	return fmt.Sprintf("%s was told at %s that its session on lease %x is over, and %s", e.Client, at(e.Time), e.Lease, what)
}
