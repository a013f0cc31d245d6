package reports

import (
	"fmt"
	"slices"

	"github.com/etcd-holdfast/holdfast/history"
)

// maxMembers bounds the lanes of members.
const maxMembers = 25

// memberLanes draws a lane per member from y on, who led by its own account,
// and returns where they end. A single member that leads all the time is left out
// unless always is true.
func memberLanes(c *canvas, h *history.History, s scale, y float64, always bool) float64 {
	byMember := map[string][]*history.Event{}
	var names []string
	for i := range h.Events {
		e := &h.Events[i]
		if e.Kind != history.Leads {
			continue
		}
		if byMember[e.Client] == nil {
			names = append(names, e.Client)
		}
		byMember[e.Client] = append(byMember[e.Client], e)
	}
	slices.SortFunc(names, natural)
	if !always && len(names) == 1 && !slices.ContainsFunc(byMember[names[0]], func(e *history.Event) bool {
		return e.Detail != "leader" && s.shows(e.Time, e.Time)
	}) {
		return y
	}
	for _, name := range names[:min(len(names), maxMembers)] {
		c.text("lanename end", gutter-8, y+9.5, "member "+shorten(oneLine(name), 14))
		c.line("laneline", gutter, y+6, rightMargin, y+6, "")
		drawn := 0
		events := byMember[name]
		for i, e := range events {
			end := h.End
			if i+1 < len(events) {
				end = events[i+1].Time
			}
			if !s.shows(e.Time, end) || drawn >= crowded {
				continue
			}
			drawn++
			x1, x2 := s.x(e.Time), s.x(end)
			title := fmt.Sprintf("%s: %s from %s to %s", name, e.Detail, at(e.Time), at(end))
			switch e.Detail {
			case "leader":
				c.rect("leader", x1, y, x2-x1, 12, title)
				if x2-x1 > 44 {
					c.text("inbar", x1+5, y+9.5, "leads")
				}
			case "down":
				c.rect("down", x1, y+2, x2-x1, 8, title)
				if x2-x1 > 44 {
					c.text("small halo", x1+5, y+9.5, "down")
				}
			default:
				c.rect("follower", x1, y+5, x2-x1, 2, title)
			}
		}
		y += 17
	}
	return y
}
