package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/etcd-holdfast/holdfast"
)

func checkCommand() *cobra.Command {
	var strict, asJSON bool
	cmd := &cobra.Command{
		Use:   "check DIR",
		Short: "Judge a run again from its directory",
		Long: `Judge a run from nothing but its directory, whole or cut short at any moment, and
write verdict.json and report.html there. The same directory gives the same
verdict, byte for byte.

` + exitCodesHelp,
		Example: `  holdfast check runs/latest
  holdfast check runs/latest --json | cmp - runs/latest/verdict.json`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			j, err := judge(args[0], strict)
			if err != nil {
				return err
			}
			// A stricter look is not the run's own verdict: it is only shown.
			if !strict {
				if err := j.Write(); err != nil {
					fmt.Fprintf(cmd.ErrOrStderr(), "holdfast: the verdict was not written: %v\n", err)
				}
			}
			return conclude(cmd, j, nil, asJSON)
		},
	}
	cmd.Flags().BoolVar(&strict, "strict", false, "let known upstream defects and beliefs that outlived their lease count as violations")
	cmd.Flags().BoolVar(&asJSON, "json", false, "write verdict.json to stdout instead of the table and the path")
	return cmd
}

func reportCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "report DIR",
		Short:   "Write report.html of a run again",
		Long:    "Judge a run from its directory and write report.html there. The path goes to stdout.",
		Example: "  holdfast report runs/latest",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			j, err := judge(args[0], false)
			if err != nil {
				return err
			}
			if err := j.WriteReport(); err != nil {
				return err
			}
			path, err := filepath.Abs(filepath.Join(j.Directory, holdfast.ReportFile))
			if err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), path)
			return nil
		},
	}
}

// judge judges a directory; naming what is none is a mistake in usage.
func judge(path string, strict bool) (*holdfast.Judgement, error) {
	if _, err := os.Stat(filepath.Join(path, holdfast.InfoFile)); err != nil {
		return nil, usageError{fmt.Errorf("%s is not a run directory: it has no %s", path, holdfast.InfoFile)}
	}
	return holdfast.Judge(path, strict)
}
