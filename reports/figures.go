package reports

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/etcd-holdfast/holdfast/checker"
)

// units are the endings of a figure's name that say its unit.
var units = []struct{ suffix, unit string }{{"_ms", " ms"}, {"_percent", " %"}, {"_s", " s"}}

// figure is a measured number with the unit that its name ends in:
// "overlap max 573 ms" for overlap_max_ms.
func figure(name string, value float64) string {
	name, unit := cutUnit(name)
	return strings.ReplaceAll(name, "_", " ") + " " + number(value) + unit
}

func cutUnit(name string) (base, unit string) {
	for _, u := range units {
		if base, ok := strings.CutSuffix(name, u.suffix); ok {
			return base, u.unit
		}
	}
	return name, ""
}

// figures are a property's, what was measured before what was counted, and
// zeros only if there is nothing else.
func figures(p *checker.Property) []string {
	names := slices.SortedFunc(maps.Keys(p.Figures), func(a, b string) int {
		_, unitA := cutUnit(a)
		_, unitB := cutUnit(b)
		return cmp.Or(-cmp.Compare(min(len(unitA), 1), min(len(unitB), 1)), strings.Compare(a, b))
	})
	if some := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return p.Figures[name] == 0 }); len(some) > 0 {
		names = some
	}
	var out []string
	for _, name := range names {
		out = append(out, figure(name, p.Figures[name]))
	}
	return out
}

// number is short: three digits behind the point at most, and none that say
// nothing.
func number(value float64) string {
	switch size := math.Abs(value); {
	case math.IsNaN(value) || math.IsInf(value, 0):
		return "?"
	case size >= 100:
		return strconv.FormatFloat(value, 'f', 0, 64)
	case size >= 10:
		value = math.Round(value*10) / 10
	case size >= 1:
		value = math.Round(value*100) / 100
	default:
		value = math.Round(value*1000) / 1000
	}
	return strconv.FormatFloat(value, 'f', -1, 64)
}
