package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/etcd-holdfast/holdfast"
)

func sweepCommand() *cobra.Command {
	var dry bool
	var external elsewhere
	cmd := &cobra.Command{
		Use:   "sweep [DIR]",
		Short: "Remove what killed runs have left behind",
		Long: `Find and remove what any earlier run left on this machine that was killed before it
could clean up: processes of members, clients and programs; containers, networks, volumes
and images on the Docker engine, if there is one; file systems mounted for members,
temporary directories, and members' data in the run directories below DIR,
"runs" if not said. What a run recorded stays; what belongs to a living run is left
alone, and so is a directory less than a minute old.

With --endpoints and --prefix remove instead what a killed run left in a cluster that
somebody else runs: the keys below that prefix, and their leases. A prefix that no run
has taken is not touched. Whether a run goes on there holdfast cannot know: it says
which run, where and since when.

Exit codes: 0, whether there was something or not; 64 wrong usage; 70 it failed.`,
		Example: `  holdfast sweep --dry-run
  holdfast sweep
  sudo holdfast sweep /var/tmp/runs
  holdfast sweep --endpoints http://10.0.0.1:2379 --prefix holdfast/quick/ --dry-run`,
		Args: arguments(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("endpoints") || cmd.Flags().Changed("prefix") {
				if len(args) > 0 {
					return usageError{errors.New("it sweeps either a directory of runs or, with --endpoints, a cluster; see: holdfast sweep --help")}
				}
				return sweepPrefix(cmd, &external, dry)
			}
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
	external.add(cmd.Flags())
	cmd.Flags().BoolVar(&dry, "dry-run", false, "say what would be removed, and remove nothing")
	return cmd
}

// sweepPrefix removes what a run left below a prefix.
func sweepPrefix(cmd *cobra.Command, external *elsewhere, dry bool) error {
	if err := external.check(); err != nil {
		return err
	}
	spec := external.spec()
	claim, err := holdfast.SweepPrefix(cmd.Context(), spec, !dry)
	var mistakes *holdfast.ScenarioError
	if errors.As(err, &mistakes) {
		return usageError{err}
	}
	if err != nil {
		return err
	}
	verb := "removed"
	switch {
	case claim == nil:
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "there is nothing below %s\n", spec.Prefix)
		return err
	case dry:
		verb = "would remove"
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s what is below %s, %d in number, of the run %s\n", verb, claim.Prefix, claim.Keys, claim.Run)
	return err
}
