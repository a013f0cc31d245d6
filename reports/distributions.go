package reports

import (
	"fmt"
	"html/template"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// distribution is how long something took, each time that it happened.
type distribution struct {
	Title, Means               string
	Count                      int
	Unmeasured                 int // times of which no length is known
	Why                        string
	Median, Ninetieth, Longest string
	SVG                        template.HTML
	samples                    []time.Duration
}

// distributions are those of which there is at least one sample or failure to
// take one.
func distributions(h *history.History, x *index) []*distribution {
	var out []*distribution
	for _, d := range []*distribution{failovers(h), notices(h, x), deaths(h, x)} {
		if len(d.samples)+d.Unmeasured == 0 {
			continue
		}
		d.Count = len(d.samples)
		slices.Sort(d.samples)
		if d.Count > 0 {
			d.Median, d.Ninetieth, d.Longest = lasting(quantile(d.samples, 50)), lasting(quantile(d.samples, 90)), lasting(quantile(d.samples, 100))
			d.SVG = d.draw()
		}
		out = append(out, d)
	}
	return out
}

// failovers are from when a leader stopped leading, by its own account, or from
// the beginning of the fault that hit it, until another leads.
func failovers(h *history.History) *distribution {
	d := &distribution{
		Title: "Failover", Means: "from the fault on a leader, or its own word that it no longer leads, until another member leads",
		Why: "the leader before said nothing, and no fault had hit it",
	}
	leader, since := "", time.Duration(0)
	stopped := time.Duration(-1)
	for i := range h.Events {
		e := &h.Events[i]
		switch {
		case e.Kind != history.Leads:
		case e.Detail != "leader":
			if e.Client == leader && stopped < 0 {
				stopped = e.Time
			}
		case e.Client == leader && stopped < 0:
		default:
			if leader != "" && e.Client != leader {
				if from := harmed(h, leader, since, e.Time); from >= 0 && (stopped < 0 || from < stopped) {
					stopped = from
				}
				if stopped >= 0 {
					d.samples = append(d.samples, e.Time-stopped)
				} else {
					d.Unmeasured++
				}
			}
			leader, since, stopped = e.Client, e.Time, -1
		}
	}
	return d
}

// harmed is when the last verified fault on a member began that was under way at
// until and began after since; -1 if there is none.
func harmed(h *history.History, member string, since, until time.Duration) time.Duration {
	found := time.Duration(-1)
	for i := range h.Faults {
		f := &h.Faults[i]
		from, to := faultSpan(h, f)
		if f.Verified && since <= from && from <= until && until <= to && slices.Contains(parties(f.Target), member) {
			found = max(found, from)
		}
	}
	return found
}

// parties are the names in a fault's target.
func parties(target string) []string {
	return strings.FieldsFunc(target, func(c rune) bool { return strings.ContainsRune(" ,|→>+/", c) })
}

// notices are from the end of a lease, by the latest time that the log allows,
// until the client that held something on it was told.
func notices(h *history.History, x *index) *distribution {
	d := &distribution{
		Title: "Notice", Means: "from the end of a lease on which a client held something until that client was told",
		Why: "the hold was over before anybody told the client",
	}
	if h.Revisions == nil {
		return d
	}
	for _, o := range x.objects {
		for _, l := range o.lanes {
			for i := range l.holds {
				hold := l.holds[i].hold
				end, ok := h.Revisions.LeaseEnd(hold.Lease)
				if !ok {
					continue
				}
				ended := when(h, end.Revision)
				if ended < hold.Start || ended > hold.End {
					continue
				}
				told := slices.IndexFunc(x.lost[l.client], func(e *history.Event) bool {
					return e.Lease == hold.Lease && e.Time >= ended && e.Time <= hold.End
				})
				if told < 0 {
					d.Unmeasured++
					continue
				}
				d.samples = append(d.samples, x.lost[l.client][told].Time-ended)
			}
		}
	}
	return d
}

// deaths are from the death of a client that alone held something until the next
// one had it that had been waiting.
func deaths(h *history.History, x *index) *distribution {
	d := &distribution{
		Title: "Holder death", Means: "from the death of a client that alone held something until one that waited for it had it",
		Why: "nobody who waited got it afterwards",
	}
	for _, o := range x.objects {
		if info, ok := h.Header.Subject(o.subject); ok && info.Primitive == history.Semaphore {
			continue
		}
		var holds []*history.Hold
		for _, l := range o.lanes {
			for i := range l.holds {
				holds = append(holds, l.holds[i].hold)
			}
		}
		slices.SortStableFunc(holds, func(a, b *history.Hold) int { return int(a.Start - b.Start) })
		others := time.Duration(-1) // the last end of those that began before
		for i, dead := range holds {
			before := others
			others = max(others, dead.End)
			if dead.Ended != history.EndCrashed || before > dead.End {
				continue
			}
			if freed, waited, ok := takenOver(h, o, holds, i); !waited {
				continue
			} else if ok {
				d.samples = append(d.samples, freed)
			} else {
				d.Unmeasured++
			}
		}
	}
	return d
}

// takenOver is how long after the death of the holder of holds[i] one that
// waited then had the object; waited is false if none did, or if somebody else had
// come to hold it, too.
func takenOver(h *history.History, o *object, holds []*history.Hold, i int) (after time.Duration, waited, ok bool) {
	death := holds[i].End
	later := holds[i+1:]
	for len(later) > 0 && later[0].Start <= death {
		if later[0].End > death {
			return 0, false, false
		}
		later = later[1:]
	}
	for _, l := range o.lanes {
		waited = waited || l.client != holds[i].Client && l.waitsAt(death)
	}
	if !waited {
		return 0, false, false
	}
	for _, next := range later {
		if op := h.Operation(next.Acquire); op != nil && op.Call < death {
			return next.Start - death, true, true
		}
	}
	return 0, true, false
}

// waitsAt is true if the client waits at t. It makes one call after the other.
func (l *lane) waitsAt(t time.Duration) bool {
	next := sort.Search(len(l.waits), func(i int) bool { return l.waits[i].from >= t })
	return next > 0 && l.waits[next-1].to > t
}

const (
	dotsWidth  = 380.0
	dotsHeight = 92.0
	maxDots    = 400
)

// draw shows each sample as a stroke, and above how many of them took no longer.
func (d *distribution) draw() template.HTML {
	var c canvas
	s := scale{0, max(d.samples[len(d.samples)-1], time.Millisecond)}
	left, right, top, bottom := 8.0, dotsWidth-8, 8.0, 58.0
	x := func(t time.Duration) float64 {
		return left + float64(t)/float64(s.to)*(right-left)
	}
	c.line("laneline", left, bottom, right, bottom, "")
	step := s.step() * 2
	for t := time.Duration(0); t <= s.to; t += step {
		label := lasting(t)
		if t == 0 {
			label = "0"
		}
		c.line("grid", x(t), top, x(t), bottom+16, "")
		class, place := "tick mid", x(t)
		if place+textWidth(label)/2 > dotsWidth {
			class, place = "tick end", dotsWidth
		}
		c.text(class, place, dotsHeight-4, label)
	}
	var steps strings.Builder
	fmt.Fprintf(&steps, "M%s %s", coordinate(left), coordinate(bottom))
	for i, t := range d.samples {
		if i%max(len(d.samples)/maxDots, 1) != 0 && i != len(d.samples)-1 {
			continue
		}
		fmt.Fprintf(&steps, "H%sV%s", coordinate(x(t)), coordinate(bottom-(bottom-top)*float64(i+1)/float64(len(d.samples))))
		c.line("sample", x(t), bottom+3, x(t), bottom+15, lasting(t))
	}
	c.path("median", steps.String(), "")
	return template.HTML(fmt.Sprintf(`<svg class="dots" role="img" width="460" `+typeface+` viewBox="0 0 %d %d" aria-label="%s">%s</svg>`,
		int(dotsWidth), int(dotsHeight), escape(fmt.Sprintf("%s: %d samples, median %s, longest %s", d.Title, d.Count, d.Median, d.Longest)), c.content()))
}
