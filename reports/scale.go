package reports

import (
	"strconv"
	"time"
	"unicode/utf8"
)

// gutter is the room for the lanes' names, at the left of every picture.
const (
	gutter      = 150.0
	rightMargin = canvasWidth - 14.0
)

// scale maps the times of a window to the x of a picture.
type scale struct{ from, to time.Duration }

// x of t, which is moved into the window.
func (s scale) x(t time.Duration) float64 {
	t = min(max(t, s.from), s.to)
	return gutter + float64(t-s.from)/float64(max(s.to-s.from, 1))*(rightMargin-gutter)
}

// shows is true if any of [from, to] is within the window.
func (s scale) shows(from, to time.Duration) bool { return from <= s.to && s.from <= to }

// step is the distance of the axis' ticks: the smallest of 1, 2, 5 times a
// power of ten that makes no more than twelve.
func (s scale) step() time.Duration {
	for unit := time.Microsecond; ; unit *= 10 {
		for _, k := range []time.Duration{1, 2, 5} {
			if (s.to-s.from)/(k*unit) <= 12 {
				return k * unit
			}
		}
	}
}

// axis draws ticks at y with grid lines through bottom.
func (s scale) axis(c *canvas, y, bottom float64) {
	step := s.step()
	digits := 0
	for unit := time.Second; unit > step && digits < 6; unit /= 10 {
		digits++
	}
	for t := (s.from + step - 1) / step * step; t <= s.to; t += step {
		x := s.x(t)
		c.line("grid", x, y+4, x, bottom, "")
		class, label := "tick mid", strconv.FormatFloat(t.Seconds(), 'f', digits, 64)+" s"
		if x+textWidth(label)/2 > canvasWidth {
			class, x = "tick end", canvasWidth-2
		}
		c.text(class, x, y, label)
	}
}

// textWidth estimates how wide s is in the pictures' type, rather too wide
// than too narrow.
func textWidth(s string) float64 { return 6.3 * float64(utf8.RuneCountInString(s)) }

// boldWidth is textWidth of what is bold.
func boldWidth(s string) float64 { return 1.08 * textWidth(s) }

// slots keeps labels of one line from overlapping.
type slots [][2]float64

// take reserves [from, to] unless something is there.
func (s *slots) take(from, to float64) bool {
	for _, used := range *s {
		if from < used[1] && used[0] < to {
			return false
		}
	}
	*s = append(*s, [2]float64{from, to})
	return true
}

// rows packs intervals into as few lines as a greedy choice needs.
type rows []slots

// place returns the first row in which [from, to] is free, of limit at most.
func (r *rows) place(from, to float64, limit int) (int, bool) {
	for i := range *r {
		if (*r)[i].take(from, to) {
			return i, true
		}
	}
	if len(*r) >= limit {
		return 0, false
	}
	*r = append(*r, slots{{from, to}})
	return len(*r) - 1, true
}
