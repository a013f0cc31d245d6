package browse

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

const (
	// maxTrend is how many runs of a scenario a trend looks back.
	maxTrend = 120
	// maxStrip is how many of them the overview shows.
	maxStrip = 40
)

// course is how one scenario has fared: its runs, the oldest first.
type course struct {
	Scenario string
	Runs     []*run
	// All is how many runs there are in all.
	All   int
	Fails int
}

// coursesOf sorts runs, the newest first, by their scenario.
func coursesOf(runs []*run, most int) []course {
	by := make(map[string]*course)
	for _, r := range runs {
		if r.Problem != "" || r.Info.Scenario == "" {
			continue
		}
		c := by[r.Info.Scenario]
		if c == nil {
			c = &course{Scenario: r.Info.Scenario}
			by[r.Info.Scenario] = c
		}
		if c.All++; len(c.Runs) < most {
			c.Runs = append(c.Runs, r)
		}
		if standingOf(r) == violated {
			c.Fails++
		}
	}
	var all []course
	for _, name := range sorted(keySet(by)) {
		slices.Reverse(by[name].Runs)
		all = append(all, *by[name])
	}
	return all
}

func keySet[T any](m map[string]T) map[string]bool {
	set := make(map[string]bool, len(m))
	for key := range m {
		set[key] = true
	}
	return set
}

// trend is how one property of a subject has fared over the runs of a course.
type trend struct {
	Property string
	// Cells are the property's in each run; nil where it was not judged.
	Cells   []*property
	Figures []series
}

// series is one figure over the runs of a course.
type series struct {
	Name, Unit             string
	Last, Min, Median, Max string
	Chart                  chart
}

// trendsOf are those of one subject.
func trendsOf(c *course, subject string) []trend {
	var names []string
	for _, r := range c.Runs {
		for i := range r.properties() {
			if p := &r.Verdict.Properties[i]; p.Subject == subject && !slices.Contains(names, p.Property) {
				names = append(names, p.Property)
			}
		}
	}
	var all []trend
	for _, name := range names {
		t := trend{Property: name}
		figures := make(map[string]bool)
		for _, r := range c.Runs {
			p := r.property(subject, name)
			t.Cells = append(t.Cells, p)
			if p != nil {
				for figure := range p.Figures {
					figures[figure] = true
				}
			}
		}
		for _, figure := range slices.SortedFunc(maps.Keys(figures), figureOrder) {
			if s, ok := seriesOf(t.Cells, figure); ok {
				t.Figures = append(t.Figures, s)
			}
		}
		all = append(all, t)
	}
	return all
}

// ratesOf are the rates of a course's runs: figures of the run, not of a property.
func ratesOf(c *course) []series {
	var all []series
	for _, rate := range []struct {
		name string
		of   func(*run) float64
	}{{"calls a second of load", (*run).calls}, {"rounds a second of load", (*run).rounds}} {
		values := make([]float64, len(c.Runs))
		for i, r := range c.Runs {
			if values[i] = rate.of(r); values[i] == 0 {
				values[i] = math.NaN() // not known
			}
		}
		if s, ok := summed(rate.name, "", values); ok {
			all = append(all, s)
		}
	}
	return all
}

// seriesOf is a figure of one property; false if it was always zero.
func seriesOf(cells []*property, figure string) (series, bool) {
	values := make([]float64, len(cells))
	for i, p := range cells {
		values[i] = math.NaN()
		if value, ok := figureOf(p, figure); ok {
			values[i] = value
		}
	}
	words, unit := cutUnit(figure)
	return summed(words, unit, values)
}

// summed sums up values, of which those that are not known are not numbers.
func summed(name, unit string, values []float64) (series, bool) {
	known := slices.DeleteFunc(slices.Clone(values), func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) })
	if len(known) == 0 || slices.Max(known) == 0 && slices.Min(known) == 0 {
		return series{}, false
	}
	last := known[len(known)-1]
	slices.Sort(known)
	return series{
		Name: name, Unit: unit, Last: amount(last, unit), Min: amount(known[0], unit), Median: amount(known[len(known)/2], unit),
		Max: amount(known[len(known)-1], unit), Chart: chartOf(values, cmp.Or(known[len(known)-1], 1)),
	}, true
}

// chart is a small line over the runs, from zero up to the largest value.
type chart struct {
	Width, Height int
	// Zero is where the value zero is.
	Zero int
	// Lines are the points of each unbroken line; Dots the runs that stand alone,
	// and the last.
	Lines []string
	Dots  []dot
}

type dot struct{ X, Y string }

const (
	chartWidth  = 240
	chartHeight = 36
	chartMargin = 4
)

// chartOf draws values, of which those that are not known are not numbers, below a
// top that is the largest of them.
func chartOf(values []float64, top float64) chart {
	c := chart{Width: chartWidth, Height: chartHeight, Zero: chartHeight - chartMargin}
	step := float64(chartWidth-2*chartMargin) / float64(max(1, len(values)-1))
	var points []string
	var last dot
	flush := func() {
		switch {
		case len(points) == 1:
			c.Dots = append(c.Dots, last)
		case len(points) > 1:
			c.Lines = append(c.Lines, strings.Join(points, " "))
		}
		points = nil
	}
	for i, value := range values {
		if math.IsNaN(value) || math.IsInf(value, 0) {
			flush()
			continue
		}
		height := 0.0
		if top > 0 {
			height = max(0, value) / top
		}
		last = dot{
			X: fmt.Sprintf("%.1f", chartMargin+float64(i)*step),
			Y: fmt.Sprintf("%.1f", chartHeight-chartMargin-height*(chartHeight-2*chartMargin)),
		}
		points = append(points, last.X+","+last.Y)
	}
	flush()
	if last.X != "" && !slices.Contains(c.Dots, last) {
		c.Dots = append(c.Dots, last)
	}
	return c
}
