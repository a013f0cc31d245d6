package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/etcd-holdfast/holdfast"
	"github.com/etcd-holdfast/holdfast/checker"
)

// sweepLine says how far a sweep is, what matters most first.
func sweepLine(r *holdfast.SweepResult, o holdfast.SweepOptions) []part {
	runs := fmt.Sprint(r.Runs)
	if o.To > 0 {
		runs += fmt.Sprintf(" of %d", o.To-o.From+1)
	}
	unexplained := 0
	for _, f := range r.Found {
		if !f.Excused {
			unexplained++
		}
	}
	parts := []part{
		{text: r.Took.Truncate(time.Second).String()}, {text: runs + " runs"},
		{text: fmt.Sprintf("%d %s found", len(r.Found), plural("mechanism", int64(len(r.Found))))}, {text: "all explained"},
		{text: fmt.Sprintf("%.0f runs/s, %.0f times as fast as time", r.Rate(), r.Speed())},
	}
	switch {
	case unexplained > 0:
		parts[3] = part{fmt.Sprintf("%d unexplained", unexplained), red}
	case len(r.Found) == 0:
		parts[3].text = "nothing unexplained"
	}
	return parts
}

// sweepExit is the exit code of a sweep.
func sweepExit(r *holdfast.SweepResult, o holdfast.SweepOptions) int {
	verdict := r.Verdict(o.Strict)
	switch {
	case verdict == checker.Violated:
		return checker.ExitViolated
	case len(r.Failed)+len(r.Diverged) > 0:
		return checker.ExitInternal
	case verdict != checker.Holds:
		return checker.ExitUnknown
	default:
		return checker.ExitHolds
	}
}

// printSweep writes what a sweep found: again is the command for one seed.
func printSweep(w io.Writer, r *holdfast.SweepResult, o holdfast.SweepOptions, again string) error {
	if len(r.Found) > 0 {
		rows := [][]string{{"RUNS", "FIRST SEED", "AFTER", "MECHANISM"}}
		for _, f := range r.Found {
			mark := ""
			if !f.Excused {
				mark = "UNEXPLAINED: "
			}
			rows = append(rows, []string{fmt.Sprint(f.Runs), fmt.Sprint(f.Seed), fmt.Sprintf("%.1f s", f.After.Seconds()), shortened(mark+f.Mechanism, mechanismWidth)})
		}
		if err := writeTable(w, rows); err != nil {
			return err
		}
		fmt.Fprintln(w)
		for _, f := range r.Found {
			fmt.Fprintf(w, "%s\n%s\n  %s %d\n\n", wrapped(f.Mechanism, lineWidth), indent(f.Violation.Sentence), again, f.Seed)
		}
	}
	for _, seed := range r.Diverged {
		fmt.Fprintf(w, "seed %d recorded something else when it was run again: that is a bug of holdfast's\n", seed)
	}
	for _, seed := range slices.Sorted(maps.Keys(r.Failed)) {
		fmt.Fprintf(w, "seed %d could not be run: %v\n", seed, r.Failed[seed])
	}
	fmt.Fprintln(w, tested(r))
	cut := ""
	switch {
	case r.Interrupted:
		cut = ", interrupted before the rest,"
	case o.To > 0 && !r.Complete:
		cut = fmt.Sprintf(" of %d, ended before the rest,", o.To-o.From+1)
	}
	summary := fmt.Sprintf("%d runs%s in %.1f s: %.0f a second, %.1f virtual hours, %.0f times as fast as time, %d operations",
		r.Runs, cut, r.Took.Seconds(), r.Rate(), r.Virtual.Hours(), r.Speed(), r.Operations)
	_, err := fmt.Fprintf(w, "%s\n%s\n", wrapped(summary, lineWidth), r.Verdict(o.Strict))
	return err
}

const (
	// lineWidth is how many columns the result takes at most.
	lineWidth = 100
	// mechanismWidth is what the columns before it leave a mechanism.
	mechanismWidth = lineWidth - len("100000  100000      1000.0 s  ")
)

// shortened is a text of at most so many letters.
func shortened(text string, width int) string {
	if letters := []rune(text); len(letters) > width {
		return string(letters[:width-1]) + "…"
	}
	return text
}

// tested says which properties were put to the test, in how many runs.
func tested(r *holdfast.SweepResult) string {
	parts := make(map[string][]string)
	for _, t := range r.Tested {
		part := fmt.Sprintf("%s %d", t.Property, t.Holds+t.Violated)
		if t.Unknown > 0 {
			part += fmt.Sprintf(" (unknown %d)", t.Unknown)
		}
		parts[t.Subject] = append(parts[t.Subject], part)
	}
	var lines []string
	for _, subject := range slices.Sorted(maps.Keys(parts)) {
		of := ""
		if len(parts) > 1 {
			of = " for " + subject
		}
		lines = append(lines, wrapped("runs that put it to the test"+of+": "+strings.Join(parts[subject], ", "), lineWidth))
	}
	return strings.Join(lines, "\n")
}

func indent(text string) string {
	return "  " + strings.ReplaceAll(wrapped(text, lineWidth-2), "\n", "\n  ")
}

// wrapped breaks a text into lines.
func wrapped(text string, width int) string {
	var b strings.Builder
	n := 0
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
		case n+1+len(word) > width:
			b.WriteByte('\n')
			n = 0
		default:
			b.WriteByte(' ')
			n++
		}
		b.WriteString(word)
		n += len(word)
	}
	return b.String()
}

// sweepJSON is a sweep for machines.
type sweepJSON struct {
	Verdict     checker.Verdict  `json:"verdict"`
	Exit        int              `json:"exit"`
	Runs        int              `json:"runs"`
	Complete    bool             `json:"complete"`
	Interrupted bool             `json:"interrupted"`
	RunsPerS    float64          `json:"runs_per_s"`
	VirtualS    float64          `json:"virtual_s"`
	TookS       float64          `json:"took_s"`
	VirtualPerS float64          `json:"virtual_s_per_s"`
	Operations  int64            `json:"operations"`
	Found       []foundJSON      `json:"found"`
	Properties  []testedJSON     `json:"properties"`
	Diverged    []int64          `json:"diverged"`
	CouldNotRun map[int64]string `json:"could_not_run"`
}

type foundJSON struct {
	Mechanism string        `json:"mechanism"`
	Subject   string        `json:"subject"`
	Property  string        `json:"property"`
	Blame     checker.Blame `json:"blame"`
	Known     string        `json:"known"`
	Excused   bool          `json:"excused"`
	Runs      int           `json:"runs"`
	Seed      int64         `json:"seed"`
	AfterS    float64       `json:"after_s"`
	Sentence  string        `json:"sentence"`
	Digest    string        `json:"digest"`
}

type testedJSON struct {
	Subject  string `json:"subject"`
	Property string `json:"property"`
	Holds    int    `json:"holds"`
	Violated int    `json:"violated"`
	Unknown  int    `json:"unknown"`
	Vacuous  int    `json:"vacuous"`
}

func printSweepJSON(w io.Writer, r *holdfast.SweepResult, o holdfast.SweepOptions) error {
	all := sweepJSON{
		Verdict: r.Verdict(o.Strict), Exit: sweepExit(r, o), Runs: r.Runs, Complete: r.Complete, Interrupted: r.Interrupted, RunsPerS: r.Rate(),
		VirtualS: r.Virtual.Seconds(), TookS: r.Took.Seconds(), VirtualPerS: r.Speed(), Operations: r.Operations,
		Found: []foundJSON{}, Properties: []testedJSON{}, Diverged: append([]int64{}, r.Diverged...), CouldNotRun: map[int64]string{},
	}
	for seed, err := range r.Failed {
		all.CouldNotRun[seed] = err.Error()
	}
	for _, t := range r.Tested {
		all.Properties = append(all.Properties, testedJSON(t))
	}
	for _, f := range r.Found {
		all.Found = append(all.Found, foundJSON{
			Mechanism: f.Mechanism, Subject: f.Subject, Property: f.Property, Blame: f.Violation.Blame, Known: f.Violation.Known,
			Excused: f.Excused, Runs: f.Runs, Seed: f.Seed, AfterS: f.After.Seconds(), Sentence: f.Violation.Sentence, Digest: f.Digest.String(),
		})
	}
	content, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", content)
	return err
}
