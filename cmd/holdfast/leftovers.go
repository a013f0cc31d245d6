package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/etcd-holdfast/holdfast"
)

func sweepCommand() *cobra.Command {
	var dry bool
	cmd := &cobra.Command{
		Use:   "sweep [DIR]",
		Short: "Remove what killed runs have left behind",
		Long: `Find and remove what any earlier run left on this machine that was killed before it
could clean up: processes of members, clients and programs; containers, networks, volumes
and images on the Docker engine, if there is one; file systems mounted for members,
temporary directories, and members' data in the run directories below DIR,
"runs" if not said. What a run recorded stays; what belongs to a living run is left
alone, and so is a directory less than a minute old.

Exit codes: 0, whether there was something or not; 64 wrong usage; 70 it failed.`,
		Example: `  holdfast sweep --dry-run
  holdfast sweep
  sudo holdfast sweep /var/tmp/runs`,
		Args: arguments(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			runs := "runs"
			if len(args) == 1 {
				runs = args[0]
			}
			found, err := holdfast.FindLeftovers(runs)
			failures := []error{err}
			removed := 0
			for _, l := range found {
				if !dry {
					if err := l.Remove(); err != nil {
						failures = append(failures, err)
						continue
					}
				}
				removed++
				fmt.Fprintf(cmd.OutOrStdout(), "%s %s\n", l.What, l.Which)
			}
			verb := "removed"
			if dry {
				verb = "would remove"
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s %d\n", verb, removed)
			return errors.Join(failures...)
		},
	}
	cmd.Flags().BoolVar(&dry, "dry-run", false, "say what would be removed, and remove nothing")
	return cmd
}
