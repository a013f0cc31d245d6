package reports_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/etcd-holdfast/holdfast/internal/browser"
)

// artifactPolicy is what Jenkins serves the artifacts of builds with, unless its
// administrator has set something else: no script runs, and no style of a page's
// own is heeded.
//
// Source: https://www.jenkins.io/doc/book/security/configuring-content-security-policy/.
const artifactPolicy = "sandbox allow-same-origin; default-src 'none'; img-src 'self'; style-src 'self';"

// paints lists how every shape and text of every picture is painted.
const paints = `[...document.querySelectorAll('svg rect, svg path, svg line, svg text')].map((e) => {
	const s = getComputedStyle(e);
	const name = e.tagName + '.' + e.parentNode.getAttribute('class') + ' of ' + (e.closest('svg').getAttribute('aria-label') || 'a legend');
	const paint = [e.tagName === 'line' ? '' : s.fill, s.fillOpacity, s.stroke, s.strokeWidth, s.strokeDasharray, s.opacity, e.tagName === 'text' ? [s.fontSize, s.fontWeight, s.textAnchor, s.paintOrder] : ''].join(' ');
	return name + ': ' + paint;
})`

// TestBrowserWithoutStyles: where a server forbids the page's styles every shape
// is as it is with them in light, so that none is black that is not meant to be,
// and all facts are there.
func TestBrowserWithoutStyles(t *testing.T) {
	tab, _ := tab(t)
	for name, r := range pictured() {
		t.Run(name, func(t *testing.T) {
			out := page(t, r)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/html")
				w.Header().Set("Content-Security-Policy", artifactPolicy)
				_, _ = w.Write([]byte(out))
			}))
			t.Cleanup(server.Close)
			do(t, tab, browser.Media("screen", "light"), browser.Scripts(false), chromedp.EmulateViewport(1440, 900), chromedp.Navigate(file(t, r)))
			want := ask[[]string](t, tab, paints)
			do(t, tab, chromedp.Navigate(server.URL))
			if styled := ask[string](t, tab, `getComputedStyle(document.body).maxWidth`); styled != "none" {
				t.Fatalf("the page's styles are heeded: its body is at most %s wide", styled)
			}
			got := ask[[]string](t, tab, paints)
			if len(got) != len(want) || len(got) < 20 {
				t.Fatalf("%d shapes, %d with styles", len(got), len(want))
			}
			complaints := 0
			for i := range got {
				if got[i] != want[i] && complaints < 10 {
					t.Errorf("without styles a shape is\n%s, with them\n%s", got[i], want[i])
					complaints++
				}
			}
			// What a reader prefers is not heeded: colours are those of the light palette.
			do(t, tab, browser.Media("screen", "dark"))
			if dark := ask[string](t, tab, `getComputedStyle(document.documentElement).colorScheme`); dark != "normal" {
				t.Errorf("without styles the page's colours are %s", dark)
			}
			if name != "violated" {
				return
			}
			text := strings.Join(strings.Fields(ask[string](t, tab, `document.body.textContent`)), " ")
			for _, fact := range facts {
				if !strings.Contains(text, fact) {
					t.Errorf("%q is not on the page", fact)
				}
			}
		})
	}
}
