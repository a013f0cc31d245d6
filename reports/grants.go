package reports

import (
	"slices"
	"strconv"

	"github.com/etcd-holdfast/holdfast/history"
)

// maxGrants bounds the tables of grants together.
const maxGrants = 2000

// granted is everything that one object was granted, in order.
type granted struct {
	Title string
	Count int
	Late  int // of which the token is lower than that of one before
	Lines []grantLine
	Left  int
}

// grantLine is one grant. Low is true if its token is lower than that of one
// before: it was told later than one that came to own after it.
type grantLine struct {
	At, Client, Mode, Token, Waited, Held, Ended string
	Low                                          bool
}

// grants are by object, each in the order in which clients were told.
func grants(h *history.History, x *index) []*granted {
	var out []*granted
	listed := 0
	for _, o := range x.objects {
		var holds []*history.Hold
		for _, l := range o.lanes {
			for i := range l.holds {
				holds = append(holds, l.holds[i].hold)
			}
		}
		if len(holds) == 0 {
			continue
		}
		slices.SortStableFunc(holds, func(a, b *history.Hold) int { return int(a.Start - b.Start) })
		g := &granted{Title: objectTitle(o.subject, o.name), Count: len(holds)}
		highest := int64(0)
		for _, hold := range holds {
			low := hold.Token != 0 && hold.Token < highest
			highest = max(highest, hold.Token)
			if low {
				g.Late++
			}
			if listed >= maxGrants {
				g.Left++
				continue
			}
			listed++
			g.Lines = append(g.Lines, newGrantLine(h, hold, low))
		}
		out = append(out, g)
	}
	return out
}

func newGrantLine(h *history.History, hold *history.Hold, low bool) grantLine {
	line := grantLine{
		At: at(hold.Start), Client: hold.Client, Mode: string(hold.Mode), Token: "–", Waited: "–",
		Held: lasting(hold.End - hold.Start), Ended: ended(hold.Ended), Low: low,
	}
	if hold.Token != 0 {
		line.Token = strconv.FormatInt(hold.Token, 10)
	}
	if op := h.Operation(hold.Acquire); op != nil {
		line.Waited = lasting(op.Return - op.Call)
	}
	return line
}
