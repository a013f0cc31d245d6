package reports_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/etcd-holdfast/holdfast/internal/browser"
	"github.com/etcd-holdfast/holdfast/reports"
)

// patience is how long a browser may take for a whole test: it is no promise of
// speed, it ends a test that hangs.
const patience = 3 * time.Minute

// tab is a tab of a browser that ends with the test.
func tab(t *testing.T) (context.Context, *browser.Witness) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a browser")
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	tab, end, err := browser.Start(ctx)
	switch {
	case err == nil:
	case errors.Is(err, browser.ErrNone) && os.Getenv("HOLDFAST_REQUIRE") != "1":
		t.Skip(err)
	case errors.Is(err, browser.ErrNone):
		t.Fatalf("%v, and HOLDFAST_REQUIRE=1 says that it may not be missing", err)
	default:
		t.Fatal(err)
	}
	t.Cleanup(end)
	witness, err := browser.Watch(tab)
	if err != nil {
		t.Fatal(err)
	}
	return tab, witness
}

// file writes a report's page and returns its address.
func file(t *testing.T, r *reports.Report) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(name, []byte(page(t, r)), 0o644); err != nil {
		t.Fatal(err)
	}
	return "file://" + name
}

func do(t *testing.T, tab context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(tab, steps...); err != nil {
		t.Fatal(err)
	}
}

// ask evaluates an expression in the page.
func ask[T any](t *testing.T, tab context.Context, expression string) T {
	t.Helper()
	value, err := chromedp.Run(tab, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// quiet fails if the page complained or asked for anything but itself.
func quiet(t *testing.T, w *browser.Witness, address string) {
	t.Helper()
	for _, complaint := range w.Errors() {
		t.Errorf("the page or the browser says: %s", complaint)
	}
	for _, request := range w.Requests() {
		if request != address {
			t.Errorf("the page asks for %s", request)
		}
	}
}

// count is how many elements a selector finds that are shown.
func count(t *testing.T, tab context.Context, selector string) int {
	t.Helper()
	return ask[int](t, tab, `[...document.querySelectorAll('`+selector+`')].filter((e) => e.checkVisibility()).length`)
}

func TestBrowserTimelineZoomsAndFilters(t *testing.T) {
	tab, witness := tab(t)
	address := file(t, violatedReport())
	do(t, tab, chromedp.EmulateViewport(1440, 900), chromedp.Navigate(address), browser.Ready())

	const width = `holdfast.timeline.to - holdfast.timeline.from`
	do(t, tab, browser.Script(`document.querySelector('.lanes').focus()`), chromedp.KeyEvent("0"))
	whole := ask[float64](t, tab, width)
	do(t, tab, chromedp.KeyEvent("+"), browser.Painted())
	if half := ask[float64](t, tab, width); half < whole*0.49 || half > whole*0.51 {
		t.Errorf("after + the timeline shows %v µs of %v", half, whole)
	}
	before := ask[float64](t, tab, `holdfast.timeline.from`)
	do(t, tab, chromedp.KeyEvent(kb.ArrowRight), browser.Painted())
	if after := ask[float64](t, tab, `holdfast.timeline.from`); after <= before {
		t.Errorf("the right arrow moves the timeline from %v to %v", before, after)
	}
	do(t, tab, chromedp.KeyEvent("0"))

	// Drag over the middle third of the run.
	all := count(t, tab, ".oplist tbody tr")
	do(t, tab, browser.Script(`document.querySelector('#lines').open = true`), browser.Script(`document.querySelector('.lanes').scrollIntoView({block: 'center'})`), browser.Painted())
	lines := count(t, tab, "#lines tr")
	if lines < 3 {
		t.Fatalf("%d lines of logs", lines)
	}
	box := ask[map[string]float64](t, tab, `(({left, top, width}) => ({left, top, width}))(document.querySelector('.lanes').getBoundingClientRect())`)
	x := func(share float64) float64 { return box["left"] + 132 + share*(box["width"]-140) }
	do(t, tab, chromedp.DragAndDropXY(x(1./3), box["top"]+40, x(2./3), box["top"]+40), browser.Painted())
	selected := ask[[]float64](t, tab, `holdfast.timeline.selection`)
	if len(selected) != 2 || selected[0] < whole*0.3 || selected[1] > whole*0.7 || selected[1] <= selected[0] {
		t.Fatalf("dragging over the middle third of %v selects %v", whole, selected)
	}
	if some := count(t, tab, ".oplist tbody tr"); some == 0 || some >= all {
		t.Errorf("%d of %d operations are left", some, all)
	}
	if some := count(t, tab, "#lines tr"); some == 0 || some >= lines {
		t.Errorf("%d of %d lines of logs are left", some, lines)
	}
	if some, faults := count(t, tab, "#faultlist tbody tr"), len(violatedReport().History.Faults); some >= faults {
		t.Errorf("%d of %d faults are left", some, faults)
	}
	do(t, tab, browser.Script(`document.querySelector('.lanes').focus()`), chromedp.KeyEvent(kb.Escape))
	if again := count(t, tab, ".oplist tbody tr"); again != all {
		t.Errorf("%d of %d operations after the selection is cleared", again, all)
	}

	// Words, and what lies under the pointer.
	do(t, tab, chromedp.SendKeys(".oplist input[type=search]", "c6"), browser.Painted())
	if some := count(t, tab, ".oplist tbody tr"); some == 0 || some >= all {
		t.Errorf("%d of %d operations have the word c6", some, all)
	}
	if text := ask[string](t, tab, `document.querySelector('.oplist tbody').innerText`); !strings.Contains(text, "c6") || strings.Contains(text, "c3\t") {
		t.Errorf("the operations with the word c6: %.200s", text)
	}
	hold := ask[[]float64](t, tab, `(() => {
		const { timeline, run } = holdfast;
		const found = timeline.targets.find((t) => t.operation >= 0 && run.witness.has(run.id[t.operation]) && t.x2 - t.x1 > 4);
		const box = timeline.canvas.getBoundingClientRect();
		return [box.left + (found.x1 + found.x2) / 2, box.top + (found.y1 + found.y2) / 2];
	})()`)
	do(t, tab, chromedp.MouseEvent("mouseMoved", hold[0], hold[1]), browser.Painted())
	if tip := ask[string](t, tab, `document.querySelector('.tip').innerText`); !strings.Contains(tip, "Witness of a violation") {
		t.Errorf("over a witness the pointer reads %q", tip)
	}
	do(t, tab, browser.Script(`document.querySelector('.lanes').focus()`), chromedp.KeyEvent("n"), browser.Painted())
	if status := ask[string](t, tab, `document.querySelector('.readout').innerText`); !strings.Contains(status, "Violation 1 of") {
		t.Errorf("n leads to %q", status)
	}
	quiet(t, witness, address)
}

// facts are parts of the example that a reader has to find on the page.
var facts = []string{
	"election · ownership", "blame: library", "etcd#19597", "holdfast run --seed 7 scenario.yaml", // what, who, how to see it again
	"What would have prevented it",
	"isolate-leader", "m1 lost its leader quorum", // a member's log
	"p99", "duration: 5s", "linux/amd64, 2 cores",
}

// TestBrowserWithoutScripts: whether scripts are off, or a server forbids them,
// the page has all facts and pictures.
func TestBrowserWithoutScripts(t *testing.T) {
	out := page(t, violatedReport())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Content-Security-Policy", "sandbox; default-src 'none'; style-src 'unsafe-inline'")
		_, _ = w.Write([]byte(out))
	}))
	t.Cleanup(server.Close)
	tab, _ := tab(t)
	for name, address := range map[string]string{"scripts are off": file(t, violatedReport()), "a server forbids scripts": server.URL} {
		do(t, tab, browser.Scripts(name != "scripts are off"), chromedp.EmulateViewport(1440, 900), chromedp.Navigate(address))
		if n := count(t, tab, "#explorer"); n != 0 {
			t.Errorf("%s: there is a timeline that nothing moves", name)
		}
		if n := count(t, tab, "button"); n != 0 {
			t.Errorf("%s: there are %d buttons that do nothing", name, n)
		}
		if n := count(t, tab, "svg"); n < 5 {
			t.Errorf("%s: %d pictures are shown", name, n)
		}
		text := strings.Join(strings.Fields(ask[string](t, tab, `document.body.textContent`)), " ")
		for _, fact := range facts {
			if !strings.Contains(text, fact) {
				t.Errorf("%s: %q is not on the page", name, fact)
			}
		}
		for _, op := range violatedReport().History.Operations {
			if want := op.Client + " " + string(op.Kind); !strings.Contains(text, want) {
				t.Errorf("%s: there is no %q", name, want)
			}
		}
	}
}

// TestBrowserHostileReport: whatever names, keys, values and errors say, nothing
// of it becomes an element or runs.
func TestBrowserHostileReport(t *testing.T) {
	tab, witness := tab(t)
	r := hostileReport()
	address := file(t, r)
	do(t, tab, chromedp.EmulateViewport(1440, 900), chromedp.Navigate(address), browser.Ready(),
		browser.Script(`for (const d of document.querySelectorAll('details')) d.open = true`),
		browser.Script(`document.querySelector('.lanes').focus()`), chromedp.KeyEvent("n"), chromedp.KeyEvent(kb.Enter), browser.Painted())
	if n := ask[int](t, tab, `document.querySelectorAll('script').length`); n != 1 {
		t.Errorf("the page has %d scripts", n)
	}
	for what, expression := range map[string]string{
		"elements that load": `document.querySelectorAll('img, iframe, object, embed, link, form, video, audio, base').length`,
		"handlers":           `[...document.querySelectorAll('*')].flatMap((e) => [...e.attributes]).filter((a) => a.name.startsWith('on')).length`,
		"links elsewhere":    `[...document.querySelectorAll('[href]')].filter((e) => !e.getAttribute('href').startsWith('#')).length`,
	} {
		if n := ask[int](t, tab, expression); n != 0 {
			t.Errorf("the page has %d %s", n, what)
		}
	}
	if text := ask[string](t, tab, `document.body.innerText`); !strings.Contains(text, "<script>alert(1)</script>") {
		t.Error("what is hostile is not shown as text")
	} else {
		invisible(t, strings.ReplaceAll(text, "\u00a0", " "), "\n\t")
	}
	quiet(t, witness, address)
}

// TestBrowserShowsEverythingLegibly: in light, dark and print, wide and narrow, no
// text is too faint and nothing is cut off.
func TestBrowserShowsEverythingLegibly(t *testing.T) {
	tab, witness := tab(t)
	address := file(t, violatedReport())
	do(t, tab, chromedp.Navigate(address), browser.Ready())
	for _, medium := range []string{"screen", "print"} {
		for _, scheme := range []string{"light", "dark"} {
			do(t, tab, browser.Media(medium, scheme), chromedp.EmulateViewport(1440, 900), browser.Painted())
			for _, faint := range ask[[]string](t, tab, faintTexts) {
				t.Errorf("%s, %s: %s", medium, scheme, faint)
			}
			dark := ask[string](t, tab, `getComputedStyle(document.body).backgroundColor`) != "rgb(255, 255, 255)"
			if dark != (medium == "screen" && scheme == "dark") {
				t.Errorf("%s, %s: dark is %v", medium, scheme, dark)
			}
			if n := count(t, tab, "nav, #explorer, button"); (n == 0) != (medium == "print") {
				t.Errorf("%s: %d parts are shown that only a screen needs", medium, n)
			}
		}
	}
	do(t, tab, browser.Media("screen", "light"))
	for _, width := range []int64{1440, 800, 420} {
		do(t, tab, chromedp.EmulateViewport(width, 900), browser.Painted())
		if wide := ask[int64](t, tab, `document.documentElement.scrollWidth`); wide > width {
			t.Errorf("on a screen of %d the page is %d wide", width, wide)
		}
	}
	if pdf, err := chromedp.Run(tab, chromedp.PrintToPDF()); err != nil || len(pdf) < 10_000 {
		t.Errorf("printed: %d bytes, %v", len(pdf), err)
	}
	quiet(t, witness, address)
}

// faintTexts lists texts of the page whose contrast to what they stand on is below
// 4.5, by WCAG 2. Disabled controls are exempt.
const faintTexts = `(() => {
	const rgb = (c) => c.match(/[\d.]+/g).map(Number);
	const luminance = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
		.reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
	const ground = (e) => {
		for (; e; e = e.parentElement) {
			const c = rgb(getComputedStyle(e).backgroundColor);
			if (c.length < 4 || c[3] > 0) return c;
		}
		return [255, 255, 255];
	};
	const faint = new Set();
	for (const e of document.querySelectorAll('body *')) {
		if (e.closest('svg, script, template, :disabled') || !e.checkVisibility()) continue;
		if (![...e.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.data.trim())) continue;
		const [a, b] = [luminance(rgb(getComputedStyle(e).color)), luminance(ground(e))];
		const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		if (ratio < 4.5) faint.add(e.tagName + '.' + e.className + ' has a contrast of ' + ratio.toFixed(2) + ': ' + e.textContent.slice(0, 40));
	}
	return [...faint];
})()`

// TestBrowserLabelsDoNotOverlap: in no picture does a label lie on another one.
func TestBrowserLabelsDoNotOverlap(t *testing.T) {
	tab, _ := tab(t)
	all := pictured()
	all["big"] = bigReport(6, 1, 30, 2000, 10, 25*time.Second)
	for name, r := range all {
		do(t, tab, browser.Scripts(false), chromedp.EmulateViewport(1440, 900), chromedp.Navigate(file(t, r)))
		for _, pair := range ask[[]string](t, tab, overlappingLabels) {
			t.Errorf("%s: %s", name, pair)
		}
	}
}

const overlappingLabels = `(() => {
	const found = [];
	for (const svg of document.querySelectorAll('svg')) {
		const boxes = [...svg.querySelectorAll('text')].filter((e) => e.textContent.trim() && e.checkVisibility()).map((e) => [e, e.getBoundingClientRect()]);
		boxes.forEach(([a, p], i) => boxes.slice(i + 1).forEach(([b, q]) => {
			const wide = Math.min(p.right, q.right) - Math.max(p.left, q.left), high = Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top);
			if (wide > 1 && high > 3) found.push(svg.getAttribute('aria-label') + ': “' + a.textContent + '” and “' + b.textContent + '”');
		}));
	}
	return found.slice(0, 10);
})()`
