package reports

import (
	"fmt"
	"slices"

	"github.com/etcd-holdfast/holdfast/history"
)

// memberLanes draws a lane per member from y on, who led by its own account and
// where one died that nobody had killed, and returns where they end. A single member
// that leads all the time is left out unless always is true.
func memberLanes(c *canvas, h *history.History, s scale, y float64, always bool) float64 {
	all := memberRecords(h)
	if !always && len(all) == 1 && !slices.ContainsFunc(all[0].states, func(m memberState) bool { return m.state != "leader" && s.shows(m.from, m.to) && m.to > s.from }) {
		return y
	}
	for _, m := range all {
		c.text("lanename end", gutter-8, y+9.5, "member "+shorten(oneLine(m.name), 14))
		c.line("laneline", gutter, y+6, rightMargin, y+6, "")
		drawn := 0
		for _, state := range m.states {
			if !s.shows(state.from, state.to) || drawn >= crowded {
				continue
			}
			drawn++
			x1, x2 := s.x(state.from), s.x(state.to)
			title := fmt.Sprintf("%s: %s from %s to %s", m.name, state.state, at(state.from), at(state.to))
			switch state.state {
			case "leader":
				c.rect("leader", x1, y, x2-x1, 12, title)
				if x2-x1 > 44 {
					c.text("inbar", x1+5, y+9.5, "leads")
				}
			case down:
				c.rect("down", x1, y+2, x2-x1, 8, title)
				if x2-x1 > 44 {
					c.text("small halo", x1+9, y+9.5, "down")
				}
			default:
				c.rect("follower", x1, y+5, x2-x1, 2, title)
			}
		}
		for _, e := range m.ends[:min(len(m.ends), crowded)] {
			if s.shows(e.Time, e.Time) {
				c.cross("memberend", s.x(e.Time), y+6, 4, endTitle(e))
			}
		}
		y += 17
	}
	return y
}
