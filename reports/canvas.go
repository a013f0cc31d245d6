package reports

import (
	"encoding/xml"
	"html/template"
	"maps"
	"strconv"
	"strings"
)

// canvas writes one svg element. It appends to a slice, since a timeline has
// many thousand bars. Shapes of the same class that follow one another are in one
// group, which has the class, from which the page's style sheet gives them their
// colours, and the same as attributes for where there is no style sheet.
type canvas struct {
	b     []byte
	group string          // the class of the group that is open, or ""
	used  map[string]bool // the classes of what was drawn
}

// in opens a group of shapes of a class, unless it is open.
func (c *canvas) in(class string) {
	if class == c.group {
		return
	}
	c.leave()
	c.group = class
	c.raw(`<g class="` + class + `"` + presentationOf(class) + ">")
	if c.used == nil {
		c.used = map[string]bool{}
	}
	for one := range strings.FieldsSeq(class) {
		c.used[one] = true
	}
}

// leave closes the group that is open.
func (c *canvas) leave() {
	if c.group != "" {
		c.raw("</g>")
		c.group = ""
	}
}

// add draws what other has drawn on top.
func (c *canvas) add(other *canvas) {
	c.leave()
	other.leave()
	c.b = append(c.b, other.b...)
	if c.used == nil {
		c.used = map[string]bool{}
	}
	maps.Copy(c.used, other.used)
}

// content is what was drawn, to be put into an svg element.
func (c *canvas) content() []byte {
	c.leave()
	return c.b
}

// width of every svg element, in its own units; the page scales it to fit.
const canvasWidth = 1200

// finish returns the element, height units high.
func (c *canvas) finish(height float64, label string) template.HTML {
	var b strings.Builder
	b.Grow(len(c.b) + 200)
	b.WriteString(`<svg role="img" ` + typeface + ` viewBox="0 0 ` + strconv.Itoa(canvasWidth) + " " + coordinate(height) + `" aria-label="` + escape(label) + `">`)
	b.Write(c.content())
	b.WriteString("</svg>")
	return template.HTML(b.String())
}

// escape makes s harmless as text and as an attribute's value.
func escape(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return hidden(r) || strings.ContainsRune("<>&'\"\n\t", r) }) < 0 {
		return s
	}
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(oneLine(s))) // a Builder does not fail
	return b.String()
}

func coordinate(v float64) string { return string(appendCoordinate(nil, v)) }

// appendCoordinate rounds to a tenth.
func appendCoordinate(b []byte, v float64) []byte {
	tenths := int64(v*10 + 0.5)
	if v < 0 {
		tenths = int64(v*10 - 0.5)
	}
	if tenths < 0 {
		b, tenths = append(b, '-'), -tenths
	}
	b = strconv.AppendInt(b, tenths/10, 10)
	if rest := tenths % 10; rest != 0 {
		b = append(b, '.', byte('0'+rest))
	}
	return b
}

func (c *canvas) raw(s string) { c.b = append(c.b, s...) }

func (c *canvas) attribute(name string, v float64) {
	c.b = append(c.b, ' ')
	c.b = append(c.b, name...)
	c.b = append(c.b, '=', '"')
	c.b = appendCoordinate(c.b, v)
	c.b = append(c.b, '"')
}

// close ends an element whose start tag is still open, with its tooltip.
func (c *canvas) close(element, title string) {
	if title == "" {
		c.raw("/>")
		return
	}
	c.raw("><title>")
	c.raw(escape(title))
	c.raw("</title></")
	c.raw(element)
	c.raw(">")
}

// rect draws a filled rectangle.
func (c *canvas) rect(class string, x, y, w, h float64, title string) {
	c.shade(class, x, y, w, h, 1, title)
}

// shade is rect with an opacity.
func (c *canvas) shade(class string, x, y, w, h, opacity float64, title string) {
	c.in(class)
	c.raw("<rect")
	c.attribute("x", x)
	c.attribute("y", y)
	c.attribute("width", max(w, 0.8))
	c.attribute("height", h)
	if opacity < 1 {
		c.attribute("opacity", max(opacity, 0.1))
	}
	c.close("rect", title)
}

// hatch draws a bar of upright strokes: a thick line with gaps.
func (c *canvas) hatch(x, y, w, h float64, title string) {
	c.in("wait")
	c.raw("<path")
	c.attribute("stroke-width", h)
	c.raw(` d="M`)
	c.b = appendCoordinate(c.b, x)
	c.b = append(c.b, ' ')
	c.b = appendCoordinate(c.b, y+h/2)
	c.b = append(c.b, 'h')
	c.b = appendCoordinate(c.b, max(w, 0.8))
	c.b = append(c.b, '"')
	c.close("path", title)
}

func (c *canvas) line(class string, x1, y1, x2, y2 float64, title string) {
	c.in(class)
	c.raw("<line")
	c.attribute("x1", x1)
	c.attribute("y1", y1)
	c.attribute("x2", x2)
	c.attribute("y2", y2)
	c.close("line", title)
}

// text writes s with its baseline at y. Class "end" is right-aligned at x,
// "mid" centred.
func (c *canvas) text(class string, x, y float64, s string) {
	c.in(class)
	c.raw("<text")
	c.attribute("x", x)
	c.attribute("y", y)
	c.raw(">")
	c.raw(escape(s))
	c.raw("</text>")
}

// path draws d, which must be harmless.
func (c *canvas) path(class, d, title string) {
	c.in(class)
	c.raw(`<path d="` + d + `"`)
	c.close("path", title)
}

// cross marks the spot (x, y).
func (c *canvas) cross(class string, x, y, size float64, title string) {
	d := "M" + coordinate(x-size) + " " + coordinate(y-size) + "L" + coordinate(x+size) + " " + coordinate(y+size) +
		"M" + coordinate(x-size) + " " + coordinate(y+size) + "L" + coordinate(x+size) + " " + coordinate(y-size)
	c.path(class, d, title)
}

// arrow is a small triangle that points down at (x, y).
func (c *canvas) arrow(class string, x, y, size float64, title string) {
	c.path(class, "M"+coordinate(x)+" "+coordinate(y)+"l"+coordinate(-size)+" "+coordinate(-1.5*size)+"h"+coordinate(2*size)+"z", title)
}
