package browse

import (
	"context"
	"errors"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/etcd-holdfast/holdfast"
	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/internal/browser"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// openTab opens a tab of Chromium, which may only be missing where nobody said that
// it may not.
func openTab(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	tab, end, err := browser.Start(ctx)
	if errors.Is(err, browser.ErrNone) && os.Getenv("HOLDFAST_REQUIRE") != "1" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(end)
	return tab
}

// In a real browser every page loads without a complaint and without asking anybody
// else, a form finds runs, the report of a run is interactive, and a report that
// means harm runs nothing.
func TestInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes its time")
	}
	directory := t.TempDir()
	scenario := holdfast.SimulatedScenario(workloads.Subject{Name: "get-then-put"}, 3, holdfast.Swarm{Duration: 3 * time.Second})
	j, err := holdfast.Run(t.Context(), scenario, holdfast.RunOptions{Out: directory})
	if err != nil {
		t.Fatal(err)
	}
	evil := hostileRun(`<script>document.title="run"</script>`, 0)
	evil.files["report.html"] = `<!doctype html><title>quiet</title><script>document.title="run"</script><img src=x onerror='document.title="run"'>` +
		`<img src="/style.css"><link rel=stylesheet href="/style.css"><iframe src="/"></iframe><form id=f action="/"></form><p>shown</p>`
	quick := one("quick", 7, 1, kept("mutex", checker.Order))
	evil.make(t, directory)
	quick.make(t, directory)
	handler, err := NewHandler(Options{Directory: directory})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = handler.Close() })
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	tab := openTab(t)
	seen, err := browser.Watch(tab)
	if err != nil {
		t.Fatal(err)
	}
	c, err := handler.library.look()
	if err != nil {
		t.Fatal(err)
	}
	made := c.Runs[slices.IndexFunc(c.Runs, func(r *run) bool { return r.Info.Seed == j.Info.Seed })]
	for _, path := range []string{
		"/", "/trends", trendLink("quick"), subjectLink(evil.info.Scenario, evil.info.Scenario), runLink(evil.name), runLink(made.Name), compareLink(evil.name, quick.name, true),
	} {
		if _, err := chromedp.Run(tab, chromedp.Navigate(server.URL+path)); err != nil {
			t.Fatal(path, err)
		}
	}
	if errs := seen.Errors(); len(errs) > 0 {
		t.Errorf("the browser complains of the pages: %q", errs)
	}

	// The filter is a form, and works without a script.
	if err := chromedp.Do(tab, browser.Scripts(false), chromedp.Navigate(server.URL+"/"), chromedp.SetValue(`[name=seed]`, "7"), chromedp.Click(`.filter button`), chromedp.WaitVisible(`.buttons a`)); err != nil {
		t.Fatal(err)
	}
	if text, err := chromedp.Run(tab, chromedp.Text(`.runs tbody`)); err != nil || !strings.Contains(text, "quick") || strings.Contains(text, "get-then-put") {
		t.Errorf("the form found %q, %v", text, err)
	}

	// The report of a run of this version runs its script, in an origin of its own.
	if err := chromedp.Do(tab, browser.Scripts(true), chromedp.Navigate(server.URL+reportOf(made)), browser.Ready()); err != nil {
		t.Fatalf("the report is not interactive: %v", err)
	}
	if origin, err := chromedp.Run(tab, chromedp.Evaluate[string](`self.origin`)); err != nil || origin != "null" {
		t.Errorf("the report's origin is %q, %v", origin, err)
	}
	if errs := seen.Errors(); len(errs) > 0 {
		t.Errorf("the browser complains of the report: %q", errs)
	}

	if err := chromedp.Do(tab, chromedp.Navigate(server.URL+fileLink(evil.name, "report.html")), browser.Painted()); err != nil {
		t.Fatal(err)
	}
	if title, err := chromedp.Run(tab, chromedp.Title()); err != nil || title != "quiet" {
		t.Errorf("a script of the report ran: %q, %v", title, err)
	}
	if text, err := chromedp.Run(tab, chromedp.Text(`p`)); err != nil || text != "shown" {
		t.Errorf("the report shows %q, %v", text, err)
	}
	if errs := seen.Errors(); len(errs) == 0 {
		t.Error("nothing was refused: this test proves nothing")
	}
	for _, request := range seen.Requests() {
		if !strings.HasPrefix(request, server.URL+"/") && !strings.HasPrefix(request, "data:") {
			t.Errorf("asked elsewhere: %s", request)
		}
	}
}
