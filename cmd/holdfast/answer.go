package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"time"

	"github.com/spf13/cobra"

	"github.com/etcd-holdfast/holdfast/answers"
)

func answerCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "answer QUESTION",
		Short: "Measure the answer to a question about etcd's locks",
		Long: `Measure the answer to a question about etcd's locks, on an embedded cluster, and
print it: a table, what bounds the figures, and the answer in plain sentences.
It exits with 0 whatever the answer is, and with 2 if it was interrupted: then the
answer is from the parts that were measured by then.`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, args []string) error { return cmd.Help() },
	}
	cmd.AddCommand(holderDeathCommand(), priorityCommand(), lockSetCommand())
	return cmd
}

// answer is what a question comes to.
type answer interface {
	Answer() string
	Table(io.Writer) error
}

// printAnswer prints an answer as a table, or as JSON beside its sentences.
func printAnswer(w io.Writer, a answer, asJSON, whole bool) error {
	if !asJSON {
		return a.Table(w)
	}
	all := map[string]any{"answer": a.Answer(), "measured": a}
	if !whole {
		all["interrupted"] = true
	}
	content, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", content)
	return err
}

// measure measures under a line that tells how far it is, and prints what came of
// it: of a measurement that was interrupted, the parts that were through.
func measure[A answer](cmd *cobra.Command, asJSON bool, how func(progress func(string), status func(answers.Standing)) (A, error)) error {
	f := follow(cmd)
	measured, err := how(f.say, func(now answers.Standing) {
		f.set(now.Done > 0, counted(now.Done, now.Planned), part{text: now.SoFar}, part{text: "now: " + now.Now})
	})
	f.end()
	switch {
	case errors.Is(err, answers.ErrInterrupted) && reflect.ValueOf(measured).IsNil():
		fmt.Fprintln(cmd.ErrOrStderr(), "interrupted before any part was measured: nothing is answered")
		return exitError{2}
	case errors.Is(err, answers.ErrInterrupted):
		if err := printAnswer(cmd.OutOrStdout(), measured, asJSON, false); err != nil {
			return err
		}
		fmt.Fprintln(cmd.ErrOrStderr(), "interrupted: the answer is from what was measured by then")
		return exitError{2}
	case err != nil:
		return err
	}
	return printAnswer(cmd.OutOrStdout(), measured, asJSON, true)
}

// misused makes a mistake in options one of usage.
func misused(cmd *cobra.Command, err error) error {
	return usageError{fmt.Errorf("%w; see: %s --help", err, cmd.CommandPath())}
}

func holderDeathCommand() *cobra.Command {
	var (
		o             answers.HolderDeathOptions
		quick, asJSON bool
	)
	cmd := &cobra.Command{
		Use:   "holder-death",
		Short: "If the holder of a lock dies, is the lock released, and when?",
		Long: `If the holder of a mutex, a write lock or an election dies, is it released? Holders
with a waiter behind them die by the dozen: their session is closed, they crash,
they are cut off, or they crash together with the cluster's leader. Printed are
the seconds from the death until the waiter had the lock, and when a holder that
was cut off was told. It takes less than two minutes, and about 20 s with --quick.`,
		Example: `  holdfast answer holder-death
  holdfast answer holder-death --quick --json
  holdfast answer holder-death --ttl 10s --samples 100`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, args []string) error {
			if quick {
				if !cmd.Flags().Changed("ttl") {
					o.TTLs = []time.Duration{time.Second, 2 * time.Second}
				}
				if !cmd.Flags().Changed("samples") {
					o.Samples = 6
				}
				o.Rounds = 1
			}
			if cmd.Flags().Changed("samples") && o.Samples == 0 {
				return misused(cmd, fmt.Errorf("samples: 0 is too few"))
			}
			if err := o.Validate(); err != nil {
				return misused(cmd, err)
			}
			return measure(cmd, asJSON, func(progress func(string), status func(answers.Standing)) (*answers.HolderDeath, error) {
				o.Progress, o.Status = progress, status
				return answers.MeasureHolderDeath(cmd.Context(), o)
			})
		},
	}
	flags := cmd.Flags()
	flags.DurationSliceVar(&o.TTLs, "ttl", []time.Duration{time.Second, 2 * time.Second, 5 * time.Second}, "the sessions' times-to-live, whole seconds")
	flags.IntVar(&o.Samples, "samples", 30, "how many holders die for each primitive, TTL and way to die")
	flags.Int64Var(&o.Seed, "seed", 1, "decides the moments of death")
	flags.BoolVar(&quick, "quick", false, "6 samples, TTLs of 1 and 2 s, one crash of the leader")
	flags.BoolVar(&asJSON, "json", false, "write JSON instead of a table")
	return cmd
}

func priorityCommand() *cobra.Command {
	var (
		o             answers.PriorityOptions
		quick, asJSON bool
	)
	cmd := &cobra.Command{
		Use:   "rw-priority",
		Short: "Does etcd's read-write lock prefer readers or writers?",
		Long: `Does etcd's read-write lock prefer readers or writers? Clients of one lock read
mostly, then write mostly. Printed are their waits, and how many requests
overtook one of the other kind that had arrived before. It takes about 35 s, and
about 10 s with --quick.`,
		Example: `  holdfast answer rw-priority
  holdfast answer rw-priority --duration 1m --clients 30 --json`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, args []string) error {
			if quick && !cmd.Flags().Changed("duration") {
				o.Duration = 3 * time.Second
			}
			if o.Duration == 0 || o.Clients == 0 {
				return misused(cmd, fmt.Errorf("duration and clients: neither may be zero"))
			}
			if err := o.Validate(); err != nil {
				return misused(cmd, err)
			}
			return measure(cmd, asJSON, func(progress func(string), status func(answers.Standing)) (*answers.Priority, error) {
				o.Progress, o.Status = progress, status
				return answers.MeasurePriority(cmd.Context(), o)
			})
		},
	}
	flags := cmd.Flags()
	flags.DurationVar(&o.Duration, "duration", 15*time.Second, "how long each of the two loads lasts")
	flags.IntVar(&o.Clients, "clients", 12, "the number of clients of the lock")
	flags.Int64Var(&o.Seed, "seed", 1, "decides what the clients do")
	flags.BoolVar(&quick, "quick", false, "3 s for each load")
	flags.BoolVar(&asJSON, "json", false, "write JSON instead of a table")
	return cmd
}

func lockSetCommand() *cobra.Command {
	var (
		o      answers.LockSetOptions
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:   answers.LockSetScenario,
		Short: "What share of updates does a lock without fencing lose, in Jepsen's test?",
		Long: `What share of its updates does a set lose under a lock without fencing? This
repeats the lock test of Jepsen's report on etcd 3.4.3 (2020), which gives about
18 %, once for each seed: the scenario ` + answers.LockSetScenario + `, and beside its mutex one
with the defect that etcd's mutex had then. Ten seeds take less than 8 minutes.
Each run leaves a run directory.`,
		Example: `  holdfast answer jepsen-lock-set
  holdfast answer jepsen-lock-set --seeds 3 --first 100 --json`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.Seeds == 0 || o.First < 1 {
				return misused(cmd, fmt.Errorf("seeds and first: neither may be less than one"))
			}
			if err := o.Validate(); err != nil {
				return misused(cmd, err)
			}
			o.Argv = os.Args
			return measure(cmd, asJSON, func(progress func(string), status func(answers.Standing)) (*answers.LockSet, error) {
				o.Progress, o.Status = progress, status
				return answers.MeasureLockSet(cmd.Context(), o)
			})
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&o.Seeds, "seeds", 10, "the number of runs, one for each seed")
	flags.Int64Var(&o.First, "first", 1, "the first seed")
	flags.DurationVar(&o.Duration, "duration", 0, "how long there are load and pauses in each run (0: as the scenario says, 35 s)")
	flags.StringVar(&o.Out, "out", "runs", "the directory below which run directories are made")
	flags.BoolVar(&asJSON, "json", false, "write JSON instead of a table")
	return cmd
}
