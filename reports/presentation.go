package reports

import (
	"regexp"
	"slices"
	"strings"
)

// presented is a rule of the style sheet for shapes: what it says of those of any
// of its classes, as attributes.
type presented struct {
	classes    []string
	attributes [][2]string
}

// presentations are the style sheet's rules for shapes, "svg .class { … }", in
// their order. Pictures have them as presentation attributes besides, in the light
// palette: servers that store the artifacts of CI let pages have no styles (Jenkins:
// default-src 'none'; style-src 'self'), and a shape without any is black.
// Attributes come before every rule of a style sheet, so where styles are allowed
// they decide, also between light and dark.
//
// Source: SVG 2, "Presentation attributes",
// https://www.w3.org/TR/SVG2/styling.html#PresentationAttributes.
var presentations = presentation(styleSource)

// typeface is what the style sheet says of all pictures, as attributes.
var typeface = `font-family="sans-serif" font-size="11" fill="` + palette(styleSource)["fg"] + `"`

var (
	paletteEntry = regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]{6});`)
	shapeRule    = regexp.MustCompile(`(?m)^(svg \.[^{]+) \{ (.*) \}$`)
	variable     = regexp.MustCompile(`var\(--([a-z-]+)\)`)
)

// palette is the light one, which comes first.
func palette(sheet string) map[string]string {
	colours := map[string]string{}
	for _, m := range paletteEntry.FindAllStringSubmatch(sheet, -1) {
		if _, ok := colours[m[1]]; !ok {
			colours[m[1]] = m[2]
		}
	}
	return colours
}

func presentation(sheet string) []presented {
	colours := palette(sheet)
	var rules []presented
	for _, m := range shapeRule.FindAllStringSubmatch(sheet, -1) {
		var r presented
		for _, selector := range strings.Split(m[1], ", ") {
			r.classes = append(r.classes, strings.TrimPrefix(selector, "svg ."))
		}
		for _, declaration := range strings.Split(strings.TrimSuffix(m[2], ";"), "; ") {
			name, value, _ := strings.Cut(declaration, ": ")
			if name == "pointer-events" {
				continue // only a page with its styles is pointed at
			}
			value = variable.ReplaceAllStringFunc(value, func(v string) string { return colours[variable.FindStringSubmatch(v)[1]] })
			r.attributes = append(r.attributes, [2]string{name, strings.TrimSuffix(value, "px")})
		}
		rules = append(rules, r)
	}
	return rules
}

// presentationOf is the attributes of shapes of some classes, each with a space
// before it.
func presentationOf(class string) string {
	of := strings.Fields(class)
	var said [][2]string
	for i := range presentations {
		r := &presentations[i]
		if !slices.ContainsFunc(r.classes, func(c string) bool { return slices.Contains(of, c) }) {
			continue
		}
		for _, a := range r.attributes {
			if k := slices.IndexFunc(said, func(s [2]string) bool { return s[0] == a[0] }); k >= 0 {
				said[k] = a
			} else {
				said = append(said, a)
			}
		}
	}
	var b strings.Builder
	for _, a := range said {
		b.WriteString(" " + a[0] + `="` + a[1] + `"`)
	}
	return b.String()
}
