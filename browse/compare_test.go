package browse

import (
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/etcd-holdfast/holdfast/checker"
)

func TestCompare(t *testing.T) {
	a := one("quick", 1, 0, kept("mutex", checker.Exclusion), kept("mutex", checker.Order), kept("locker", checker.Order))
	b := one("quick", 2, 1, broke("mutex", checker.Exclusion, checker.BlameServer, ""), kept("mutex", checker.Order), kept("rwmutex", checker.Order))
	b.verdict.Properties[1].Figures = map[string]float64{"wait_max_ms": 25, "held": 7}
	b.verdict.Faults = append(b.verdict.Faults, fault{Fault: "cut-client", Target: "c2"}, fault{Fault: "split", Target: "m1", Verified: true})
	b.info.Rounds["c1"] = 50
	b.files["scenario.yaml"] = "name: quick\nduration: 20s\nseed: 2\n"
	s := serving(t, a, b)
	ask := "/compare?run=" + a.name + "&run=" + b.name
	body := s.shows(ask, "Two runs, side by side", "holds", "quick, seed 1", "violated", "quick, seed 2",
		"≠</td><td>mutex</td><td>exclusion</td>", "holds", "violated", "server × 2",
		"≠</td><td>locker</td><td>order</td>", "holds", `title="not judged"`,
		"≠</td><td>rwmutex</td><td>order</td>", `title="not judged"`, "holds",
		"rounds a second of load</th><td>2</td><td>4</td>",
		"cut-client</th><td>1, 1 proved</td><td>2, 1 proved</td>", "split</th><td>–</td><td>1, 1 proved</td>",
		"<td>mutex</td><td>order</td><td>wait max</td>", "12.5 ms", "25 ms", "&#43;12.5 ms (&#43;100 %)",
		"+ seed: 2")
	for _, same := range []string{"<td>order</td><td>held</td><td class=\"n\">7</td><td class=\"n\">7", "etcd</th>", "<td>mutex</td><td>order</td><td class=\"v"} {
		if strings.Contains(body, same) {
			t.Errorf("the page shows what is the same: %s", same)
		}
	}
	s.shows(ask+"&all=1", "</td><td>mutex</td><td>order</td><td class=\"v", "etcd</th><td>3.7.3</td><td>3.7.3</td>", "<td>held</td>")
	// The older one stands left, however they were ticked.
	s.shows("/compare?run="+b.name+"&run="+a.name, "A · 2026-11-27 12:00:00", "B · 2026-11-27 13:00:00")
	s.shows("/compare?run="+a.name+"&run="+a.name, "No verdict differs", "are the same, line by line")
	for query, status := range map[string]int{"": 400, "run=" + a.name: 400, "run=" + a.name + "&run=" + b.name + "&run=" + a.name: 400, "run=" + a.name + "&run=none": 404} {
		s.get("/compare?"+query, status)
	}
}

// Runs that are broken, or not judged, can be compared, too: there is less to say.
func TestCompareWithNothing(t *testing.T) {
	a, b := one("quick", 1, 0, kept("mutex", checker.Order)), one("quick", 2, 1)
	b.verdict = nil
	s := serving(t, a, b)
	put(t, s.path+"/broken/run.json", "{")
	s.shows("/compare?run="+a.name+"&run="+b.name, "not judged", "mutex", "holds", `title="not judged"`)
	s.shows("/compare?run="+a.name+"&run=broken", "broken", "mutex")
}

func TestChange(t *testing.T) {
	for _, c := range []struct {
		from, to float64
		unit     string
		want     string
	}{
		{10, 15, "ms", "+5 ms (+50 %)"}, {15, 10, "", "−5 (−33 %)"}, {0, 3, "", "+3"}, {1, 1.001, "s", "+0.001 s"}, {10, 20, "%", "+10 %"}, {0.001, 500, "", "+500"},
		{-2, 2, "", "+4 (+200 %)"},
	} {
		if got := change(c.from, c.to, c.unit); got != c.want {
			t.Errorf("from %v to %v %s: %s, want %s", c.from, c.to, c.unit, got, c.want)
		}
	}
	for value, want := range map[float64]string{0: "0", 0.12345: "0.123", 1.005: "1", 9.994: "9.99", 12.34: "12.3", 123.4: "123", -0.5: "-0.5", math.Inf(1): "?"} {
		if got := number(value); got != want {
			t.Errorf("%v: %s, want %s", value, got, want)
		}
	}
}

func TestFiguresWithUnitsComeFirst(t *testing.T) {
	p := property{Figures: map[string]float64{"holds": 7, "wait_max_ms": 12.5, "lost_percent": 0, "lost": 0, "took_s": 2}}
	if got, want := p.told(), []string{"took 2 s", "wait max 12.5 ms", "holds 7"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	p.Figures = map[string]float64{"lost": 0}
	if got := p.told(); !slices.Equal(got, []string{"lost 0"}) {
		t.Errorf("%q", got)
	}
}

func TestTrends(t *testing.T) {
	var samples []sample
	for i := range 4 {
		p := kept("mutex", checker.Exclusion)
		if i == 2 {
			p = broke("mutex", checker.Exclusion, checker.BlameServer, "")
		}
		p.Figures = map[string]float64{"wait_max_ms": float64(10 * (i + 1)), "nothing": 0}
		samples = append(samples, one("quick", int64(i+1), i, p, kept("locker", checker.Order)))
	}
	samples = append(samples, one("calm", 9, 9, kept("mutex", checker.Order), kept("", checker.Durability)))
	s := serving(t, samples...)
	strip := func(body string) string {
		body = body[strings.Index(body, `<span class="strip">`):]
		body = body[:strings.Index(body, "</span></p>")+1]
		var signs strings.Builder
		for _, part := range strings.Split(body, `aria-hidden="true">`)[1:] {
			signs.WriteString(part[:strings.Index(part, "<")])
		}
		return signs.String()
	}
	s.shows("/trends", `href="/trends?scenario=calm"`, `<td class="n">1</td><td class="n">0</td>`, `href="/trends?scenario=quick"`, `<td class="n">4</td><td class="n">1</td>`)
	body := s.shows("/trends?scenario=quick", "4 runs; 1 violated", "rounds a second of load", "<h2>mutex</h2>", "<h3>exclusion</h3>",
		"wait max</th>", ">40 ms<", ">10 ms<", ">30 ms<", ">40 ms<", "<polyline points=\"4.0,25.0 81.3,18.0 158.7,11.0 236.0,4.0\"/>", "<circle cx=\"236.0\" cy=\"4.0\"")
	if got := strip(body); got != "✓✓✗✓" {
		t.Errorf("the strip is %s", got)
	}
	if strings.Contains(body, "<th scope=\"row\">nothing</th>") || strings.Contains(body, "<h3>order</h3>") {
		t.Error("the page shows what was always zero, or another subject")
	}
	s.shows("/trends?scenario=quick&subject=locker", "<h2>locker</h2>", "<h3>order</h3>")
	s.shows("/trends?scenario=quick&subject=none", "<h2>mutex</h2>")
	s.shows("/trends?scenario=calm", "<h2>mutex</h2>", `href="/trends?scenario=calm&amp;subject="`)
	s.shows("/trends?scenario=calm&subject=", "<h2>(run)</h2>", "<h3>durability</h3>")
	s.get("/trends?scenario=none", http.StatusNotFound)
}

// A value that is not known breaks the line, and one alone is a dot.
func TestChart(t *testing.T) {
	c := chartOf([]float64{1, 2, math.NaN(), 2, math.NaN(), 0, 1}, 2)
	if len(c.Lines) != 2 || len(c.Dots) != 2 || c.Dots[0].Y != "4.0" || c.Dots[1].X != "236.0" {
		t.Errorf("%+v", c)
	}
	if c := chartOf([]float64{5}, 5); len(c.Lines) != 0 || len(c.Dots) != 1 {
		t.Errorf("one value: %+v", c)
	}
	if c := chartOf([]float64{math.NaN()}, 0); len(c.Lines)+len(c.Dots) != 0 {
		t.Errorf("no value: %+v", c)
	}
}
