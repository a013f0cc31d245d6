package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/etcd-holdfast/holdfast"
	"github.com/etcd-holdfast/holdfast/workloads/pipe/conform"
)

// piped is the scenario under which a program is put to the test: one made for
// it, or the named one with the program in place of its subjects.
func piped(ctx context.Context, program string, args []string) ([]byte, error) {
	if len(args) == 0 {
		s, err := holdfast.PipeScenario(ctx, program)
		if err != nil {
			return nil, err
		}
		return s.YAML()
	}
	s, err := loadScenario(args[0], nil)
	if err != nil {
		return nil, err
	}
	if s, err = s.WithPipe(ctx, program); err != nil {
		return nil, err
	}
	return s.YAML()
}

func pipeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "pipe",
		Short: "Programs in any language, which speak JSON lines",
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "check COMMAND",
		Short: "See whether a program keeps to the protocol",
		Long: `Start an etcd of one member, go through the protocol of docs/protocol.md with a
program, step by step, and print what was seen: ok, FAIL with what was expected,
what came and what to do, or skipped, for what the program does not offer.
The command is run by sh: quote it.

It does not put the lock to the test: that is what "holdfast run --pipe" does.

Exit codes: 0 no step failed; 1 one did; 64 wrong usage, or the program cannot be
started or does not say what it is; 70 holdfast itself failed.`,
		Example: `  holdfast pipe check 'python3 examples/pipe-python/lock.py'`,
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			well, err := holdfast.CheckPipe(cmd.Context(), args[0], func(s conform.Step) {
				fmt.Fprintf(cmd.OutOrStdout(), "%-8s %s: %s\n", s.Outcome, s.Name, s.Text)
			})
			if err == nil && !well {
				err = exitError{1}
			}
			return err
		},
	})
	return cmd
}
