package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/etcd-holdfast/holdfast"
)

func zooCommand() *cobra.Command {
	var (
		options        holdfast.ZooOptions
		asJSON, told   bool
		markdown       string
		runs, together int
	)
	cmd := &cobra.Command{
		Use:   "zoo [NAME...]",
		Short: "Show that every planted bug is found, and nothing in correct subjects",
		Long: `Run planted bugs, and correct subjects beside them, under one scenario that gives
every primitive a hard time and knows of no bug. A planted bug counts as found
only if a property that it breaks is violated and the subject itself is to blame:
"any violation" is not enough. Each is run until it is found, for up to a minute
under load; controls are run once, and must raise nothing.

The table goes to stdout, the story to stderr.

Exit codes: 0 every planted bug was found and every control is clean; 1 not;
2 it was interrupted; 64 wrong usage; 70 holdfast itself failed.`,
		Example: `  holdfast zoo
  holdfast zoo late-watch queue-lock --runs 5
  holdfast zoo --markdown zoo.md --out runs`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if runs < 0 || together < 1 || options.Limit <= 0 {
				return usageError{errors.New("--runs is zero or more, --together one or more, and --limit longer than zero; see: holdfast zoo --help")}
			}
			options.Names, options.Runs, options.Together = args, runs, together
			shown := follow(cmd)
			options.Progress = func(line string) {
				if told || strings.HasPrefix(line, "warning") || strings.HasPrefix(line, "interrupted") {
					shown.say(line)
				}
			}
			options.Note, options.Status = shown.say, shown.stand
			findings, err := holdfast.Zoo(cmd.Context(), options)
			shown.end()
			if len(findings) > 0 {
				err = errors.Join(err, printFindings(cmd.OutOrStdout(), findings, asJSON))
			}
			if errors.Is(err, holdfast.ErrInterrupted) {
				fmt.Fprintln(cmd.ErrOrStderr(), "interrupted: what is open in the table was not decided")
				return exitError{2}
			}
			if err != nil {
				return err
			}
			if markdown != "" {
				if err := os.WriteFile(markdown, []byte(markdownOf(findings)), 0o644); err != nil {
					return fmt.Errorf("write the table: %w", err)
				}
			}
			for i := range findings {
				if !findings[i].Good() {
					return exitError{1}
				}
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&runs, "runs", 0, "run each subject this often, whether it is found or not (0: until it is found)")
	flags.DurationVar(&options.Limit, "limit", time.Minute, "how long a planted bug is put under load before it is given up")
	flags.Int64Var(&options.Seed, "seed", 1, "the seed of the first run; each further one has the next")
	flags.IntVar(&together, "together", 12, "how many subjects share a cluster")
	flags.StringVar(&options.Out, "out", "runs", "the directory below which the run directories are made")
	flags.BoolVar(&asJSON, "json", false, "write the findings to stdout as JSON instead of a table")
	flags.StringVar(&markdown, "markdown", "", "also write the table to this file, as Markdown")
	flags.BoolVarP(&told, "verbose", "v", false, "tell the story of every run")
	return cmd
}

func printFindings(w io.Writer, findings []holdfast.Finding, asJSON bool) error {
	if asJSON {
		content, err := json.MarshalIndent(findings, "", "  ")
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w, "%s\n", content)
		return err
	}
	rows := rowsOf(findings)
	for i, row := range rows { // what each gets wrong is for those that read on
		rows[i] = append(row[:1:1], row[3:]...)
		if i == 0 {
			for k := range rows[i] {
				rows[i][k] = strings.ToUpper(rows[i][k])
			}
		}
	}
	if err := writeTable(w, rows); err != nil {
		return err
	}
	for i := range findings {
		if f := &findings[i]; f.Runs > 0 && !f.Good() && !f.Open {
			what, said := "is no bug, and this was found", f.Sentence
			if f.Planted {
				what, said = "was not found", f.Wrong
			}
			paragraph(w, f.Subject+" "+what+":", said, f.Directories)
		}
	}
	_, err := fmt.Fprintf(w, "\n%s\n", sumOf(findings))
	return err
}

// rowsOf are the table's rows, the first of which is its head.
func rowsOf(findings []holdfast.Finding) [][]string {
	rows := [][]string{{"subject", "primitive", "what it gets wrong", "breaks", "result", "by", "runs", "after"}}
	for i := range findings {
		f := &findings[i]
		result, by, after := "MISSED", strings.Join(f.By, ", "), ""
		switch {
		case f.Runs == 0:
			result = "not run"
		case f.Open && f.Found == 0:
			result = "open"
		case f.Planted && f.Found > 0:
			result, after = "found", fmt.Sprintf("%.1f s", f.Seconds)
		case !f.Planted && f.Good() && len(f.Undecided) > 0:
			result, by = "clean", "not decided: "+strings.Join(f.Undecided, ", ")
		case !f.Planted && f.Good():
			result = "clean"
		case !f.Planted:
			result, by, after = "FALSE ALARM", strings.Join(f.Also, ", "), fmt.Sprintf("%.1f s", f.Seconds)
		case len(f.Also) > 0:
			by = "only: " + strings.Join(f.Also, ", ")
		}
		expected := strings.Join(f.Expected, ", ")
		if !f.Planted {
			expected = "nothing"
		}
		runs := fmt.Sprintf("%d of %d", f.Found, f.Runs)
		rows = append(rows, []string{f.Subject, f.Primitive, f.Wrong, expected, result, by, runs, after})
	}
	return rows
}

// sumOf is the last line.
func sumOf(findings []holdfast.Finding) string {
	var planted, found, controls, clean, open int
	for i := range findings {
		f := &findings[i]
		if f.Open {
			open++
		}
		switch {
		case f.Planted && f.Good():
			planted, found = planted+1, found+1
		case f.Planted:
			planted++
		case f.Good():
			controls, clean = controls+1, clean+1
		default:
			controls++
		}
	}
	sum := fmt.Sprintf("%d of %d planted bugs found, %d of %d controls clean", found, planted, clean, controls)
	if open > 0 {
		sum += fmt.Sprintf(", %d not decided", open)
	}
	return sum
}

func markdownOf(findings []holdfast.Finding) string {
	var b strings.Builder
	for i, row := range rowsOf(findings) {
		for k := range row {
			row[k] = strings.ReplaceAll(row[k], "|", `\|`)
		}
		fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			fmt.Fprintln(&b, "|"+strings.Repeat("---|", len(row)))
		}
	}
	fmt.Fprintf(&b, "\n%s.\n", sumOf(findings))
	return b.String()
}
