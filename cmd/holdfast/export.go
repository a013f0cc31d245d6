package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/etcd-holdfast/holdfast"
)

func exportCommand() *cobra.Command {
	var o holdfast.ExportOptions
	cmd := &cobra.Command{
		Use:   "export DIR",
		Short: "Write a run as histories that other tools read",
		Long: `Write the locks of a run, and the leader values of its elections, as histories
that other tools read:

  jepsen     a Jepsen history in EDN for each subject; several objects are
             keys of jepsen.independent, [key value]
  porcupine  porcupine's own interactive page for each object: all of it if it
             is short, else the calls around the first violation or the first ones

A hold that ended without a release, by a loss that its client heeded or by its crash, ends
in a release that never returned. The paths go to stdout.`,
		Example: `  holdfast export runs/latest --format jepsen
  holdfast export runs/latest --format porcupine --subject mutex --object a --out /tmp/pages`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := isRun(args[0]); err != nil {
				return err
			}
			if o.Calls < 0 {
				return usageError{errors.New("--calls is not negative")}
			}
			if o.Object != "" && o.Format != holdfast.FormatPorcupine {
				return usageError{errors.New("--object goes with --format porcupine: a Jepsen history has all objects of its subject")}
			}
			files, err := holdfast.Export(cmd.Context(), args[0], o)
			for _, f := range files {
				fmt.Fprintln(cmd.OutOrStdout(), f.Path)
				if f.Note != "" {
					fmt.Fprintf(cmd.ErrOrStderr(), "%s: %s\n", filepath.Base(f.Path), f.Note)
				}
			}
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Format, "format", holdfast.FormatJepsen, "jepsen or porcupine")
	flags.StringVar(&o.Subject, "subject", "", "only this subject")
	flags.StringVar(&o.Object, "object", "", "only this object (porcupine)")
	flags.StringVar(&o.Out, "out", "", "the directory to write to (default: DIR/export)")
	flags.IntVar(&o.Calls, "calls", 0, "the most calls on one of porcupine's pages (0: 400)")
	return cmd
}

// isRun is a mistake in usage if path is no run directory.
func isRun(path string) error {
	if _, err := os.Stat(filepath.Join(path, holdfast.InfoFile)); err != nil {
		return usageError{fmt.Errorf("%s is not a run directory: it has no %s", path, holdfast.InfoFile)}
	}
	return nil
}
