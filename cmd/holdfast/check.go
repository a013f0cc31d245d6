package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"github.com/etcd-holdfast/holdfast"
	"github.com/etcd-holdfast/holdfast/reports"
)

func checkCommand() *cobra.Command {
	var (
		strict, asJSON bool
		file           holdfast.FileOptions
		initial        string
		memory         int64
	)
	cmd := &cobra.Command{
		Use:   "check DIR|FILE",
		Short: "Judge a run again from its directory, or a history file",
		Long: `Judge a run from nothing but its directory, whole or cut short at any moment, and
write verdict.json and report.html there. The same directory gives the same
verdict, byte for byte.

Or judge a history file, plain or compressed with gzip or zstd: the history.jsonl
of a run, a Jepsen history in EDN, or one of Jepsen's older text logs ("INFO
jepsen.util - 4 :invoke :read nil"). --model says what its calls are on (see:
holdfast list models); without it, their functions do. Only the general search,
where no fast exact check fits, heeds the limits; at a limit the verdict is
unknown.

` + exitCodesHelp,
		Example: `  holdfast check runs/latest
  holdfast check runs/latest --json | cmp - runs/latest/verdict.json
  holdfast check etcd.log --model cas-register
  holdfast check history.edn.gz --model owner-mutex --json
  holdfast check runs/latest --model mutex`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("initial") {
				file.Initial = &initial
			}
			if memory < 0 || file.Time < 0 || file.Permits < 0 || file.Parties < 0 {
				return usageError{errors.New("limits, permits and parties are not negative")}
			}
			if file.Permits > math.MaxInt32 || memory > math.MaxInt64>>20 {
				return usageError{errors.New("--permits or --memory-limit is more than can be counted")}
			}
			file.Limits.Bytes = memory << 20
			defer frugally()()
			return check(cmd, args[0], &file, strict, asJSON)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&strict, "strict", false, "let known upstream defects and beliefs that outlived their lease count as violations")
	flags.BoolVar(&asJSON, "json", false, "write the verdict as JSON to stdout instead of text")
	flags.StringVar(&file.Model, "model", "", "what the calls are on, as in mutex or cas-register (see: holdfast list models)")
	flags.StringVar(&file.Subject, "subject", "", "only this subject of a run's history, by a model")
	flags.StringVar(&initial, "initial", "", "the value of a register at the beginning (default: nil, none)")
	flags.IntVar(&file.Permits, "permits", 0, "the permits of a semaphore (0: 1)")
	flags.IntVar(&file.Parties, "parties", 0, "how many meet at a double barrier (0: 2)")
	flags.DurationVar(&file.Time, "time-limit", holdfast.DefaultSearchTime, "the most time of the general search")
	flags.Int64Var(&memory, "memory-limit", 1024, "the most memory of the general search, in MiB")
	return cmd
}

// check judges what is there: a run directory, by its properties or by a
// model, or a file.
func check(cmd *cobra.Command, path string, file *holdfast.FileOptions, strict, asJSON bool) error {
	info, err := os.Stat(path)
	if err != nil {
		return usageError{err}
	}
	byModel := file.Model != "" || file.Subject != ""
	if info.IsDir() && !byModel {
		j, err := judge(path, strict)
		if err != nil {
			return err
		}
		// A stricter look is not the run's own verdict: it is only shown.
		if !strict {
			if err := j.Write(); err != nil {
				fmt.Fprintf(cmd.ErrOrStderr(), "holdfast: the verdict was not written: %v\n", err)
			}
		}
		return conclude(cmd, j, nil, asJSON)
	}
	started, judgeIt := time.Now(), holdfast.JudgeFile
	if info.IsDir() {
		if err := isRun(path); err != nil {
			return err
		}
		judgeIt = holdfast.JudgeDirectory
	}
	j, err := judgeIt(cmd.Context(), path, *file)
	if err != nil {
		return err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "read and judged in %.2f s\n", time.Since(started).Seconds())
	if err := printFile(cmd, j, asJSON); err != nil {
		return err
	}
	if _, code := j.Verdict(); code != 0 {
		return exitError{code}
	}
	return nil
}

func printFile(cmd *cobra.Command, j *holdfast.FileJudgement, asJSON bool) error {
	out := cmd.OutOrStdout()
	switch {
	case asJSON:
		content, err := j.JSON()
		if err != nil {
			return err
		}
		_, err = out.Write(content)
		return err
	case j.Run != nil:
		return reports.Table(j.Run, out)
	}
	return reports.TraceText(out, j.Traces)
}

func reportCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "report DIR",
		Short:   "Write report.html of a run again",
		Long:    "Judge a run from its directory and write report.html there. The path goes to stdout.",
		Example: "  holdfast report runs/latest",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			defer frugally()()
			j, err := judge(args[0], false)
			if err != nil {
				return err
			}
			if err := j.WriteReport(); err != nil {
				return err
			}
			path, err := filepath.Abs(filepath.Join(j.Directory, holdfast.ReportFile))
			if err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), path)
			return nil
		},
	}
}

// frugally makes the garbage collector keep the heap close to what is in use,
// until what it returns is called. A history is large and stays, and little is
// thrown away beside it: of a million operations that saves 50 to 150 MB of 600,
// and costs a third of a second. Whoever sets GOGC decides for himself.
func frugally() (restore func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	percent := debug.SetGCPercent(20)
	return func() { debug.SetGCPercent(percent) }
}

// judge judges a directory; naming what is none is a mistake in usage.
func judge(path string, strict bool) (*holdfast.Judgement, error) {
	if err := isRun(path); err != nil {
		return nil, err
	}
	return holdfast.Judge(path, strict)
}
