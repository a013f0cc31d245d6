package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/checker/exact"
	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/internal/tracegen"
)

// caps bound what porcupine may take.
type caps struct {
	time  time.Duration
	bytes int64
}

// measureRow makes a row's history, has both judge it, and prints the row.
func measureRow(text string, limit caps) error {
	var r row
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return err
	}
	t, err := tracegen.Trace(tracegen.Options{Model: r.Model, Calls: r.Calls, Clients: 8, Unknown: r.Unknown, Violated: r.Violated, Seed: 1})
	if err != nil {
		return err
	}
	model, ok := exact.ModelNamed(r.Model)
	if !ok {
		return fmt.Errorf("there is no model %q", r.Model)
	}
	r.Ours = ours(t, model)
	if want := map[bool]checker.Verdict{false: checker.Holds, true: checker.Violated}[r.Violated]; r.Ours.Verdict != string(want) && r.Ours.Verdict != string(checker.Unknown) {
		return fmt.Errorf("holdfast says that %s %s, and it was made to be %s", text, r.Ours.Verdict, want)
	}
	if r.Theirs.Capped == "" {
		r.Theirs = theirs(t.Calls, model, limit)
		if r.Theirs.Capped == "" && r.Theirs.Verdict != r.Ours.Verdict && r.Ours.Verdict != string(checker.Unknown) {
			return fmt.Errorf("they disagree on %s: holdfast says %s, porcupine %s", text, r.Ours.Verdict, r.Theirs.Verdict)
		}
	}
	return json.NewEncoder(os.Stdout).Encode(&r)
}

// ours judges with holdfast, as `holdfast check` does: the witness is
// confirmed within the time.
func ours(t *history.Trace, model exact.Model) measurement {
	forget()
	start := time.Now()
	result := checker.CheckTrace(context.Background(), t, model, exact.Parameters{}, exact.Limits{})
	m := measurement{Verdict: string(result.Verdict), Seconds: time.Since(start).Seconds(), Bytes: peak()}
	if len(result.Violations) > 0 {
		m.Witness = len(result.Violations[0].Witness)
	}
	return m
}

// theirs judges with porcupine. Its search has no limit of memory: when there
// is too much, the model refuses every further step, which ends it.
func theirs(calls []history.Call, model exact.Model, limit caps) measurement {
	forget()
	specification, operations := model.Porcupine(calls, exact.Parameters{})
	var full atomic.Bool
	step := specification.StepContext
	specification.StepContext = func(ctx context.Context, state, input, output any) (bool, any) {
		if full.Load() {
			return false, state
		}
		return step(ctx, state, input, output)
	}
	done := make(chan struct{})
	go func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				if status("VmRSS") > limit.bytes {
					full.Store(true)
					return
				}
			}
		}
	}()
	start := time.Now()
	result := porcupine.CheckOperationsTimeout(specification, operations, limit.time)
	m := measurement{Seconds: time.Since(start).Seconds(), Bytes: peak()}
	close(done)
	switch {
	case full.Load():
		m.Verdict, m.Capped = string(checker.Unknown), fmt.Sprintf("> %.0f GB", float64(limit.bytes)/1e9)
	case result == porcupine.Ok:
		m.Verdict = string(checker.Holds)
	case result == porcupine.Illegal:
		m.Verdict = string(checker.Violated)
	default:
		m.Verdict, m.Capped = string(checker.Unknown), "out of time"
	}
	return m
}

// forget gives memory back and begins a new peak.
func forget() {
	runtime.GC()
	debug.FreeOSMemory()
	// Where the kernel does not let a process reset its peak, it stays that of
	// the making of the history, which is no less.
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0o200)
}

// peak is the most resident memory since forget, in bytes.
func peak() int64 { return status("VmHWM") }

// status reads a line of /proc/self/status, given there in KiB, as bytes; 0 if
// there is none.
func status(name string) int64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			if err != nil {
				return 0
			}
			return kib * 1024
		}
	}
	return 0
}
