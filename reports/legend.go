package reports

import (
	"fmt"
	"html/template"
	"strings"
)

// sign is an entry of a legend: how shapes of a class look, and what they mean.
type sign struct{ class, means string }

// The signs of the pictures of the whole run.
var (
	overviewSigns = []sign{
		{"leader", "leads"}, {"follower", "follows"}, {"down", "down"}, {"memberend", "ended, and holdfast had not ended it"}, {"fault", "fault, verified"}, {"doubtful", "fault without evidence"},
	}
	stillSigns = []sign{
		{"wait", "waits"}, {"hold", "believes it holds (thin: several in one bar, the paler the less of the time)"}, {"witness", "hold in a witness"},
		{"told", "told it lost"}, {"crash", "crashed"}, {"band", "fault, numbered as in the list"}, {"phase", "a phase of the run begins"},
	}
)

// legend explains those signs that a picture has, of whose shapes drawn has the
// classes.
func legend(drawn map[string]bool, signs []sign) template.HTML {
	var b strings.Builder
	for _, s := range signs {
		if drawn[s.class] {
			fmt.Fprintf(&b, `<span class="key">%s %s</span> `, swatch(s.class), escape(s.means))
		}
	}
	return template.HTML(strings.TrimSuffix(b.String(), " "))
}

// The size of a sign in a legend.
const (
	swatchWidth  = 22.0
	swatchHeight = 12.0
)

// swatch is a small picture of a shape of a class.
func swatch(class string) template.HTML {
	var c canvas
	width, middle := swatchWidth, swatchHeight/2
	switch class {
	case "wait":
		c.hatch(0, 1.5, width, 9, "")
	case "crash", "leaseend", "memberend":
		width = swatchHeight
		c.cross(class, middle, middle, 4, "")
	case "told":
		width = swatchHeight
		c.arrow(class, middle, 10, 4.5, "")
	case "deadline":
		width = 10
		c.path(class, "M5 1v10m-4 0h8m-8 -10h8", "")
	case "due", "phase":
		width = 6
		c.line(class, 3, 0, 3, swatchHeight, "")
	case "key", "follower":
		c.rect(class, 0, middle-1.5, width, 3, "")
	case "band":
		c.rect(class, 0, 0, width, swatchHeight, "")
	default:
		c.rect(class, 1, 1.5, width-2, 9, "")
	}
	return template.HTML(fmt.Sprintf(`<svg class="swatch" aria-hidden="true" width="%s" height="%s">%s</svg>`, coordinate(width), coordinate(swatchHeight), c.content()))
}
