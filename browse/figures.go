package browse

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// units are the endings of a figure's name that say its unit.
var units = []struct{ suffix, unit string }{{"_ms", "ms"}, {"_percent", "%"}, {"_s", "s"}}

// cutUnit is a figure's name in words, and its unit.
func cutUnit(name string) (words, unit string) {
	for _, u := range units {
		if base, ok := strings.CutSuffix(name, u.suffix); ok {
			name, unit = base, u.unit
			break
		}
	}
	return strings.ReplaceAll(name, "_", " "), unit
}

// number is short: what is left out says nothing that anybody would compare.
func number(value float64) string {
	size := math.Abs(value)
	digits := 3
	switch {
	case math.IsNaN(value) || math.IsInf(value, 0):
		return "?"
	case size >= 100:
		digits = 0
	case size >= 10:
		digits = 1
	case size >= 1:
		digits = 2
	}
	scale := math.Pow(10, float64(digits))
	return strconv.FormatFloat(math.Round(value*scale)/scale, 'f', -1, 64)
}

// amount is a number with its unit.
func amount(value float64, unit string) string {
	if unit == "" {
		return number(value)
	}
	return number(value) + " " + unit
}

// change is how much there is more or less, with its sign, and in percent where
// that says anything.
func change(from, to float64, unit string) string {
	difference := to - from
	text := amount(difference, unit)
	if difference > 0 {
		text = "+" + text
	}
	if from != 0 && difference != 0 && unit != "%" {
		percent := 100 * difference / math.Abs(from)
		if size := math.Abs(percent); size >= 0.5 && size < 1000 {
			sign := ""
			if percent > 0 {
				sign = "+"
			}
			text += " (" + sign + strconv.FormatFloat(percent, 'f', 0, 64) + " %)"
		}
	}
	return strings.ReplaceAll(text, "-", "−")
}

// told are a property's figures in words, those with a unit first, and zeros only
// if there is nothing else.
func (p *property) told() []string {
	names := slices.SortedFunc(maps.Keys(p.Figures), figureOrder)
	if some := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return p.Figures[name] == 0 }); len(some) > 0 {
		names = some
	}
	var all []string
	for _, name := range names {
		words, unit := cutUnit(name)
		all = append(all, words+" "+amount(p.Figures[name], unit))
	}
	return all
}

// figureOrder puts what was measured before what was counted.
func figureOrder(a, b string) int {
	_, unitA := cutUnit(a)
	_, unitB := cutUnit(b)
	if (unitA == "") != (unitB == "") {
		if unitA == "" {
			return 1
		}
		return -1
	}
	return strings.Compare(a, b)
}
