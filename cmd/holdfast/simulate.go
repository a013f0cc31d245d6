package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/etcd-holdfast/holdfast"
	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/faults"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// simulateFlags are what the command was asked for.
type simulateFlags struct {
	seeds, scenario, faults, out string
	seed                         int64
	sweep                        holdfast.SweepOptions
	swarm                        holdfast.Swarm
	verify                       int
	shrink, asJSON               bool
}

func simulateCommand() *cobra.Command {
	var f simulateFlags
	cmd := &cobra.Command{
		Use:   "simulate SUBJECT",
		Short: "Run thousands of random schedules of faults in virtual time, or one of them",
		Long: `Run etcd's own client code, and the lock on top of it, against a model of etcd in
virtual time: each seed is one random schedule of clients, delays and faults, and
gives the same run every time. What is found is grouped by how it comes about,
with the first seed of each.

The subject is one of: holdfast list subjects. With --scenario, a scenario of a
cluster of kind sim (a name or a file) is run instead of a drawn one.

Without --seeds, seeds from 1 on are run for ten seconds, or for as long as --for
says. With --seed, one is run, with a run directory and a report, and its digest
is printed: two runs with the same digest are the same in every record.

--shrink makes what is found small: the fewest faults, clients and rounds that
show the same, as a scenario file that needs no seed: holdfast run FILE.

The result goes to stdout, progress to stderr; with --json what --shrink says goes
to stderr, too.

` + exitCodesHelp,
		Example: `  holdfast simulate election
  holdfast simulate rwmutex --seeds 1-5000 --jobs 2
  holdfast simulate mutex-checked --seeds 1-100000 --for 10m --fail-fast
  holdfast simulate election --seed 9
  holdfast simulate election --seed 9 --verify=100
  holdfast simulate barrier --seeds 1-300 --shrink
  holdfast simulate --scenario my-sim.yaml --seeds 1-1000`,
		Args: arguments(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			scenario, err := f.scenarios(args)
			if err != nil {
				return err
			}
			if os.Getenv("GOGC") == "" {
				debug.SetGCPercent(holdfast.SimulationGC)
			}
			if f.sweep.Limit < 0 || f.sweep.Jobs < 0 || f.verify < 0 {
				return usageError{errors.New("--for, --jobs and --verify cannot be negative; see: holdfast simulate --help")}
			}
			if cmd.Flags().Changed("seed") {
				if cmd.Flags().Changed("seeds") {
					return usageError{errors.New("--seed is one run and --seeds are many; choose one of them")}
				}
				for _, name := range []string{"for", "fail-fast"} {
					if cmd.Flags().Changed(name) {
						return usageError{fmt.Errorf("--seed is one run, and --%s says when to end many; leave one of them out", name)}
					}
				}
				return f.one(cmd, scenario)
			}
			return f.many(cmd, scenario)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.seeds, "seeds", "", "the seeds to run, as in 1-5000")
	flags.Int64Var(&f.seed, "seed", 0, "run this seed alone, with a run directory and a report")
	flags.DurationVar(&f.sweep.Limit, "for", 0, "end after this time by the wall clock (default: 10s without --seeds, else no limit)")
	flags.DurationVar(&f.swarm.Duration, "duration", 10*time.Second, "how long there are load and faults in each run, in virtual time")
	flags.IntVar(&f.sweep.Jobs, "jobs", 0, "how many runs at a time (0: one for each processor)")
	flags.BoolVar(&f.sweep.FailFast, "fail-fast", false, "end at the first run that fails")
	flags.BoolVar(&f.sweep.Strict, "strict", false, "let known upstream defects and beliefs that outlived their lease fail, too")
	flags.IntVar(&f.verify, "verify", 0, "run each seed again, and compare what was recorded; with --seed, this often")
	flags.Lookup("verify").NoOptDefVal = "1"
	flags.StringVar(&f.faults, "faults", "", "the kinds of faults to draw from, as in cut-client,compact; none is none")
	flags.StringVar(&f.scenario, "scenario", "", "run this scenario with every seed instead of drawn ones")
	flags.BoolVar(&f.shrink, "shrink", false, "shrink the first run of everything that is found")
	flags.StringVar(&f.out, "out", "runs", "the directory for run directories and shrunk scenarios")
	flags.BoolVar(&f.asJSON, "json", false, "write the result as JSON")
	return cmd
}

// scenarios returns what gives each seed its scenario.
func (f *simulateFlags) scenarios(args []string) (func(seed int64) holdfast.Scenario, error) {
	if f.faults != "" {
		f.swarm.Faults = []string{}
		for _, name := range strings.Split(f.faults, ",") {
			if name == "none" {
				continue
			}
			if _, ok := faults.Named(name); !ok {
				return nil, usageError{fmt.Errorf("--faults: there is no fault %q; see: holdfast list faults", name)}
			}
			f.swarm.Faults = append(f.swarm.Faults, name)
		}
	}
	if f.scenario != "" {
		if len(args) > 0 || f.faults != "" {
			return nil, usageError{errors.New("with --scenario there is neither a subject nor --faults: the scenario says both")}
		}
		scenario, err := loadScenario(f.scenario, []string{"cluster.kind=sim"})
		return func(seed int64) holdfast.Scenario {
			s := scenario // several are asked for at a time
			s.Seed = seed
			return s
		}, err
	}
	if len(args) == 0 {
		return nil, usageError{errors.New("which subject? as in: holdfast simulate mutex; see: holdfast list subjects")}
	}
	var names []string
	for _, s := range holdfast.AllSubjects() {
		names = append(names, s.Name)
	}
	if !slices.Contains(names, args[0]) {
		return nil, usageError{fmt.Errorf("there is no subject %q; there are: %s", args[0], strings.Join(names, ", "))}
	}
	return func(seed int64) holdfast.Scenario {
		return holdfast.SimulatedScenario(workloads.Subject{Name: args[0]}, seed, f.swarm)
	}, nil
}

// many sweeps over seeds.
func (f *simulateFlags) many(cmd *cobra.Command, scenario func(int64) holdfast.Scenario) error {
	o := f.sweep
	o.From, o.Verify = 1, f.verify > 0
	if f.seeds == "" {
		o.Limit = cmp.Or(o.Limit, 10*time.Second)
	} else {
		var err error
		if o.From, o.To, err = parseSeeds(f.seeds); err != nil {
			return usageError{err}
		}
	}
	defer debug.SetGCPercent(debug.SetGCPercent(holdfast.SimulationGC))
	status := newStatus(cmd.ErrOrStderr())
	o.Progress = func(r *holdfast.SweepResult) { status.set(sweepLine(r, o)...) }
	result, err := holdfast.Sweep(cmd.Context(), scenario, o)
	status.end()
	if err != nil {
		return err
	}
	if f.asJSON {
		err = printSweepJSON(cmd.OutOrStdout(), result, o)
	} else {
		err = printSweep(cmd.OutOrStdout(), result, o, f.again(cmd))
	}
	if err == nil && f.shrink && cmd.Context().Err() == nil {
		err = f.shrinkAll(cmd, result)
	}
	if err != nil {
		return err
	}
	if code := sweepExit(result, o); code != 0 {
		return exitError{code}
	}
	return nil
}

// again is the command that runs one of the seeds, which is to be put behind it.
func (f *simulateFlags) again(cmd *cobra.Command) string {
	words := []string{"holdfast simulate"}
	if args := cmd.Flags().Args(); len(args) > 0 {
		words = append(words, args[0])
	}
	for _, name := range []string{"scenario", "faults", "duration"} {
		if flag := cmd.Flags().Lookup(name); flag.Changed && flag.Value.String() != "" {
			words = append(words, "--"+name, quoted(flag.Value.String()))
		}
	}
	return strings.Join(append(words, "--seed"), " ")
}

// quoted is a word of a command for a shell.
func quoted(word string) string {
	if strings.ContainsAny(word, " \t\n'\"\\$`*?&|;<>()[]{}~#!") {
		return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	return word
}

// parseSeeds reads "1-5000", or one seed.
func parseSeeds(text string) (from, to int64, err error) {
	first, last, ranged := strings.Cut(text, "-")
	if !ranged {
		last = first
	}
	from, err = strconv.ParseInt(first, 10, 64)
	if err == nil {
		to, err = strconv.ParseInt(last, 10, 64)
	}
	if err != nil || from < 1 || to < from || to == math.MaxInt64 {
		return 0, 0, fmt.Errorf("--seeds: %q is no range of seeds, as in 1-5000", text)
	}
	return from, to, nil
}

// one runs one seed with all that a run leaves behind.
func (f *simulateFlags) one(cmd *cobra.Command, scenarios func(int64) holdfast.Scenario) error {
	if f.seed < 1 {
		return usageError{fmt.Errorf("--seed: %d is not one or more", f.seed)}
	}
	scenario := scenarios(f.seed)
	options := holdfast.RunOptions{Out: f.out, Argv: os.Args, Strict: f.sweep.Strict}
	end := narrate(cmd, &options)
	judgement, err := holdfast.Run(cmd.Context(), scenario, options)
	end()
	failed := conclude(cmd, judgement, err, f.asJSON)
	if judgement == nil || err != nil {
		return failed
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "digest %s\n", judgement.Info.Digest)
	digests := map[string]int{judgement.Info.Digest: 1}
	status := newStatus(cmd.ErrOrStderr())
	for n := range f.verify {
		again, err := holdfast.Simulate(cmd.Context(), scenario)
		if cmd.Context().Err() != nil {
			break
		}
		if err != nil {
			status.end()
			return err
		}
		digests[again.Digest.String()]++
		status.set(part{text: fmt.Sprintf("run again %d of %d times: %s", n+1, f.verify, digestsLine(digests))})
	}
	status.end()
	ended := cmd.Context().Err() != nil
	if f.verify > 0 {
		rest := ""
		if ended {
			rest = ", interrupted before the rest"
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "verified: %s%s\n", digestsLine(digests), rest)
	}
	if len(digests) > 1 {
		return divergence(failed, fmt.Errorf("seed %d is not one run: %s", f.seed, digestsLine(digests)))
	}
	if f.shrink && !ended {
		for _, b := range judgement.Result().Mechanisms() {
			if err := f.shrinkOne(cmd, []holdfast.Scenario{judgement.Scenario}, b.Mechanism); err != nil {
				return err
			}
		}
	}
	return failed
}

// divergence is the failure of a run that was another one when it was repeated:
// the harness's own, unless the run is violated, which is worse.
func divergence(failed, err error) error {
	var exit exitError
	if errors.As(failed, &exit) && exit.code == checker.ExitViolated {
		return failed
	}
	return err
}

func digestsLine(digests map[string]int) string {
	runs := 0
	for _, n := range digests {
		runs += n
	}
	if len(digests) == 1 {
		return fmt.Sprintf("one digest in %d runs", runs)
	}
	return fmt.Sprintf("%d digests in %d runs: %s", len(digests), runs, strings.Join(slices.Sorted(maps.Keys(digests)), " "))
}
