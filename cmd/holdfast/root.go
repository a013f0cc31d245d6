package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/etcd-holdfast/holdfast"
)

const exitCodesHelp = `Exit codes: 0 every property holds (known upstream defects and beliefs that
outlived their lease are reported, and allowed unless --strict); 1 violated;
2 unknown or vacuous; 64 wrong usage or scenario; 70 holdfast itself failed.`

// execute runs the command line and returns the exit code.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := &cobra.Command{
		Use:   "holdfast",
		Short: "Do your etcd locks hold fast?",
		Long: `holdfast launches a multi-member etcd cluster, runs concurrent clients of its
elections, mutexes and read-write locks while it cuts links, crashes clients and
members, records what every client was told, and decides from that record
whether the primitives kept their promises.

` + exitCodesHelp,
		Version:       holdfast.Version(),
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			return cmd.Help()
		},
	}
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w; see: %s --help", err, cmd.CommandPath())}
	})
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(runCommand(), checkCommand(), reportCommand(), browseCommand(), exportCommand(), listCommand(), upstreamCommand(), zooCommand(),
		answerCommand(), etcdCommand(), serverCommand(), simulateCommand(), clusterCommand(), shellCommand(), pipeCommand(),
		sweepCommand(), memberCommand())
	cmd, err := root.ExecuteContextC(ctx)
	var exit exitError
	if err != nil && !errors.As(err, &exit) {
		if cmd == root && len(args) > 0 { // cobra found no such command
			err = usageError{fmt.Errorf("%w; see: holdfast --help", err)}
		}
		fmt.Fprintf(stderr, "holdfast: %v\n", err)
	}
	return exitCode(err)
}

// arguments makes a check of positional arguments a mistake in usage.
func arguments(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usageError{fmt.Errorf("%w; see: %s --help", err, cmd.CommandPath())}
		}
		return nil
	}
}
