package reports_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/reports"
)

func page(t testing.TB, r *reports.Report) string {
	t.Helper()
	out, err := reports.HTML(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// hostile breaks out of text, attributes, elements, templates, lines, the
// direction of text and the terminal.
const hostile = "\"><script>alert(1)</script></svg></title>'{{.}}<!--\u202eRTL\u2066\x00\x1b[31m\x9b\n\xff]]>&amp;"

// hostileReport has hostile in every string that a client, a server or a
// scenario could have chosen.
func hostileReport() *reports.Report {
	lease := int64(5)
	key := "/holdfast/" + hostile + "/" + hostile + "/1"
	h := &history.History{
		Header: history.Header{Prefix: "/holdfast/", Subjects: []history.SubjectInfo{{Name: hostile, Layout: history.OldestKey}}},
		Operations: []history.Operation{
			{ID: 1, Client: hostile, Subject: hostile, Object: hostile, Kind: history.Acquire, Mode: hostile, Call: 10 * ms, Return: 20 * ms, Outcome: history.Ok, Error: hostile, Lease: lease, Key: key, Token: 4, Value: hostile, Prior: hostile},
			{ID: 2, Client: hostile, Subject: hostile, Object: hostile, Kind: hostile, Call: 11 * ms, Return: 21 * ms, Outcome: hostile, Error: hostile},
			{ID: 3, Client: "c2" + hostile, Subject: hostile, Object: hostile, Kind: history.Acquire, Call: 12 * ms, Return: 24 * ms, Outcome: history.Info, Error: hostile},
		},
		Events: []history.Event{
			{Time: 1 * ms, Kind: history.SessionOpened, Client: hostile, Lease: lease},
			{Time: 2 * ms, Kind: history.PhaseBegan, Detail: hostile},
			{Time: 2 * ms, Kind: history.Leads, Client: hostile, Detail: "leader"},
			{Time: 3 * ms, Kind: history.Leads, Client: hostile, Detail: hostile},
			{Time: 26 * ms, Kind: history.Lost, Client: hostile, Lease: lease},
			{Time: 28 * ms, Kind: history.Crashed, Client: hostile},
			{Time: 29 * ms, Kind: history.Ended, Client: hostile, Detail: hostile},
		},
		Revisions: history.NewRevisionLog(1, 0, []history.Change{
			{Revision: 4, Time: 12 * ms, Key: key, Create: 4, Lease: lease, Value: hostile}, {Revision: 5, Time: 25 * ms, Key: key, Deleted: true},
			{Revision: 6, Time: 26 * ms, Key: key + hostile, Create: 6, Lease: 99},
		}, []history.LeaseEnd{{Lease: lease, Revision: 5, Time: 25 * ms}}, nil, nil),
		Faults: []history.Fault{{ID: 1, Kind: hostile, Target: hostile, From: 15 * ms, To: 22 * ms, Verified: true, Evidence: hostile, Error: hostile, When: hostile}},
		End:    30 * ms,
	}
	v := checker.Violation{Blame: hostile, Known: hostile, Sentence: hostile, Object: hostile, Witness: []int64{1, 2, 77}, From: 12 * ms, To: 23 * ms}
	return &reports.Report{
		Scenario: hostile, ScenarioYAML: hostile, Command: hostile, EtcdVersion: hostile, ClusterKind: hostile, HoldfastVersion: hostile,
		GoVersion: hostile, Host: hostile, Ended: hostile, Warnings: []string{hostile}, History: h,
		Logs: []reports.LogLine{
			{Time: 5 * ms, Name: hostile, Level: hostile, Text: hostile}, {Time: 6 * ms, Of: reports.Clients, Name: hostile, Level: hostile, Text: hostile},
			{Undated: true, Of: reports.Programs, Name: hostile, Level: hostile, Text: hostile},
		},
		Result: &checker.Result{Verdict: checker.Violated, Exit: 1, Notes: []string{hostile}, Unfired: []string{hostile}, Ends: []checker.MemberEnd{{Member: hostile, At: 29 * ms, How: hostile, Fault: hostile}}, Properties: []checker.Property{
			{Subject: hostile, Property: hostile, Verdict: checker.Violated, Violations: []checker.Violation{v}, Sentence: hostile},
			{Subject: hostile, Property: "other", Verdict: hostile, Sentence: hostile, Figures: map[string]float64{hostile: 1}},
			{Subject: hostile, Property: "third", Verdict: checker.Holds, Figures: map[string]float64{hostile: math.NaN(), "x": math.Inf(1)}},
		}},
	}
}

func TestHostileStringsStayText(t *testing.T) {
	t.Run("html", func(t *testing.T) {
		out := withoutScript(t, page(t, hostileReport()))
		for _, bad := range []string{"<script", "<!--", "]]><"} {
			if strings.Contains(out, bad) {
				t.Errorf("the page has %q", bad)
			}
		}
		if n := strings.Count(out, "{{.}}"); n != strings.Count(out, "&#39;{{.}}&lt;") {
			t.Error("{{.}} stands somewhere where its neighbours are not escaped")
		}
		if open, end := strings.Count(out, "<svg "), strings.Count(out, "</svg>"); open != end || open == 0 {
			t.Errorf("%d svg elements begin, %d end", open, end)
		}
		if strings.Count(out, "<title>") != strings.Count(out, "</title>") {
			t.Error("titles do not match")
		}
		invisible(t, out, "\n\t")
	})
	t.Run("table", func(t *testing.T) {
		out, err := table(hostileReport())
		if err != nil {
			t.Fatal(err)
		}
		invisible(t, string(out), "\n")
	})
	t.Run("json", func(t *testing.T) {
		out, err := reports.JSON(hostileReport())
		if err != nil {
			t.Fatal(err)
		}
		if !json.Valid(out) {
			t.Error("not JSON")
		}
	})
}

// invisible fails if s has characters that a reader cannot see, but for those
// allowed.
func invisible(t *testing.T, s, allowed string) {
	t.Helper()
	if !utf8.ValidString(s) {
		t.Error("not UTF-8")
	}
	for i, c := range s {
		if (unicode.IsControl(c) || unicode.Is(unicode.Bidi_Control, c)) && !strings.ContainsRune(allowed, c) {
			t.Errorf("%U stands unescaped after %q", c, s[max(0, i-40):i])
			return
		}
	}
}

var svgElement = regexp.MustCompile(`(?s)<svg .*?</svg>`)

func TestPicturesAreWellFormed(t *testing.T) {
	all := map[string]*reports.Report{"hostile": hostileReport(), "big": bigReport(6, 1, 30, 2000, 200, 25*time.Second), "many clients": bigReport(1, 1, 200, 2000, 3, 25*time.Second)}
	for name, example := range examples {
		all[name] = example()
	}
	for name, r := range all {
		t.Run(name, func(t *testing.T) {
			pictures := svgElement.FindAllString(page(t, r), -1)
			if len(pictures) == 0 {
				t.Fatal("no picture")
			}
			for i, picture := range pictures {
				decoder := xml.NewDecoder(strings.NewReader(picture))
				for {
					token, err := decoder.Token()
					if err == io.EOF {
						break
					}
					if err != nil {
						t.Fatalf("picture %d: %v", i, err)
					}
					if start, ok := token.(xml.StartElement); ok {
						inside(t, start)
					}
				}
			}
		})
	}
}

// inside fails if an element has a coordinate outside the picture's width.
func inside(t *testing.T, e xml.StartElement) {
	t.Helper()
	for _, a := range e.Attr {
		if !slices.Contains([]string{"x", "x1", "x2", "width"}, a.Name.Local) {
			continue
		}
		if v, err := strconv.ParseFloat(a.Value, 64); err != nil || v < 0 || v > 1200 {
			t.Errorf("<%s> has %s=%q", e.Name.Local, a.Name.Local, a.Value)
		}
	}
}

func TestPageNeedsNothingElse(t *testing.T) {
	for name, example := range examples {
		out := withoutScript(t, page(t, example()))
		for _, load := range []*regexp.Regexp{
			regexp.MustCompile(`(?i)\ssrc\s*=`), regexp.MustCompile(`(?i)href\s*=\s*["']?[^"'#]`), regexp.MustCompile(`(?i)@import`),
			regexp.MustCompile(`(?i)url\(`), regexp.MustCompile(`(?i)<(script|link|iframe|object|embed|img|base|form)`), regexp.MustCompile(`(?i)\son[a-z]+\s*=`),
		} {
			if found := load.FindString(out); found != "" {
				t.Errorf("%s: the page has %q", name, found)
			}
		}
		for _, link := range regexp.MustCompile(`href="#([^"]*)"`).FindAllStringSubmatch(out, -1) {
			if !strings.Contains(out, `id="`+link[1]+`"`) {
				t.Errorf("%s: #%s leads nowhere", name, link[1])
			}
		}
	}
}

func TestSameReportSameBytes(t *testing.T) {
	for name, format := range formats {
		for range 3 {
			a, err := format(bigReport(6, 1, 30, 600, 10, 25*time.Second))
			if err != nil {
				t.Fatal(err)
			}
			if b, _ := format(bigReport(6, 1, 30, 600, 10, 25*time.Second)); !bytes.Equal(a, b) {
				t.Errorf("%s differs", name)
			}
		}
	}
}

func TestPageSizeIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("a million operations")
	}
	const limit = 5 << 20
	for name, r := range map[string]*reports.Report{
		"a million operations": bigReport(6, 3, 30, million, 40, 1000*time.Second),
		"many objects":         bigReport(20, 20, 50, 40_000, 2000, 100*time.Second),
		"many violations":      manyViolations(),
		"many clients":         bigReport(3, 1, 3000, 20_000, 10, 100*time.Second),
	} {
		n := len(page(t, r))
		t.Logf("%s: %d bytes", name, n)
		if n > limit {
			t.Errorf("%s: %d bytes, want at most %d", name, n, limit)
		}
	}
}

// manyViolations is a report with more groups than a page shows, each with
// more violations than it shows, each with more operations than it shows.
func manyViolations() *reports.Report {
	r := bigReport(6, 3, 100, 20_000, 100, 25*time.Second)
	var witness []int64
	for i := range r.History.Operations[:1000] {
		witness = append(witness, r.History.Operations[i].ID)
	}
	for i := range r.Result.Properties {
		p := &r.Result.Properties[i]
		p.Verdict, p.Violations = checker.Violated, nil
		for k := range 1000 {
			p.Violations = append(p.Violations, checker.Violation{
				Blame: checker.BlameLibrary, Known: fmt.Sprint("etcd#", k%5), Object: "key-0", Witness: witness,
				From: time.Duration(k) * ms, To: time.Duration(k+5000) * ms, Sentence: strings.Repeat("it was bad ", 40),
			})
		}
	}
	return r
}

// TestNothingAtAll: a report of nothing is a report.
func TestNothingAtAll(t *testing.T) {
	for name, r := range map[string]*reports.Report{
		"zero": {}, "empty": {History: &history.History{}, Result: &checker.Result{}},
		"outside the record": {History: &history.History{}, Result: &checker.Result{Verdict: checker.Violated, Properties: []checker.Property{
			{Verdict: checker.Violated},
			{Verdict: checker.Violated, Violations: []checker.Violation{{From: -5, To: history.Never, Witness: []int64{9}}}},
		}}},
	} {
		for format, f := range formats {
			if _, err := f(r); err != nil {
				t.Errorf("%s as %s: %v", name, format, err)
			}
		}
	}
}

// TestContrast: every colour of text can be told from what it stands on, in
// both themes.
func TestContrast(t *testing.T) {
	style := page(t, vacuousReport())
	style = style[strings.Index(style, "<style>"):strings.Index(style, "</style>")]
	themes := regexp.MustCompile(`:root \{([^}]*)\}`).FindAllStringSubmatch(style, -1)
	if len(themes) != 3 {
		t.Fatalf("%d themes, want light, dark and print", len(themes))
	}
	for i, theme := range themes {
		colors := map[string]string{}
		for _, m := range regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]{6})`).FindAllStringSubmatch(theme[1], -1) {
			colors[m[1]] = m[2]
		}
		for _, pair := range [][2]string{
			{"fg", "bg"}, {"muted", "bg"}, {"link", "bg"}, {"fg", "soft"}, {"muted", "soft"}, {"bad", "bg"}, {"fair", "bg"}, {"good", "bg"},
			{"good", "good-bg"}, {"bad", "bad-bg"}, {"fair", "fair-bg"}, {"fg", "good-bg"}, {"fg", "bad-bg"}, {"fg", "fair-bg"},
			{"muted", "good-bg"}, {"muted", "fair-bg"}, {"link", "bad-bg"}, {"link", "fair-bg"}, {"link", "good-bg"},
			{"on-hold", "hold"}, {"on-hold", "witness"}, {"on-hold", "leader"}, {"on-fault", "fault"}, {"muted", "owns"},
		} {
			if c := contrast(colors[pair[0]], colors[pair[1]]); c < 4.5 {
				t.Errorf("theme %d: %s on %s has a contrast of %.2f", i, pair[0], pair[1], c)
			}
		}
	}
}

// contrast is WCAG 2's ratio.
func contrast(a, b string) float64 {
	luminance := func(c string) float64 {
		var rgb [3]uint8
		if _, err := fmt.Sscanf(c, "#%02x%02x%02x", &rgb[0], &rgb[1], &rgb[2]); err != nil {
			return math.NaN()
		}
		sum := 0.0
		for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
			v := float64(rgb[i]) / 255
			if v <= 0.04045 {
				v /= 12.92
			} else {
				v = math.Pow((v+0.055)/1.055, 2.4)
			}
			sum += weight * v
		}
		return sum
	}
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func BenchmarkHTML(b *testing.B) {
	r := bigReport(6, 3, 30, million, 40, 1000*time.Second)
	size := 0
	for b.Loop() {
		size = len(page(b, r))
	}
	b.ReportMetric(float64(size), "bytes")
}
