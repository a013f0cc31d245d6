package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/etcd-holdfast/holdfast/internal/playground"
)

const defaultCluster = "default"

// exitNotUp is the exit code of what needs a cluster that is up.
const exitNotUp = 1

func clusterCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cluster",
		Short: "Keep a cluster in the background to play with",
		Long: `Keep an etcd cluster on this machine in the background, for holdfast shell,
etcdctl or a program of yours. It lives until it is taken down; its data go with
it. Its endpoints stay valid whatever becomes of its members.

It is one process, whose state lies in the user's cache directory, or in
` + playground.HomeVariable + `. Several clusters have different names.

Exit codes: 0; 1 if the cluster is not up; 64 wrong usage; 70 it failed.`,
		Example: `  holdfast cluster up
  holdfast shell mutex
  holdfast cluster status
  holdfast cluster crash m1
  holdfast cluster down`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, args []string) error { return cmd.Help() },
	}
	name := cmd.PersistentFlags().String("name", defaultCluster, "the name of the cluster")
	cmd.AddCommand(upCommand(name), downCommand(name), statusCommand(name), serveCommand(name),
		orderCommand(name, playground.DoCrash+" MEMBER", "End a member at once; its data stay", "%s has crashed; its data stay"),
		orderCommand(name, playground.DoRestart+" MEMBER", "Start a crashed member on the data that it left", "%s serves again"),
		orderCommand(name, playground.DoIsolate+" MEMBER", "Cut a member off from all others; clients still reach it", "%s is cut off from all other members"),
		orderCommand(name, playground.DoHeal, "Lift every isolation; crashed members stay down", "no member is isolated any more"),
	)
	return cmd
}

// place is the place of a cluster by its flag: a wrong name is wrong usage.
func place(name string) (playground.Place, error) {
	p, err := playground.At(name)
	if err != nil {
		return p, usageError{err}
	}
	return p, nil
}

func upCommand(name *string) *cobra.Command {
	var members int
	var directory string
	var secure, auth bool
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Start the cluster, unless it is up",
		Long: `Start the cluster, unless it is up.

With --tls it speaks TLS to clients and asks for their certificate, with --auth it
asks for a user and a password: ` + playground.Root + ` may do everything, ` + playground.User + ` may read and write
below ` + playground.UserPrefix + `. Certificates and passwords are made, and lie in files that only you
can read, for as long as the cluster is up.`,
		Example: `  holdfast cluster up --members 5
  holdfast cluster up --tls --auth`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := place(*name)
			if err != nil {
				return err
			}
			if members != 1 && members != 3 && members != 5 {
				return usageError{fmt.Errorf("--members %d: must be 1, 3 or 5", members)}
			}
			background, err := backgroundCommand(p.Name, members, directory, secure, auth)
			if err != nil {
				return err
			}
			began := time.Now()
			answer, already, err := p.Up(cmd.Context(), background, func(line string) { fmt.Fprintln(cmd.ErrOrStderr(), line) })
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if already {
				fmt.Fprintf(out, "cluster %s is up already, %s\n", p.Name, sinceWhen(answer.State))
				if cmd.Flags().Changed("members") && members != len(answer.Members) {
					fmt.Fprintf(out, "  beware: it has %d members, not %d; for others: holdfast cluster down%s\n", len(answer.Members), members, nameFlag(p.Name))
				}
				if k := answer.State.Keys; (secure || auth) && (k == nil || secure && k.CA == "" || auth && k.RootPassword == "") {
					fmt.Fprintf(out, "  beware: it does not ask for what --tls and --auth say; for one that does: holdfast cluster down%s\n", nameFlag(p.Name))
				}
			} else {
				fmt.Fprintf(out, "cluster %s is up: etcd %s, %d members, in %.1f s\n", p.Name, answer.State.Etcd, len(answer.Members), time.Since(began).Seconds())
			}
			return printHints(out, answer)
		},
	}
	cmd.Flags().IntVar(&members, "members", 3, "the number of etcd members: 1, 3 or 5")
	cmd.Flags().StringVar(&directory, "dir", "", "where to make the directory for the members' data (default: with the cluster's state)")
	cmd.Flags().BoolVar(&secure, "tls", false, "speak TLS to clients, and ask for their certificate")
	cmd.Flags().BoolVar(&auth, "auth", false, "ask clients for a user and a password")
	return cmd
}

// backgroundCommand is this program again, as the process of the cluster.
func backgroundCommand(name string, members int, directory string, secure, auth bool) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program to start it in the background: %w", err)
	}
	if directory != "" { // the process has another working directory
		if directory, err = filepath.Abs(directory); err != nil {
			return nil, fmt.Errorf("--dir: %w", err)
		}
	}
	background := exec.Command(self, "cluster", "serve", "--name", name, "--members", strconv.Itoa(members), "--dir", directory,
		fmt.Sprintf("--tls=%t", secure), fmt.Sprintf("--auth=%t", auth))
	background.Args[0] = os.Args[0]
	return background, nil
}

// serveCommand is what runs in the background.
func serveCommand(name *string) *cobra.Command {
	var config playground.Config
	cmd := &cobra.Command{
		Use:    "serve",
		Hidden: true,
		Short:  "Be the process of the cluster; started by: holdfast cluster up",
		Args:   arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := place(*name)
			if err != nil {
				return err
			}
			lock, progress, err := p.Inherited()
			if err != nil {
				return usageError{fmt.Errorf("this is for holdfast cluster up to start: %w", err)}
			}
			defer func() { _, _ = progress.Close(), lock.Close() }()
			return playground.Serve(cmd.Context(), p, config, progress)
		},
	}
	cmd.Flags().IntVar(&config.Members, "members", 3, "the number of etcd members")
	cmd.Flags().StringVar(&config.Data, "dir", "", "where to make the directory for the members' data")
	cmd.Flags().BoolVar(&config.TLS, "tls", false, "speak TLS to clients")
	cmd.Flags().BoolVar(&config.Auth, "auth", false, "ask clients for a user and a password")
	return cmd
}

func downCommand(name *string) *cobra.Command {
	return &cobra.Command{
		Use:   "down",
		Short: "Stop the cluster and remove its data",
		Args:  arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := place(*name)
			if err != nil {
				return err
			}
			found, state, err := p.Down(cmd.Context())
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			switch found {
			case playground.WasUp:
				fmt.Fprintf(out, "cluster %s is down; its data are gone\n", p.Name)
			case playground.WasDead:
				fmt.Fprintf(out, "cluster %s was not up any more: process %d had died; what it left behind is removed\n", p.Name, state.PID)
			default:
				fmt.Fprintf(out, "cluster %s is not up; nothing to do\n", p.Name)
			}
			return nil
		},
	}
}

func statusCommand(name *string) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Say whether the cluster is up, who leads and where it is reached",
		Args:  arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := place(*name)
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			answer, err := p.Ask(cmd.Context(), playground.Order{Do: playground.DoStatus})
			if errors.Is(err, playground.ErrNotUp) {
				stale, err := p.Stale()
				if err != nil {
					return err
				}
				if stale != nil {
					fmt.Fprintf(out, "cluster %s is not up: process %d, started %s, died without a goodbye\n", p.Name, stale.PID, stale.Started.Format(time.DateTime))
				} else {
					fmt.Fprintf(out, "cluster %s is not up\n", p.Name)
				}
				fmt.Fprintf(out, "  start it:  holdfast cluster up%s\n", nameFlag(p.Name))
				return exitError{exitNotUp}
			}
			if err != nil {
				return err
			}
			if !answer.Serving {
				fmt.Fprintf(out, "cluster %s is being started by process %d\n", p.Name, answer.State.PID)
				return exitError{exitNotUp}
			}
			fmt.Fprintf(out, "cluster %s is up, %s\n", p.Name, sinceWhen(answer.State))
			return errors.Join(printMembers(out, answer), printHints(out, answer))
		},
	}
}

// orderCommand is a command that is one order to the cluster.
func orderCommand(name *string, use, short, done string) *cobra.Command {
	order, member, aboutMember := strings.Cut(use, " ")
	count := 0
	if aboutMember {
		count = 1
	}
	return &cobra.Command{
		Use:   use,
		Short: short,
		Args:  arguments(cobra.ExactArgs(count)),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := place(*name)
			if err != nil {
				return err
			}
			if aboutMember {
				member = args[0]
				done = fmt.Sprintf(done, member)
			}
			return giveOrder(cmd.Context(), cmd.OutOrStdout(), p, playground.Order{Do: order, Member: member}, done)
		},
	}
}

func giveOrder(ctx context.Context, out io.Writer, p playground.Place, order playground.Order, done string) error {
	answer, err := p.Ask(ctx, order)
	if errors.Is(err, playground.ErrNotUp) {
		fmt.Fprintf(out, "cluster %s is not up\n  start it:  holdfast cluster up%s\n", p.Name, nameFlag(p.Name))
		return exitError{exitNotUp}
	}
	if err != nil && order.Member != "" && answer.Serving && !slices.Contains(answer.State.Members, order.Member) {
		return usageError{err}
	}
	if err != nil {
		return err
	}
	fmt.Fprintln(out, done)
	return printMembers(out, answer)
}

// printMembers prints a line for each member.
func printMembers(out io.Writer, answer playground.Answer) error {
	var rows [][]string
	for _, m := range answer.Members {
		role := "down"
		switch {
		case m.Running && m.Leads:
			role = fmt.Sprintf("leads in term %d", m.Term)
		case m.Running && m.Leader != "":
			role = fmt.Sprintf("follows %s in term %d", m.Leader, m.Term)
		case m.Running:
			role = "knows no leader"
		}
		if m.Isolated {
			role += ", isolated"
		}
		rows = append(rows, []string{"", m.Name, m.Endpoint, role}) // indented
	}
	return writeTable(out, rows)
}

// printHints says how to use the cluster.
func printHints(out io.Writer, answer playground.Answer) error {
	name := nameFlag(answer.State.Name)
	if answer.State.Keys != nil {
		return printKeys(out, answer.State, name)
	}
	shell := strings.Replace(name, "--name", "--cluster", 1)
	_, err := fmt.Fprintf(out, `  connect:   holdfast shell mutex%s
             export ETCDCTL_ENDPOINTS=%s
  look:      holdfast cluster status%s
  stop:      holdfast cluster down%s
`, shell, strings.Join(answer.State.Endpoints, ","), name, name)
	return err
}

// printKeys says how to use a cluster that does not let everybody in.
func printKeys(out io.Writer, s playground.State, name string) error {
	k := s.Keys
	flags := "--endpoints " + strings.Join(s.Endpoints, ",")
	variables := "ETCDCTL_ENDPOINTS=" + strings.Join(s.Endpoints, ",")
	if k.CA != "" {
		flags += fmt.Sprintf(" \\\n             --cacert %s --cert %s --key %s", k.CA, k.Cert, k.Key)
		variables += fmt.Sprintf(" \\\n             ETCDCTL_CACERT=%s ETCDCTL_CERT=%s ETCDCTL_KEY=%s", k.CA, k.Cert, k.Key)
	}
	if k.UserPassword != "" {
		flags += fmt.Sprintf(" \\\n             --user %s --password-file %s", playground.User, k.UserPassword)
		variables += fmt.Sprintf(" \\\n             ETCDCTL_USER=%s ETCDCTL_PASSWORD=\"$(cat %s)\"", playground.Root, k.RootPassword)
	}
	_, err := fmt.Fprintf(out, "  run:       holdfast run quick %s\n             export %s\n  look:      holdfast cluster status%s\n  stop:      holdfast cluster down%s\n",
		flags, variables, name, name)
	return err
}

func sinceWhen(s playground.State) string {
	return fmt.Sprintf("since %s (%v), process %d", s.Started.Format(time.DateTime), time.Since(s.Started).Round(time.Second), s.PID)
}

// nameFlag is the flag that names the cluster, "" for the default one.
func nameFlag(name string) string {
	if name == defaultCluster {
		return ""
	}
	return " --name " + name
}
