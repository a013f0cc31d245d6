// Command reportbench makes the report of a long run and looks at it: how large
// it is, how long it takes to make, until Chromium paints it, until it can be
// used, and how long a step of the timeline's zoom takes. Beside the time that
// passes stands the processor time, which says more on a machine that others use:
// of this process, and of the page's main thread.
//
//	go run ./internal/reportbench -operations 100000,1000000
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/etcd-holdfast/holdfast"
	"github.com/etcd-holdfast/holdfast/internal/browser"
	"github.com/etcd-holdfast/holdfast/internal/synthetic"
	"github.com/etcd-holdfast/holdfast/reports"
)

func main() {
	sizes := flag.String("operations", "100000,1000000", "how many operations each run has")
	seed := flag.Uint64("seed", 1, "the seed of the runs")
	limit := flag.Duration("limit", 10*time.Minute, "how long all of it may take")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, *limit)
	defer cancel()
	if err := measure(ctx, os.Stdout, *sizes, *seed); err != nil {
		fmt.Fprintln(os.Stderr, "reportbench:", err)
		os.Exit(1)
	}
}

func measure(ctx context.Context, w io.Writer, sizes string, seed uint64) error {
	parent, err := os.MkdirTemp("", "holdfast-reportbench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(parent)
	fmt.Fprintln(w, "| operations | report, MB | made in, s (processor) | first paint, s | usable after, s (processor) | zoom step, ms: median, longest (processor, mean) |")
	fmt.Fprintln(w, "|---:|---:|---:|---:|---:|---:|")
	for _, text := range strings.Split(sizes, ",") {
		operations, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("operations: %w", err)
		}
		path := filepath.Join(parent, text)
		if err := synthetic.Directory(path, synthetic.Options{Operations: operations, Seed: seed, DoubleHold: true}); err != nil {
			return err
		}
		judged, err := holdfast.Judge(path, false)
		if err != nil {
			return err
		}
		began, used := time.Now(), processor()
		page, err := reports.HTML(judged.Report)
		if err != nil {
			return err
		}
		made, used := time.Since(began), processor()-used
		name := filepath.Join(path, "report.html")
		if err := os.WriteFile(name, page, 0o644); err != nil {
			return err
		}
		seen, err := look(ctx, "file://"+name)
		if err != nil {
			return fmt.Errorf("look at %s: %w", name, err)
		}
		fmt.Fprintf(w, "| %d | %.1f | %.1f (%.1f) | %.2f | %.2f (%.2f) | %.0f, %.0f (%.0f) |\n",
			operations, float64(len(page))/1e6, made.Seconds(), used.Seconds(), seen.Paint/1000, seen.Usable/1000, seen.loading, seen.Median, seen.Longest, 1000*seen.zooming/float64(seen.Steps))
	}
	return nil
}

// processor is the processor time that this process has used.
func processor() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// seen is what a browser took for a page, in milliseconds.
type seen struct {
	Paint, Usable, Median, Longest float64
	Steps                          int
	loading, zooming               float64 // processor time, in seconds
}

// steps zooms in on the middle of each third of the run and out again, over one
// object and over all, and tells how long each step takes to draw.
const steps = `(async () => {
	const { timeline, paint, usable } = holdfast;
	const took = [];
	for (const place of [timeline.place, -1]) {
		timeline.place = place;
		paint(); // to another object is no step of a zoom
		for (const share of [1 / 6, 1 / 2, 5 / 6]) {
			timeline.show(0, timeline.run.End);
			for (let k = 0; k < 24; k++) {
				await new Promise(requestAnimationFrame);
				const began = performance.now();
				timeline.zoom(k < 12 ? 0.5 : 2, timeline.run.End * share);
				paint();
				timeline.g.getImageData(0, 0, 1, 1); // until it is drawn
				took.push(performance.now() - began);
			}
		}
	}
	took.sort((a, b) => a - b);
	const painted = performance.getEntriesByName('first-contentful-paint')[0];
	return { Paint: painted ? painted.startTime : -1, Usable: usable, Median: took[took.length >> 1], Longest: took[took.length - 1], Steps: took.length };
})()`

func look(ctx context.Context, address string) (seen, error) {
	tab, end, err := browser.Start(ctx)
	if err != nil {
		return seen{}, err
	}
	defer end()
	if _, err := browser.Busy(tab); err != nil {
		return seen{}, err
	}
	if err := chromedp.Do(tab, chromedp.EmulateViewport(1440, 900), chromedp.Navigate(address), browser.Ready(), browser.Painted()); err != nil {
		return seen{}, err
	}
	loaded, err := browser.Busy(tab)
	if err != nil {
		return seen{}, err
	}
	out, err := chromedp.Run(tab, chromedp.Evaluate[seen](steps, chromedp.EvalAwaitPromise))
	if err != nil {
		return seen{}, err
	}
	zoomed, err := browser.Busy(tab)
	out.loading, out.zooming = loaded, zoomed-loaded
	return out, err
}
