package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/etcd-holdfast/holdfast"
	"github.com/etcd-holdfast/holdfast/reports"
)

func upstreamCommand() *cobra.Command {
	var (
		o        holdfast.CatalogueOptions
		markdown string
	)
	cmd := &cobra.Command{
		Use:   "upstream [NAME...]",
		Short: "Reproduce the known defects of etcd's client primitives",
		Long: `Run the upstream catalogue: for each known defect of etcd's client primitives a
scenario that reproduces it, and finds it by its mechanism, with a corrected
subject beside it on which nothing may show. Without names, all of it.

Exit codes: 0 every defect was found in every run and no control raised an
alarm; 1 not so; 2 it was interrupted; 64 wrong usage; 70 holdfast itself failed.`,
		Example: `  holdfast upstream
  holdfast upstream mutex-stale-unlock --runs 5
  holdfast run upstream/mutex-stale-unlock
  holdfast upstream --runs 3 --markdown docs/track-record.md`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.Runs < 1 || o.Jobs < 1 {
				return usageError{errors.New("--runs and --jobs are one or more; see: holdfast upstream --help")}
			}
			o.Names, o.Argv = args, os.Args
			began, shown := time.Now(), follow(cmd)
			o.Progress, o.Status = shown.say, shown.stand
			rows, err := holdfast.RunUpstream(cmd.Context(), o)
			shown.end()
			if rows == nil {
				return usageError{err}
			}
			if printed := reports.TrackRecordTable(rows, cmd.OutOrStdout()); printed != nil {
				return printed
			}
			found, clean := 0, true
			for i := range rows {
				if n := len(rows[i].Trials); n > 0 && rows[i].Found() == n {
					found++
				}
				clean = clean && rows[i].Clean()
			}
			fmt.Fprintf(cmd.OutOrStdout(), "\n%d of %d found in every run, %.0f s in all\n", found, len(rows), time.Since(began).Seconds())
			page := func() []byte { return reports.TrackRecordMarkdown(rows, commandLine(cmd, args), began) }
			return concludeCatalogue(cmd, err, markdown, page, found == len(rows) && clean)
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&o.Runs, "runs", 1, "how often each scenario is run")
	flags.IntVar(&o.Jobs, "jobs", 2, "how many run at a time")
	flags.StringVar(&o.Out, "out", "runs", "the directory below which the run directories are made")
	flags.StringVar(&markdown, "markdown", "", "also write the table as a page of Markdown to this file")
	return cmd
}

// commandLine is the command as it was typed, but for where its output went.
func commandLine(cmd *cobra.Command, args []string) string {
	line := cmd.CommandPath()
	for _, arg := range args {
		line += " " + arg
	}
	if f := cmd.Flags().Lookup("runs"); f != nil && f.Changed {
		line += " --runs " + f.Value.String()
	}
	return line
}
