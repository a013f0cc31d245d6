package main

import (
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/etcd-holdfast/holdfast"
)

// shrinkAll shrinks everything that a sweep found.
func (f *simulateFlags) shrinkAll(cmd *cobra.Command, r *holdfast.SweepResult) error {
	for _, found := range r.Found {
		if err := f.shrinkOne(cmd, found.Smallest, found.Mechanism); err != nil {
			return err
		}
		if cmd.Context().Err() != nil {
			return nil
		}
	}
	return nil
}

// shrinkOne shrinks one of several runs that show the same, writes the scenario to
// a file and says what came of it.
func (f *simulateFlags) shrinkOne(cmd *cobra.Command, runs []holdfast.Scenario, mechanism string) error {
	status := newStatus(cmd.ErrOrStderr())
	best, err := holdfast.ShrinkAny(cmd.Context(), runs, mechanism, holdfast.ShrinkOptions{
		Jobs: f.sweep.Jobs, Progress: func(p holdfast.ShrinkProgress) {
			status.set(part{text: fmt.Sprintf("shrinking: %s; %d simulations; %v", p.Step, p.Simulations, p.Size)})
		},
	})
	status.end()
	switch {
	case best == nil && cmd.Context().Err() != nil:
		return nil // there was no time for it
	case err != nil:
		return fmt.Errorf("shrink what shows %q: %w", mechanism, err)
	}
	text, err := best.Scenario.YAML()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(f.out, 0o755); err != nil {
		return fmt.Errorf("write the shrunk scenario: %w", err)
	}
	path := filepath.Join(f.out, fileOf(best))
	if err := os.WriteFile(path, text, 0o644); err != nil {
		return fmt.Errorf("write the shrunk scenario: %w", err)
	}
	w := cmd.OutOrStdout()
	if f.asJSON {
		w = cmd.ErrOrStderr() // what is there already is one JSON value
	}
	printShrunk(w, best, path)
	return nil
}

// longestName is how many letters of a mechanism a file's name has at most.
const longestName = 100

// fileOf is a file's name that says which subject, and what it shows. One that is
// too long ends in a hash instead: mechanisms may differ in their last words only.
func fileOf(s *holdfast.Shrunk) string {
	subject, name := s.Scenario.Workloads[0].Subject, slug(s.Mechanism)
	if !strings.HasPrefix(name, slug(subject)+"-") {
		name = slug(subject) + "-" + name
	}
	if len(name) > longestName {
		hash := fmt.Sprintf("-%08x", crc32.ChecksumIEEE([]byte(name)))
		name = name[:longestName-len(hash)] + hash
	}
	return "shrunk-" + name + ".yaml"
}

// slug is a mechanism as part of a file's name.
func slug(text string) string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
	return strings.Join(words, "-")
}

// printShrunk says what became small, and how to see it.
func printShrunk(w io.Writer, s *holdfast.Shrunk, path string) {
	fmt.Fprintf(w, "shrunk: %s\n%s\n", s.Mechanism, indent(s.Sentence))
	fmt.Fprintf(w, "  from %v\n  to   %v\n", s.Before, s.After)
	how := "with any seed"
	if s.NeedsSeed {
		how = fmt.Sprintf("with seed %d, which it still needs", s.Scenario.Seed)
	}
	if s.Cut {
		how += "; there was no time to make it smaller"
	}
	fmt.Fprintf(w, "  %d simulations in %.1f s; it shows that %s\n  holdfast run %s\n\n", s.Simulations, s.Took.Seconds(), how, path)
}
