// Command bench makes synthetic run directories and measures what a holdfast
// program needs to check them: wall time, processor time, peak memory.
//
//	go build -o holdfast ./cmd/holdfast
//	go run ./internal/synthetic/bench -holdfast ./holdfast -operations 100000,1000000
//
// With -keep, directories are made below that path, once, and left there.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/etcd-holdfast/holdfast/internal/synthetic"
)

func main() {
	program := flag.String("holdfast", "./holdfast", "the program to measure")
	sizes := flag.String("operations", "100000,1000000", "how many operations each run has")
	keep := flag.String("keep", "", "where to keep the directories; \"\" is a temporary place")
	seed := flag.Uint64("seed", 1, "the seed of the runs")
	flag.Parse()
	if err := measure(os.Stdout, *program, *sizes, *keep, *seed); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func measure(w io.Writer, program, sizes, parent string, seed uint64) error {
	program, err := filepath.Abs(program)
	if err != nil {
		return err
	}
	if parent == "" {
		if parent, err = os.MkdirTemp("", "holdfast-bench-"); err != nil {
			return err
		}
		defer os.RemoveAll(parent)
	}
	fmt.Fprintln(w, "| operations | bytes read | run | wall | user + sys | peak memory | exit |")
	fmt.Fprintln(w, "|---:|---:|---|---:|---:|---:|---:|")
	for _, text := range strings.Split(sizes, ",") {
		operations, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("operations: %w", err)
		}
		for _, violated := range []bool{false, true} {
			name := map[bool]string{false: "holds", true: "double hold"}[violated]
			path := filepath.Join(parent, fmt.Sprintf("%d-%d-%s", operations, seed, strings.ReplaceAll(name, " ", "-")))
			if _, err := os.Stat(filepath.Join(path, "run.json")); err != nil {
				o := synthetic.Options{Operations: operations, Seed: seed, DoubleHold: violated}
				if err := synthetic.Directory(path, o); err != nil {
					return err
				}
			}
			var size int64
			for _, file := range []string{"history.jsonl", "revisions.jsonl"} {
				stat, err := os.Stat(filepath.Join(path, file))
				if err != nil {
					return err
				}
				size += stat.Size()
			}
			check := exec.Command(program, "check", path)
			began := time.Now()
			_, err := check.Output()
			took := time.Since(began)
			if check.ProcessState == nil {
				return fmt.Errorf("run %s: %w", program, err)
			}
			usage, ok := check.ProcessState.SysUsage().(*syscall.Rusage)
			if !ok {
				return fmt.Errorf("this system does not tell what a process used")
			}
			fmt.Fprintf(w, "| %d | %d MB | %s | %.2f s | %.2f s | %d MB | %d |\n", operations, size/1e6, name, took.Seconds(),
				(check.ProcessState.UserTime() + check.ProcessState.SystemTime()).Seconds(), usage.Maxrss*1024/1e6, check.ProcessState.ExitCode())
		}
	}
	return nil
}
