package reports

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// The size of a picture that stands within a line of a table.
const (
	sparkWidth  = 200.0
	sparkHeight = 34.0
	maxSparks   = 120 // lines of the table that have pictures
)

// spark is the svg element around what c has drawn.
func spark(c *canvas, label string) template.HTML {
	return template.HTML(fmt.Sprintf(`<svg class="spark" role="img" width="176" viewBox="0 0 %d %d" aria-label="%s">%s</svg>`, int(sparkWidth), int(sparkHeight), escape(label), c.content()))
}

// sparkBands are the times of verified faults, as one path for all sparks.
func sparkBands(h *history.History) string {
	type band struct{ from, to int }
	var all []band
	end := float64(max(h.End, 1))
	for i := range h.Faults {
		if f := &h.Faults[i]; f.Verified {
			from, to := faultSpan(h, f)
			x := band{int(sparkWidth * float64(from) / end), int(math.Ceil(sparkWidth * float64(to) / end))}
			all = append(all, band{min(max(x.from, 0), sparkWidth), min(max(x.to, 0), sparkWidth)})
		}
	}
	slices.SortFunc(all, func(a, b band) int { return a.from - b.from })
	var d strings.Builder
	reach := 0
	for _, b := range all {
		if from := max(b.from, reach); b.to > from {
			fmt.Fprintf(&d, "M%d 0h%dv%dh%dz", from, b.to-from, int(sparkHeight), from-b.to)
			reach = b.to
		}
	}
	return d.String()
}

// rates draws calls a second: those that went well, and the others on top.
func (l *latency) rates(end time.Duration, bands string) template.HTML {
	most := 1
	for m := range moments {
		most = max(most, l.good[m]+l.other[m])
	}
	var c canvas
	if bands != "" {
		c.path("band", bands, "")
	}
	column := sparkWidth / moments
	var good, other strings.Builder
	for m := range moments {
		x := float64(m) * column
		high := (sparkHeight - 1) * float64(l.good[m]) / float64(most)
		if l.good[m] > 0 {
			fmt.Fprintf(&good, "M%s %sh%sV%dH%sz", coordinate(x), coordinate(sparkHeight-high), coordinate(column-.4), int(sparkHeight), coordinate(x))
		}
		if l.other[m] > 0 {
			more := (sparkHeight - 1) * float64(l.other[m]) / float64(most)
			fmt.Fprintf(&other, "M%s %sh%sv%sH%sz", coordinate(x), coordinate(sparkHeight-high-more), coordinate(column-.4), coordinate(more), coordinate(x))
		}
	}
	c.path("rate", good.String(), "")
	if other.Len() > 0 {
		c.path("rateother", other.String(), "")
	}
	peak := number(float64(most) / (max(end, 1).Seconds() / moments))
	label := fmt.Sprintf("%s of %s: at most %s a second", l.Kind, subjectName(l.Subject), peak)
	return spark(&c, label) + template.HTML(`<span class="small">peak `+peak+` /s</span>`)
}

// percentiles draws the median and the 99th percentile of the calls made in each
// moment, on a logarithmic scale that spans those of the whole run.
func (l *latency) percentiles(bands string) template.HTML {
	var median, last [moments]time.Duration
	low, high := time.Duration(math.MaxInt64), time.Duration(0)
	for m := range moments {
		some := l.in(m)
		median[m], last[m] = quantile(some, 50), quantile(some, 99)
		if len(some) > 0 {
			low, high = min(low, max(median[m], time.Microsecond)), max(high, last[m], time.Microsecond)
		}
	}
	if high == 0 {
		return ""
	}
	low = min(low, high/2)
	y := func(d time.Duration) float64 {
		share := math.Log(float64(max(d, low))/float64(low)) / math.Log(float64(high)/float64(max(low, 1)))
		return sparkHeight - 2 - (sparkHeight-4)*share
	}
	line := func(values [moments]time.Duration) string {
		var d strings.Builder
		column := sparkWidth / moments
		drawn := false
		for m, v := range values {
			x := float64(m) * column
			switch {
			case v < 0:
				drawn = false
				continue
			case drawn:
				fmt.Fprintf(&d, "V%sH%s", coordinate(y(v)), coordinate(x+column))
			default:
				fmt.Fprintf(&d, "M%s %sh%s", coordinate(x), coordinate(y(v)), coordinate(column))
			}
			drawn = true
		}
		return d.String()
	}
	var c canvas
	if bands != "" {
		c.path("band", bands, "")
	}
	c.path("median", line(median), "")
	c.path("last", line(last), "")
	span := lasting(low) + " to " + lasting(high)
	return spark(&c, fmt.Sprintf("latency of %s of %s: %s", l.Kind, subjectName(l.Subject), span)) + template.HTML(`<span class="small">`+span+`</span>`)
}
