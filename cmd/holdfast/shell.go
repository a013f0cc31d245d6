package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/etcd-holdfast/holdfast/console"
	"github.com/etcd-holdfast/holdfast/internal/playground"
)

// exitFailed is the exit code of a shell in which a command failed, if asked for.
const exitFailed = 1

func shellCommand() *cobra.Command {
	var config console.Config
	var cluster string
	var failFast bool
	cmd := &cobra.Command{
		Use:   "shell " + strings.Join(console.Primitives(), "|") + " [NAME]",
		Short: "Take locks and run for leader by hand",
		Long: `An interactive console for one lock, election, barrier or queue of etcd, called
NAME. Several consoles in several terminals compete for the same one. Each is a
client with a session of its own, whose links it can cut or stall itself. Every
line that it prints says which etcd key and revision is behind it. Type help.

A command that has to wait goes on in the background and tells when it ends.
From a file or a pipe each line is a command too, printed before it is done:
"await" waits for what runs, "await keys 2" for others to come, and the end of
the file quits. Failed commands do not end the console unless --fail is given.

Exit codes: 0, also after crash; 1 if a command failed and --fail was given;
64 wrong usage; 70 it failed, as when etcd does not answer at first.`,
		Example: `  holdfast cluster up
  holdfast shell election
  holdfast shell rwmutex inventory --ttl 10s
  printf 'lock\nkeys\n' | holdfast shell mutex --as batch --fail
  holdfast shell queue jobs --endpoints http://10.0.0.1:2379,http://10.0.0.2:2379`,
		ValidArgs: console.Primitives(),
		Args:      arguments(cobra.RangeArgs(1, 2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			config.Primitive = args[0]
			if len(args) == 2 {
				config.Object = args[1]
			}
			if len(config.Endpoints) == 0 {
				// What was typed is judged before a cluster is looked for.
				typed := config
				typed.Endpoints = []string{"http://127.0.0.1:2379"}
				if err := typed.Validate(); err != nil {
					return usageError{err}
				}
				endpoints, err := clusterEndpoints(cmd.Context(), cluster)
				if err != nil {
					return err
				}
				config.Endpoints = endpoints
			}
			if err := config.Validate(); err != nil {
				return usageError{err}
			}
			return runShell(cmd.Context(), config, failFast, cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&config.Endpoints, "endpoints", nil, "the client URLs of etcd (default: those of the cluster that is up)")
	flags.StringVar(&cluster, "cluster", defaultCluster, "the cluster of holdfast cluster up to connect to")
	flags.DurationVar(&config.TTL, "ttl", console.DefaultTTL, "how long the session outlives its last keepalive, in whole seconds")
	flags.StringVar(&config.Prefix, "prefix", console.DefaultPrefix, "what is before every key")
	flags.StringVar(&config.As, "as", "", "the name of this console (default: the first of c1, c2, … that is free)")
	flags.BoolVar(&failFast, "fail", false, "end after the first command that fails, with exit code 1")
	return cmd
}

// clusterEndpoints returns the endpoints of a cluster that is up.
func clusterEndpoints(ctx context.Context, name string) ([]string, error) {
	p, err := place(name)
	if err != nil {
		return nil, err
	}
	answer, err := p.Ask(ctx, playground.Order{Do: playground.DoStatus})
	if errors.Is(err, playground.ErrNotUp) || err == nil && !answer.Serving {
		return nil, usageError{fmt.Errorf("cluster %s is not up; start it: holdfast cluster up%s; or name others: --endpoints URL,…", name, nameFlag(name))}
	}
	if err == nil && answer.State.Keys != nil {
		return nil, usageError{fmt.Errorf("cluster %s asks for certificates or passwords, which the shell does not have; for one that does not: holdfast cluster up --name open", name)}
	}
	return answer.State.Endpoints, err
}

// runShell runs a console at the terminal, or over lines if there is none.
func runShell(ctx context.Context, config console.Config, failFast bool, in io.Reader, out io.Writer) (err error) {
	var terminal *console.Terminal
	if file, ok := in.(*os.File); ok {
		if screen, ok := out.(*os.File); ok {
			terminal, _ = console.OpenTerminal(file, screen) // without one, lines are read
		}
	}
	if terminal == nil {
		config.Out = out
	} else {
		// Last of all, whatever comes: what Close of the console prints is for it.
		defer func() { err = errors.Join(err, terminal.Close()) }()
		_, noColour := os.LookupEnv("NO_COLOR")
		config.Out, config.Coloured = terminal, !noColour
	}
	c, err := console.Open(ctx, config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	if terminal != nil {
		fmt.Fprintf(terminal, "%s; Tab completes, help helps, Ctrl-D quits\n", c.Describe())
		err = terminal.Run(ctx, c)
	} else {
		err = c.Run(ctx, linesOf(in), console.RunOptions{Echo: true, FailFast: failFast})
	}
	switch {
	case errors.Is(err, console.ErrCrashed):
		return nil // with Close telling etcd nothing
	case errors.Is(err, console.ErrFailed):
		return exitError{exitFailed}
	}
	return err
}

// linesOf reads lines in a goroutine that ends with the file, or with the
// process: nothing else ends a read of a pipe.
func linesOf(in io.Reader) <-chan string {
	lines := make(chan string)
	go func() {
		defer close(lines)
		scanner := bufio.NewScanner(in)
		for scanner.Scan() {
			lines <- scanner.Text()
		}
	}()
	return lines
}
