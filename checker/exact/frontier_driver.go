package exact

import (
	"context"
	"fmt"
	"strconv"

	"github.com/etcd-holdfast/holdfast/history"
)

// driver has the searches help each other.
type driver struct {
	ctx     context.Context
	calls   []history.Call
	limits  Limits
	beams   []beam
	prepare func(calls []history.Call, from start) *problem
	p       *problem
	steps   int64 // of all searches but the main one
	reached int   // the furthest event that a configuration came to
	marks   []checkpoint
	spacing int
}

// beam is a try: how many configurations it keeps, and how many events before
// the death of the one before it begins. window is how many events the window
// has that is tried before it.
type beam struct {
	width, back int
	eager       bool
	window      int
}

func standardBeams() []beam {
	return []beam{
		{width: 8},
		{width: 32, back: 128, eager: true},
		{width: 256, back: 256, eager: true},
		{width: 256, back: 1024, eager: true, window: 512},
		{width: 1024, back: 1024, eager: true},
		{width: 512, back: 4096, eager: true, window: 4096},
	}
}

// everything is the try that leaves nothing out.
var everything = beam{eager: true, back: 4096}

// checkpoint is a front to go back to.
type checkpoint struct {
	event    int
	front    []config
	complete bool
}

func (d *driver) judge() Result {
	d.p = d.prepare(d.calls, fromInitial)
	d.spacing = 64
	s := d.arm(newSearch(d.ctx, d.p), d.beams[0])
	level, calm, worst := 0, 0, -1
	tolerant, tolerated := -1, false
	for {
		if level > 0 && s.event >= calm {
			level = 0
			s.use(d.beams[0])
		}
		d.mark(s)
		switch s.next() {
		case goesOn:
			continue
		case survived:
			return Result{}
		case limited:
			d.reached = max(d.reached, s.event)
			if tolerant >= 0 {
				return d.violated(tolerant, false)
			}
			return Result{Unknown: d.stopped(s)}
		}
		d.reached = max(d.reached, s.event)
		if s.complete {
			return d.violated(s.event, true)
		}
		if s.event > worst {
			worst, level = s.event, 0
		}
		level++
		next := everything
		if level < len(d.beams) {
			next = d.beams[level]
			if next.window > 0 && d.window(worst, next.window, windowSteps) != nil {
				return d.violated(worst, true)
			}
		} else if !tolerated && d.p.effects != nil { // with memory, its states would be endless
			tolerated = true
			if tolerant = d.tolerate(s); tolerant >= 0 && tolerant <= worst {
				return d.violated(worst, true)
			}
		}
		d.resume(s, worst-next.back, next)
		calm = worst + max(min(next.back, 512), 1)
	}
}

// arm gives a search its limits and a beam.
func (d *driver) arm(s *search, b beam) *search {
	s.maxBytes = d.limits.Bytes
	if d.limits.Steps > 0 {
		s.maxSteps = max(1, d.limits.Steps-d.steps)
	}
	s.use(b)
	return s
}

func (s *search) use(b beam) { s.width, s.eager = b.width, b.eager }

// mark keeps the front now and then; as marks become many, more rarely.
func (d *driver) mark(s *search) {
	if n := len(d.marks); n > 0 && s.event < d.marks[n-1].event+d.spacing {
		return
	}
	d.marks = append(d.marks, checkpoint{event: s.event, front: append([]config(nil), s.front...), complete: s.complete})
	if len(d.marks) > 1024 {
		d.spacing *= 2
		for i := range d.marks[:len(d.marks)/2] {
			d.marks[i] = d.marks[2*i]
		}
		d.marks = d.marks[:len(d.marks)/2]
	}
	s.kept = 0
	for i := range d.marks {
		s.kept += int64(len(d.marks[i].front)) * 40
	}
}

// resume takes the search back to the last mark at or before an event, and, if
// everything is to be searched, to the last one from which that can be said.
func (d *driver) resume(s *search, event int, b beam) {
	n := len(d.marks)
	for n > 1 && (d.marks[n-1].event > event || b.width == 0 && !d.marks[n-1].complete) {
		n--
	}
	d.marks = d.marks[:n]
	m := d.marks[n-1]
	s.rewind(m.event)
	s.front, s.complete = append(s.front[:0], m.front...), m.complete
	s.use(b)
	if d.limits.Steps > 0 {
		s.maxSteps = max(1, d.limits.Steps-d.steps)
	}
}

// tolerate searches with unknown calls that can take effect any number of
// times. It returns the event at which none survived, or -1.
func (d *driver) tolerate(main *search) int {
	s := d.arm(newSearch(d.ctx, d.p), everything)
	if d.limits.Steps > 0 {
		s.maxSteps = max(1, d.limits.Steps-d.steps-main.steps)
	}
	s.inexhaustible = true
	defer func() { d.steps += s.steps }()
	for {
		switch s.next() {
		case died:
			return s.event
		case survived, limited:
			return -1
		}
	}
}

// stopped says why and where the search ended.
func (d *driver) stopped(s *search) string {
	made := 0
	for _, e := range d.p.events[:d.reached] {
		if e >= 0 {
			made++
		}
	}
	far := fmt.Sprintf("after %s of %s calls", thousands(int64(made)), thousands(int64(len(d.calls))))
	switch s.limit {
	case limitBytes:
		return "the search reached its limit of " + size(d.limits.Bytes) + " " + far
	case limitSteps:
		return "the search reached its limit of " + thousands(d.limits.Steps) + " steps " + far
	case limitLive:
		return fmt.Sprintf("more than %d calls ran at the same time %s: the search cannot tell more apart", len(s.slots), far)
	}
	return "the search reached its limit of time " + far
}

func thousands(n int64) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func size(bytes int64) string {
	units := []string{"bytes", "KiB", "MiB", "GiB"}
	n, u := float64(bytes), 0
	for n >= 1024 && u < len(units)-1 {
		n /= 1024
		u++
	}
	return strconv.FormatFloat(n, 'g', 3, 64) + " " + units[u]
}
