package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/etcd-holdfast/holdfast"
	"github.com/etcd-holdfast/holdfast/internal/etcdbuild"
	"github.com/etcd-holdfast/holdfast/reports"
)

func runCommand() *cobra.Command {
	var (
		seed             int64
		duration         time.Duration
		clients, members int
		out, kind        string
		binary, version  string
		image            string
		clientsAs        string
		program          string
		set              []string
		strict, asJSON   bool
		external         elsewhere
	)
	cmd := &cobra.Command{
		Use:   "run [SCENARIO]",
		Short: "Run a scenario and judge it",
		Long: `Run a scenario: a built-in one by name (see: holdfast list scenarios) or a YAML
file. Without one, "` + holdfast.DefaultScenario + `" is run. The result goes to stdout, the story to stderr;
the last line of the result is the path of report.html.

Ctrl-C heals all faults, judges what there is and writes the report, which says
that the run was cut short. A second Ctrl-C ends holdfast at once; the run
directory can still be judged by: holdfast check DIR.

` + exitCodesHelp,
		Example: `  holdfast run
  holdfast run quick --seed 7 --duration 1m --clients 6
  holdfast run quick --cluster sim
  holdfast run quick --endpoints https://10.0.0.1:2379,https://10.0.0.2:2379 --cacert ca.crt --user holdfast
  holdfast run quick --clients-as processes
  holdfast run --pipe 'python3 lock.py'
  holdfast run calm --set workloads.0.hold=1ms..5ms --set faults=[]
  holdfast run my-scenario.yaml --strict --json > verdict.json`,
		Args: arguments(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			name := holdfast.DefaultScenario
			if len(args) == 1 {
				name = args[0]
			}
			load := func(set []string) (holdfast.Scenario, error) { return loadScenario(name, set) }
			if program != "" {
				text, err := piped(cmd.Context(), program, args)
				if err != nil {
					return err
				}
				load = func(set []string) (holdfast.Scenario, error) {
					return holdfast.ParseScenario("the scenario of "+program, text, set...)
				}
			}
			for flag, assignment := range map[string]string{
				"seed":     fmt.Sprintf("seed=%d", seed),
				"duration": fmt.Sprintf("duration=%v", duration),
				"members":  fmt.Sprintf("cluster.members=%d", members),
				"cluster":  "cluster.kind=" + kind,

				"clients-as": "clients.as=" + clientsAs,
			} {
				if cmd.Flags().Changed(flag) {
					set = append(set, assignment)
				}
			}
			another, err := anotherEtcd(binary, version, cmd.Flags().Changed("cluster"))
			if err != nil {
				return err
			}
			set = append(set, another...)
			if image != "" {
				if !cmd.Flags().Changed("cluster") {
					set = append(set, "cluster.kind=docker")
				}
				set = append(set, "cluster.image="+image)
			}
			there, err := external.assignments()
			if err != nil {
				return err
			}
			set = append(set, there...)
			if cmd.Flags().Changed("cluster") || image != "" || len(another)+len(there) > 0 {
				// The scenario was made for another kind of cluster.
				set = append([]string{"missing=" + holdfast.SkipMissing}, set...)
			}
			scenario, err := load(set)
			if err == nil && cmd.Flags().Changed("clients") {
				set = append(set, fmt.Sprintf("clients.count=%d", clients))
				for i := range scenario.Workloads {
					set = append(set, fmt.Sprintf("workloads.%d.clients=%d", i, clients))
				}
				scenario, err = load(set)
			}
			if err != nil {
				return err
			}
			options := holdfast.RunOptions{Out: out, Argv: os.Args, Strict: strict}
			end := narrate(cmd, &options)
			judgement, err := holdfast.Run(cmd.Context(), scenario, options)
			end()
			return conclude(cmd, judgement, err, asJSON)
		},
	}
	flags := cmd.Flags()
	flags.Int64Var(&seed, "seed", 0, "decides the plan of faults and what clients do (0: choose one)")
	flags.DurationVar(&duration, "duration", 0, "how long there are load and faults, for example 20s")
	flags.IntVar(&clients, "clients", 0, "the number of clients of each workload")
	flags.StringVar(&clientsAs, "clients-as", "", "where clients are: processes gives each a process of its own, containers a container, which can be killed and stopped (default: in this process)")
	flags.IntVar(&members, "members", 0, "the number of etcd members: 1, 3 or 5")
	flags.StringVar(&kind, "cluster", "embedded", "the kind of cluster: embedded, process, each of whose members is a process, docker, of containers, external, which somebody else runs, or sim, which is simulated in virtual time; faults that it cannot have are left out")
	external.add(flags)
	flags.StringSliceVar(&external.allow, "allow", nil, "the faults that may touch all of a cluster that somebody else runs: compact, compact-here, move-leader")
	flags.StringVar(&binary, "etcd", "", "the etcd binary that members run, each as a process (default: the etcd that is built into holdfast)")
	flags.StringVar(&version, "etcd-version", "", "the version of etcd that members run, each as a process; it is built if it has to be")
	flags.StringVar(&image, "image", "", "the image that members run, each in a container, with etcd as its entrypoint or in its path")
	flags.StringVar(&program, "pipe", "", "put this program to the test, a command line for sh (docs/protocol.md); without a scenario, under one made for it")
	flags.StringVar(&out, "out", "runs", "the directory below which the run directory is made")
	flags.StringArrayVar(&set, "set", nil, "set a field of the scenario, as in clients.ttl=2s or workloads.0.keys=1 (repeatable)")
	flags.BoolVar(&strict, "strict", false, "let known upstream defects and beliefs that outlived their lease fail the run")
	flags.BoolVar(&asJSON, "json", false, "write verdict.json to stdout instead of the table and the path")
	return cmd
}

// anotherEtcd are the assignments that have members run a binary, or a version.
func anotherEtcd(binary, version string, kindIsSaid bool) ([]string, error) {
	var set []string
	switch {
	case binary == "" && version == "":
		return nil, nil
	case binary != "" && version != "":
		return nil, usageError{errors.New("--etcd and --etcd-version exclude each other; see: holdfast run --help")}
	case version != "" && !etcdbuild.IsVersion(version):
		return nil, usageError{fmt.Errorf("--etcd-version: %q is no version of etcd; one is, for example, 3.5.12", version)}
	}
	if !kindIsSaid {
		set = append(set, "cluster.kind=process")
	}
	if binary != "" && !strings.ContainsRune(binary, filepath.Separator) && etcdbuild.IsVersion(binary) {
		binary = "." + string(filepath.Separator) + binary // a file that is named like a version
	}
	return append(set, "cluster.etcd="+binary+version), nil
}

// loadScenario reads a scenario from a file, if the name looks like one or
// there is one, or from those built in.
func loadScenario(name string, set []string) (holdfast.Scenario, error) {
	text, err := os.ReadFile(name)
	switch {
	case err == nil:
		return holdfast.ParseScenario(name, text, set...)
	case slices.Contains(holdfast.BuiltinScenarios(), name):
	case strings.HasSuffix(name, ".yaml"), strings.HasSuffix(name, ".yml"), strings.ContainsRune(name, filepath.Separator):
		return holdfast.Scenario{}, usageError{fmt.Errorf("read the scenario: %w", err)}
	}
	scenario, err := holdfast.BuiltinScenario(name, set...)
	var mistakes *holdfast.ScenarioError
	if err != nil && !errors.As(err, &mistakes) {
		err = usageError{fmt.Errorf("%w; or name a YAML file", err)}
	}
	return scenario, err
}

// conclude prints a judgement and turns it into the exit code. A failure of
// the harness is worse than all but a violation.
func conclude(cmd *cobra.Command, j *holdfast.Judgement, failure error, asJSON bool) error {
	if j == nil {
		return failure
	}
	if err := printJudgement(cmd.OutOrStdout(), j, asJSON); err != nil {
		failure = errors.Join(failure, err)
	}
	if err := tellCI(cmd.ErrOrStderr(), j.Report); err != nil { // which is no fault of the run's
		fmt.Fprintf(cmd.ErrOrStderr(), "holdfast: %v\n", err)
	}
	code := j.Result().Exit
	if failure != nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "holdfast: %v\n", failure)
		if code != 1 {
			code = 70
		}
	}
	if code != 0 {
		return exitError{code}
	}
	return nil
}

func printJudgement(w io.Writer, j *holdfast.Judgement, asJSON bool) error {
	if asJSON {
		content, err := reports.JSON(j.Report)
		if err != nil {
			return err
		}
		_, err = w.Write(content)
		return err
	}
	if err := (reports.Style{Color: coloured(w)}).Table(j.Report, w); err != nil {
		return err
	}
	path, err := filepath.Abs(filepath.Join(j.Directory, holdfast.ReportFile))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(w, path)
	return err
}
