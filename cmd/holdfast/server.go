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

func serverCommand() *cobra.Command {
	var (
		o        holdfast.CatalogueOptions
		markdown string
	)
	cmd := &cobra.Command{
		Use:   "server [NAME...]",
		Short: "Reproduce known defects of etcd's server, on the versions that have them",
		Long: `Run the server catalogue: for each defect a scenario that reproduces it, and finds
it by its mechanism, on a version of etcd that has it, and the same on the version
in which it is mended, where nothing may show. Without names, all of it. Versions
that are not in the cache are built first, a minute or so each.

Exit codes: 0 every defect was found in every run on its bad version and nothing
on its fixed one; 1 not so; 2 it was interrupted; 64 wrong usage; 70 holdfast
itself failed.`,
		Example: `  holdfast server
  holdfast server single-member-loses-writes --runs 5
  holdfast run server/single-member-loses-writes
  holdfast run server/single-member-loses-writes --etcd-version 3.5.5
  holdfast server --runs 3 --markdown docs/track-record-server.md`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.Runs < 1 {
				return usageError{errors.New("--runs is one or more; see: holdfast server --help")}
			}
			o.Names, o.Argv = args, os.Args
			began, shown := time.Now(), follow(cmd)
			o.Progress, o.Status = shown.say, shown.stand
			rows, err := holdfast.RunServer(cmd.Context(), o)
			shown.end()
			if rows == nil {
				return usageError{err}
			}
			if printed := reports.ServerRecordTable(rows, cmd.OutOrStdout()); printed != nil {
				return printed
			}
			kept := 0
			for i := range rows {
				if rows[i].Kept() {
					kept++
				}
			}
			fmt.Fprintf(cmd.OutOrStdout(), "\n%d of %d found in every run on the bad version and in none on the fixed one, %.0f s in all\n", kept, len(rows), time.Since(began).Seconds())
			page := func() []byte { return reports.ServerRecordMarkdown(rows, commandLine(cmd, args), began) }
			return concludeCatalogue(cmd, err, markdown, page, kept == len(rows))
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&o.Runs, "runs", 1, "how often each scenario is run on each version")
	flags.StringVar(&o.Out, "out", "runs", "the directory below which the run directories are made")
	flags.StringVar(&markdown, "markdown", "", "also write the table as a page of Markdown to this file")
	return cmd
}
