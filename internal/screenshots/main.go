// Command screenshots takes pictures of reports with Chromium.
//
//	go run ./internal/screenshots -out docs/screenshots NAME=REPORT.html...
//
// Of each report it takes the first screen in light and dark, the same on a
// narrow screen, and the timeline with a part of the run selected.
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
	if err := run(ctx, *out, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "screenshots:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out string, reports []string) error {
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
		if err := pictures(tab, filepath.Join(out, name), "file://"+path); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

// pictures takes all of one report; their names begin with prefix.
func pictures(tab context.Context, prefix, address string) error {
	if err := chromedp.Do(tab, browser.Media("screen", "light"), chromedp.EmulateViewport(1440, 900), chromedp.Navigate(address), browser.Ready()); err != nil {
		return err
	}
	for _, p := range []struct {
		suffix, scheme string
		width, height  int64
	}{{"", "light", 1440, 900}, {"-dark", "dark", 1440, 900}, {"-narrow", "light", 800, 1100}} {
		if err := picture(tab, prefix+p.suffix+".png", browser.Media("screen", p.scheme), chromedp.EmulateViewport(p.width, p.height),
			browser.Script(`scrollTo(0, 0)`)); err != nil {
			return err
		}
	}
	for _, scheme := range []string{"light", "dark"} {
		suffix := map[string]string{"light": "-timeline", "dark": "-timeline-dark"}[scheme]
		if err := picture(tab, prefix+suffix+".png", browser.Media("screen", scheme), chromedp.EmulateViewport(1440, 900),
			browser.Script(`document.querySelector('.lanes').focus({ preventScroll: true })`),
			chromedp.KeyEvent("0"), chromedp.KeyEvent("n"), chromedp.KeyEvent(kb.Enter),
			browser.Script(`document.querySelector('#timeline').scrollIntoView()`)); err != nil {
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
