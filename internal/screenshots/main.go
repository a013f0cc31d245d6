// Command screenshots takes pictures of reports with Chromium.
//
//	go run ./internal/screenshots -out docs/screenshots NAME=REPORT.html...
//
// Of each report it takes the kinds that -kinds names: the first screen, the same in
// dark, the same on a narrow screen, and the timeline with a part of the run
// selected, in light and dark.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/etcd-holdfast/holdfast/internal/browser"
)

func main() {
	out := flag.String("out", "docs/screenshots", "the directory for the pictures")
	kinds := flag.String("kinds", "first,dark,narrow,timeline,timeline-dark", "which pictures to take of each")
	limit := flag.Duration("limit", 2*time.Minute, "how long it may take")
	flag.Parse()
	if flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "screenshots: name at least one report: NAME=REPORT.html")
		os.Exit(64)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, *limit)
	defer cancel()
	if err := run(ctx, *out, strings.Split(*kinds, ","), flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "screenshots:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out string, kinds, reports []string) error {
	for _, kind := range kinds {
		if _, ok := views[kind]; !ok {
			return fmt.Errorf("there is no kind %q of picture", kind)
		}
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	tab, end, err := browser.Start(ctx)
	if err != nil {
		return err
	}
	defer end()
	for _, argument := range reports {
		name, path, ok := strings.Cut(argument, "=")
		if !ok {
			return fmt.Errorf("%q is not NAME=REPORT.html", argument)
		}
		if path, err = filepath.Abs(path); err != nil {
			return err
		}
		if err := pictures(tab, kinds, filepath.Join(out, name), "file://"+path); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

// view is how a picture is taken.
type view struct {
	suffix, scheme string
	width, height  int64
	timeline       bool
}

var views = map[string]view{
	"first": {"", "light", 1440, 900, false}, "dark": {"-dark", "dark", 1440, 900, false}, "narrow": {"-narrow", "light", 800, 1100, false},
	"timeline": {"-timeline", "light", 1440, 900, true}, "timeline-dark": {"-timeline-dark", "dark", 1440, 900, true},
}

// pictures takes those of one report; their names begin with prefix.
func pictures(tab context.Context, kinds []string, prefix, address string) error {
	if err := chromedp.Do(tab, browser.Media("screen", "light"), chromedp.EmulateViewport(1440, 900), chromedp.Navigate(address), browser.Ready()); err != nil {
		return err
	}
	for _, kind := range kinds {
		v := views[kind]
		steps := []chromedp.Action[chromedp.Void]{browser.Media("screen", v.scheme), chromedp.EmulateViewport(v.width, v.height), browser.Script(`scrollTo(0, 0)`)}
		if v.timeline { // the first violation, of whose surroundings the middle half is selected
			steps = append(steps, browser.Script(`document.querySelector('.lanes').focus({ preventScroll: true })`),
				chromedp.KeyEvent("0"), chromedp.KeyEvent("n"), chromedp.KeyEvent("+"), chromedp.KeyEvent(kb.Enter), chromedp.KeyEvent("-"),
				browser.Script(`document.activeElement.blur(); document.querySelector('#timeline').scrollIntoView()`))
		}
		if err := picture(tab, prefix+v.suffix+".png", steps...); err != nil {
			return err
		}
	}
	return nil
}

// picture does what makes the screen, waits until it is painted, and writes it.
func picture(tab context.Context, name string, before ...chromedp.Action[chromedp.Void]) error {
	if err := chromedp.Do(tab, append(before, browser.Painted())...); err != nil {
		return err
	}
	png, err := chromedp.Run(tab, chromedp.CaptureScreenshot())
	if err != nil {
		return err
	}
	return os.WriteFile(name, png, 0o644)
}
