// Command compare measures holdfast's checks and porcupine's on the same
// generated histories, in one process for each history, and prints one table
// in Markdown: time, peak memory of the whole process, and ratio.
//
//	go run ./internal/compare            # everything: about half an hour
//	go run ./internal/compare -max 100000
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// row is one history and what it took to judge it.
type row struct {
	Model    string
	Calls    int
	Unknown  float64
	Violated bool

	Ours, Theirs measurement
}

// measurement is one check of one history.
type measurement struct {
	// Verdict is "holds", "violated", "unknown" or, if it was not asked, "".
	Verdict string
	Seconds float64
	// Bytes is the peak of the process's resident memory, the history included.
	Bytes int64
	// Capped says which cap ended it, or is "".
	Capped string
	// Witness is how many calls prove the violation.
	Witness int
}

func main() {
	largest := flag.Int("max", 10_000_000, "the most calls of a history")
	models := flag.String("models", "mutex,rwmutex,cas-register", "the models to measure")
	seconds := flag.Float64("seconds", 60, "porcupine's cap of time")
	gigabytes := flag.Float64("gigabytes", 8, "porcupine's cap of memory")
	child := flag.String("row", "", "measure this row, in JSON, and print it (used by compare itself)")
	flag.Parse()
	limit := caps{time.Duration(*seconds * float64(time.Second)), int64(*gigabytes * 1e9)}
	if *child != "" {
		if err := measureRow(*child, limit); err != nil {
			fmt.Fprintf(os.Stderr, "compare: %v\n", err)
			os.Exit(1)
		}
		return
	}
	if err := compare(strings.Split(*models, ","), *largest, limit); err != nil {
		fmt.Fprintf(os.Stderr, "compare: %v\n", err)
		os.Exit(1)
	}
}

// compare measures every history and prints the table as it grows. Porcupine is
// not asked about a longer history of a kind that it had reached a cap on.
func compare(models []string, largest int, limit caps) error {
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for _, model := range models {
		fmt.Fprintf(out, "\n%s\n", header(model))
		out.Flush()
		capped := make(map[string]int)
		for n := 1000; n <= min(largest, longest(model)); n *= 10 {
			for _, unknown := range []float64{0, 0.01, 0.1} {
				for _, violated := range []bool{false, true} {
					r := row{Model: model, Calls: n, Unknown: unknown, Violated: violated}
					kind := fmt.Sprint(unknown, violated)
					if at, ok := capped[kind]; ok {
						r.Theirs.Capped = fmt.Sprintf("not asked: capped at %s", thousands(at))
					}
					if err := inProcess(&r, limit); err != nil {
						return err
					}
					if _, ok := capped[kind]; !ok && r.Theirs.Capped != "" {
						capped[kind] = n
					}
					fmt.Fprintln(out, r.markdown())
					out.Flush()
				}
			}
		}
	}
	return nil
}

// longest is the most calls of a history of the model: the general search
// keeps a little for each unknown call, so its table ends earlier.
func longest(model string) int {
	if model == "cas-register" {
		return 1_000_000
	}
	return 10_000_000
}

// inProcess measures a row in a process of its own, so that no history's
// memory counts for another.
func inProcess(r *row, limit caps) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, "-row", string(text), "-seconds", fmt.Sprint(limit.time.Seconds()), "-gigabytes", fmt.Sprint(float64(limit.bytes)/1e9))
	cmd.Stderr = os.Stderr
	output, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("measure %s: %w", text, err)
	}
	if err := json.Unmarshal(output, r); err != nil {
		return fmt.Errorf("read the measurement of %s: %w", text, err)
	}
	return nil
}
