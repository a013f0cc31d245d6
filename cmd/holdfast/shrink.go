package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/etcd-holdfast/holdfast"
)

// shrinkAll shrinks the first run of everything that a sweep found.
func (f *simulateFlags) shrinkAll(cmd *cobra.Command, r *holdfast.SweepResult) error {
	for _, found := range r.Found {
		if err := f.shrinkOne(cmd, found.Scenario, found.Mechanism, found.Seed); err != nil {
			return err
		}
		if cmd.Context().Err() != nil {
			return nil
		}
	}
	return nil
}

// shrinkOne shrinks one run, writes the scenario to a file and says what came of
// it.
func (f *simulateFlags) shrinkOne(cmd *cobra.Command, scenario holdfast.Scenario, mechanism string, seed int64) error {
	status := newStatus(cmd.ErrOrStderr())
	shrunk, err := holdfast.Shrink(cmd.Context(), scenario, mechanism, holdfast.ShrinkOptions{
		Jobs: f.sweep.Jobs, Progress: func(p holdfast.ShrinkProgress) {
			status.set(fmt.Sprintf("shrinking: %s; %d simulations; %v", p.Step, p.Simulations, p.Size))
		},
	})
	status.end()
	if err != nil {
		return fmt.Errorf("shrink seed %d: %w", seed, err)
	}
	text, err := shrunk.Scenario.YAML()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(f.out, 0o755); err != nil {
		return fmt.Errorf("write the shrunk scenario: %w", err)
	}
	path := filepath.Join(f.out, fmt.Sprintf("shrunk-%s-%d-%s.yaml", scenario.Workloads[0].Subject, seed, slug(mechanism)))
	if err := os.WriteFile(path, text, 0o644); err != nil {
		return fmt.Errorf("write the shrunk scenario: %w", err)
	}
	printShrunk(cmd.OutOrStdout(), shrunk, path)
	return nil
}

// slug is a mechanism as part of a file's name.
func slug(text string) string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
	name := strings.Join(words, "-")
	return name[:min(len(name), 60)]
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
