package reports

import (
	"fmt"
	"slices"
	"strings"

	"github.com/etcd-holdfast/holdfast/history"
)

const (
	storeHeight = 13.0
	// maxValueRows is how many lines an object's keys and values take.
	maxValueRows = 6
)

// ofClients is true for layouts whose keys each belong to a client.
func ofClients(l history.Layout) bool { return owners(l) || l == history.MemberKeys }

// owners is true for layouts in which keys own their object.
func owners(l history.Layout) bool {
	return l == history.OldestKey || l == history.OldestKeys || l == history.ReadWriteKeys
}

// standingMeans says what it means that there is a key, or a value, of an object
// that nobody owns.
var standingMeans = map[history.Layout]string{
	history.ItemKeys: "the item is there", history.BarrierKeys: "the barrier is closed", history.MemberKeys: "its key exists",
	history.OneKey: "the value", history.AccountKeys: "the balance, and the transfer that made it",
}

// store draws the lives of the client's keys: thin while a key only exists,
// thick while it owns the object.
func (z *zoom) store(c *canvas, client string, y float64) {
	var taken slots
	var notes []note
	c.line("laneline", gutter, y+storeHeight/2, rightMargin, y+storeHeight/2, "")
	drawn := 0
	for _, t := range z.present {
		if !t.ofClient(z.subject.Layout) || z.owner(t) != client || drawn >= maxZoomBars {
			continue
		}
		drawn++
		x1, x2 := z.scale.x(t.created), max(z.scale.x(t.deleted), z.scale.x(t.created)+1)
		taken = append(taken, [2]float64{x1, x2})
		owns := x2
		if t.owns != history.Never && t.owns <= z.scale.to {
			owns = z.scale.x(t.owns)
		}
		switch {
		case !owners(z.subject.Layout):
			c.rect("exists", x1, y, x2-x1, storeHeight, t.title())
			if label := fitting(x2-x1-8, fmt.Sprintf("key, rev %d", t.life.Create), "key"); label != "" {
				c.text("small", x1+6, y+10, label)
			}
		default:
			if owns > x1+0.5 {
				c.rect("key", x1, y+storeHeight/2-1.5, owns-x1, 3, t.title())
			}
			if owns == x2 && t.owns > z.scale.to {
				break
			}
			c.rect("owns", owns, y, max(x2-owns, 1), storeHeight, t.title())
			if label := fitting(x2-owns-8, z.ownsLabels(t)...); label != "" {
				c.text("small", owns+6, y+10, label)
			}
		}
		if t.open || t.deleted > z.scale.to {
			continue
		}
		text := fmt.Sprintf("key deleted, rev %d", t.life.Delete)
		if t.life.ByLease {
			text = fmt.Sprintf("lease ended, rev %d", t.life.Delete)
			c.cross("leaseend", x2, y+storeHeight/2, 5, t.title())
		} else {
			c.line("holdend", x2, y-1, x2, y+storeHeight+1, t.title())
		}
		notes = append(notes, note{x2 + 2, x2 + 2, "small halo", text, false})
	}
	annotate(c, notes, taken, y-2.5)
}

// ownsLabels are what may stand in the bar of a key that owns its object, the
// longest first. A name with a slash is one of an object within this one's prefix.
func (z *zoom) ownsLabels(t *tenure) []string {
	labels := []string{fmt.Sprintf("owns, rev %d", t.life.Create), "owns"}
	if i := strings.LastIndexByte(t.name, '/'); i > 0 && z.subject.Layout != history.ReadWriteKeys {
		of := shorten(oneLine(t.object+"/"+t.name[:i]), 30)
		return append([]string{fmt.Sprintf("owns, rev %d: a key of %s", t.life.Create, of)}, labels...)
	}
	return labels
}

// ofClient is true for a key that belongs to a client.
func (t *tenure) ofClient(l history.Layout) bool {
	return owners(l) || l == history.MemberKeys && strings.HasPrefix(t.name, "waiters/")
}

// standing is a value of a key for as long as it stood.
type standing struct {
	tenure *tenure
	change *history.Change
	from   float64
	to     float64
	ends   bool // it was replaced, or deleted, within the window
	label  string
	marked bool // the witness names it
}

// standings are the values within the window of the keys of an object.
func (z *zoom) standings(object string) (all []standing) {
	for _, t := range z.present {
		if t.object != object || t.ofClient(z.subject.Layout) {
			continue
		}
		values := t.life.Values
		for k := range values {
			from, to := t.created, t.deleted
			if k > 0 {
				from = max(when(z.history, values[k].Revision), t.created)
			}
			if k+1 < len(values) {
				to = max(when(z.history, values[k+1].Revision), from)
			}
			if !z.scale.shows(from, to) {
				continue
			}
			s := standing{tenure: t, change: &values[k], from: z.scale.x(from), ends: to < z.scale.to && !(t.open && k+1 == len(values))}
			s.to = max(z.scale.x(to), s.from+2)
			value := shorten(oneLine(values[k].Value), 24)
			switch z.subject.Layout {
			case history.BarrierKeys:
				value = "closed"
			case history.MemberKeys:
				value = shorten(oneLine(t.name), 16)
			}
			s.label = fmt.Sprintf("%s, rev %d", value, values[k].Revision)
			s.marked = z.names(values[k].Value)
			all = append(all, s)
		}
	}
	return all
}

// names is true if an operation of the witness has the value, or a part of it.
func (z *zoom) names(value string) bool {
	parts := strings.Fields(value)
	for _, id := range z.view.Witness {
		op := z.history.Operation(id)
		if op == nil {
			continue
		}
		for _, part := range append([]string{op.Prior}, strings.Fields(op.Value)...) {
			if part != "" && slices.Contains(parts, part) {
				return true
			}
		}
	}
	return false
}

// values draws, where keys belong to objects and not to clients, what stood in the
// store: a row for each key that keeps changing, else as few as there is room in. It
// returns where that ends.
func (z *zoom) values(c *canvas, y float64) float64 {
	if !unheld(z.subject.Primitive) || z.history.Revisions == nil || z.subject.Layout == history.NoLayout {
		return y
	}
	objects := z.objects
	if z.subject.Layout == history.MemberKeys && !slices.ContainsFunc(z.present, func(t *tenure) bool { return !t.ofClient(z.subject.Layout) }) {
		return y
	}
	for _, object := range objects {
		all := z.standings(object)
		slices.SortStableFunc(all, func(a, b standing) int {
			if a.marked != b.marked {
				if a.marked {
					return -1
				}
				return 1
			}
			return 0
		})
		c.line("divider", 0, y-5, canvasWidth, y-5, "")
		c.text("who", 6, y+11, shorten(oneLine(object), 12))
		c.text("small end", gutter-8, y+11, "in etcd")
		if len(all) == 0 {
			c.line("laneline", gutter, y+storeHeight/2, rightMargin, y+storeHeight/2, "")
			c.text("small", gutter+6, y+10, "no key")
		}
		height := z.stand(c, all, y)
		y += max(height, 16) + 8
	}
	return y
}

// stand draws values from y on and returns how high they are together.
func (z *zoom) stand(c *canvas, all []standing, y float64) float64 {
	const pitch = 16.0
	var packed rows
	var keys []string
	var notes []note
	left := 0
	for i := range all {
		s := &all[i]
		label := fitting(s.to-s.from-8, s.label)
		row, ok := 0, true
		if z.subject.Layout == history.OneKey || z.subject.Layout == history.AccountKeys {
			row = slices.Index(keys, s.tenure.name)
			if row < 0 && len(keys) < maxValueRows {
				row, keys = len(keys), append(keys, s.tenure.name)
				if z.subject.Layout == history.AccountKeys {
					c.text("small end", gutter-52, y+float64(row)*pitch+10, shorten(oneLine(s.tenure.name), 8))
				}
			}
			ok = row >= 0
		} else {
			end := s.to
			if label == "" {
				end += 8 + textWidth(s.label)
			}
			row, ok = packed.place(s.from-2, end+2, maxValueRows)
		}
		if !ok {
			left++
			continue
		}
		top := y + float64(row)*pitch
		c.rect("exists", s.from, top, s.to-s.from, storeHeight, s.tenure.title())
		switch {
		case label != "":
			c.text("small", s.from+5, top+10, label)
		case keys == nil && s.to+6+textWidth(s.label) < canvasWidth:
			c.text("small halo", s.to+4, top+10, s.label)
		case len(keys) == 1 && s.marked:
			notes = append(notes, note{s.from, s.to, "small halo", s.label, true})
		}
		if s.ends {
			c.line("holdend", s.to, top-1, s.to, top+storeHeight+1, "")
		}
	}
	height := pitch * float64(max(len(packed), len(keys)))
	height += annotate(c, notes, slots{{0, canvasWidth}}, y-4)
	if left > 0 {
		c.text("small", gutter+6, y+height+9, fmt.Sprintf("and %d more", left))
		height += 13
	}
	return height
}
