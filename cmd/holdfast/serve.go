package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/etcd-holdfast/holdfast/browse"
)

func browseCommand() *cobra.Command {
	var (
		address  string
		anywhere bool
		hosts    []string
	)
	cmd := &cobra.Command{
		Use:   "serve [DIR]",
		Short: "Browse all runs in a web browser",
		Long: `Serve pages on which all run directories below a directory (default: runs) can be
sorted and filtered, two runs compared, and scenarios followed over time; with
links to each run's report, verdict, scenario and logs. The address goes to stdout;
Ctrl-C ends it.

Nothing is judged and nothing changed: a run without verdict.json is shown as such,
and so is one that is under way or broken. Pages need no scripts, and nothing in a
run's files is executed.

Whoever can connect can read all runs, so other than loopback addresses are refused
without --insecure-listen. From another machine, use a tunnel:
ssh -L 7070:127.0.0.1:7070 HOST. Requests under other names than localhost and IP
addresses are refused, so that no page elsewhere can read along; --host allows one.

Exit codes: 0 ended by Ctrl-C; 64 wrong usage, or the address is taken; 70 holdfast
itself failed.`,
		Example: `  holdfast serve
  holdfast serve ci-artifacts --address 127.0.0.1:8080
  holdfast serve --address 127.0.0.1:0
  holdfast serve --address 0.0.0.0:7070 --insecure-listen --host ci.example.org`,
		Args: arguments(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			directory := "runs"
			if len(args) == 1 {
				directory = args[0]
			}
			return serve(cmd, browse.Options{Directory: directory, Hosts: hosts}, address, anywhere)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&address, "address", browse.DefaultAddress, "where to listen; port 0 is any that is free")
	flags.BoolVar(&anywhere, "insecure-listen", false, "listen at an address that others can reach, unencrypted, for anybody")
	flags.StringArrayVar(&hosts, "host", nil, "a name besides localhost under which the pages are asked for (repeatable)")
	return cmd
}

func serve(cmd *cobra.Command, o browse.Options, address string, anywhere bool) error {
	if info, err := os.Stat(o.Directory); err == nil && !info.IsDir() {
		return usageError{fmt.Errorf("%s is no directory; see: holdfast serve --help", o.Directory)}
	}
	handler, err := browse.NewHandler(o)
	if err != nil {
		return usageError{err}
	}
	listener, err := browse.Listen(cmd.Context(), address, anywhere)
	var wrong *browse.AddressError
	if errors.As(err, &wrong) {
		err = usageError{err}
	}
	if err != nil {
		return errors.Join(err, handler.Close())
	}
	fmt.Fprintf(cmd.OutOrStdout(), "http://%s/\n", listener.Addr())
	fmt.Fprintf(cmd.ErrOrStderr(), "serving the runs in %s; Ctrl-C ends it\n", o.Directory)
	return errors.Join(browse.Serve(cmd.Context(), listener, handler), handler.Close())
}
