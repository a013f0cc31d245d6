// Package browser looks at pages with Chromium, without a window: for tests, and
// for pictures of reports.
package browser

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"sync"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// ErrNone says that there is no Chromium on this machine.
var ErrNone = errors.New("there is no Chromium in PATH (Debian: apt-get install chromium)")

// Find returns the path of Chromium, or ErrNone.
func Find() (string, error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", ErrNone
}

// Start starts Chromium and returns a context for chromedp's actions and what
// ends it. It ends with ctx, too.
func Start(ctx context.Context) (context.Context, func(), error) {
	path, err := Find()
	if err != nil {
		return nil, nil, err
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(path), chromedp.Flag("hide-scrollbars", true), chromedp.Flag("font-render-hinting", "none"))
	if os.Geteuid() == 0 { // Chromium's sandbox refuses root
		options = append(options, chromedp.NoSandbox)
	}
	allocated, stop := chromedp.NewExecAllocator(ctx, options...)
	tab, closeTab := chromedp.NewContext(allocated)
	end := func() {
		closeTab()
		stop()
	}
	if err := chromedp.Do(tab); err != nil {
		end()
		return nil, nil, fmt.Errorf("start %s: %w", path, err)
	}
	return tab, end, nil
}

// Witness is what a page did besides showing itself.
type Witness struct {
	mu       sync.Mutex
	errors   []string
	requests []string
}

// Watch records from now on what the page of tab complains of, and asks for.
func Watch(tab context.Context) (*Witness, error) {
	w := &Witness{}
	return w, chromedp.Listen(tab, func(event any) {
		w.mu.Lock()
		defer w.mu.Unlock()
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			text := e.ExceptionDetails.Text
			if e.ExceptionDetails.Exception != nil {
				text += " " + e.ExceptionDetails.Exception.Description
			}
			w.errors = append(w.errors, text)
		case *runtime.EventConsoleAPICalled:
			w.errors = append(w.errors, fmt.Sprintf("console.%s", e.Type))
		case *log.EventEntryAdded:
			w.errors = append(w.errors, fmt.Sprintf("%s: %s", e.Entry.Level, e.Entry.Text))
		case *network.EventRequestWillBeSent:
			w.requests = append(w.requests, e.Request.URL)
		}
	})
}

// Errors are the page's exceptions, and all that it or the browser logged.
func (w *Witness) Errors() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.errors)
}

// Requests are the addresses that were asked for, the page's own among them.
func (w *Witness) Requests() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.requests)
}

// Media chooses the medium ("screen" or "print"), and the colours that the page is
// told the reader prefers ("light" or "dark").
func Media(medium, scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Media: medium, Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	})
}

// Scripts says whether the page's scripts are run.
func Scripts(run bool) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !run})
		return err
	})
}

// Ready waits until the page of a report is interactive.
func Ready() chromedp.Action[chromedp.Void] { return chromedp.WaitReady(`html[data-ready="yes"]`) }

// Painted waits until the page has been painted.
func Painted() chromedp.Action[chromedp.Void] {
	return Script(`new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`)
}

// Script runs a piece of script, and waits for its promise if it is one.
func Script(text string) chromedp.Action[chromedp.Void] {
	return chromedp.Evaluate[chromedp.Void](text, chromedp.EvalAwaitPromise)
}

// Busy returns how many seconds of processor time the page's main thread has taken
// since the first call, which returns nearly nothing.
func Busy(tab context.Context) (float64, error) {
	if _, err := chromedp.Call(tab, performance.Enable, performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks}); err != nil {
		return 0, err
	}
	got, err := chromedp.Call(tab, performance.GetMetrics, cdp.Empty{})
	if err != nil {
		return 0, err
	}
	for _, m := range got.Metrics {
		if m.Name == "TaskDuration" {
			return m.Value, nil
		}
	}
	return 0, errors.New("there is no word from Chromium on how busy it was")
}
