package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/etcd-holdfast/holdfast"
	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/checker/exact"
	"github.com/etcd-holdfast/holdfast/faults"
)

// lists are what there is to list, each as rows of columns.
var lists = map[string]func() ([][]string, error){
	"scenarios": func() ([][]string, error) {
		var rows [][]string
		for _, name := range holdfast.BuiltinScenarios() {
			s, err := holdfast.BuiltinScenario(name)
			if err != nil {
				return nil, err
			}
			rows = append(rows, []string{name, s.Summary})
		}
		return rows, nil
	},
	"subjects": func() ([][]string, error) {
		var rows [][]string
		for _, s := range holdfast.AllSubjects() {
			rows = append(rows, []string{s.Name, string(s.Primitive()), string(s.Origin), s.Summary})
		}
		return rows, nil
	},
	"workloads": func() ([][]string, error) {
		return [][]string{
			{"mutex", "take one or two locks, read-modify-write the protected resource, give them back"},
			{"rwmutex", "the same with readers, who only read"},
			{"semaphore", "take a permit, stay for a while, give it back"},
			{"service", "run a loop while leading, stop when told of the loss, resign"},
			{"bank", "move amounts between accounts in transactions; audit all accounts in one"},
			{"register", "read, write, compare and set"},
			{"election", "campaign, proclaim, work as the leader, resign, resume after a crash; others observe and ask who leads"},
			{"queue", "some enqueue, the others wait for items and take them; in the end it is drained"},
			{"priority-queue", "the same with priorities"},
			{"barrier", "one blocks and opens it, the others wait until they can pass"},
			{"double-barrier", "groups of clients enter together, stay for a while and leave together"},
		}, nil
	},
	"faults": func() ([][]string, error) {
		var rows [][]string
		for _, k := range faults.Kinds() {
			on := "members"
			if k.OnClient {
				on = "client"
			}
			rows = append(rows, []string{k.Name, on, k.Summary})
		}
		return rows, nil
	},
	"models": func() ([][]string, error) {
		var rows [][]string
		for _, m := range exact.Models() {
			rows = append(rows, []string{m.Name, m.Summary})
		}
		return rows, nil
	},
	"properties": func() ([][]string, error) {
		var rows [][]string
		for _, p := range checker.PropertyNames() {
			rows = append(rows, []string{p.Name, p.Description})
		}
		return rows, nil
	},
}

func listCommand() *cobra.Command {
	var markdown bool
	names := []string{"scenarios", "subjects", "workloads", "faults", "properties", "models"}
	c := &cobra.Command{
		Use:   "list " + strings.Join(names, "|"),
		Short: "List what there is to run, to harm and to check",
		Example: `  holdfast list faults
  holdfast list faults --markdown   # which works on which kind of cluster, and why not`,
		ValidArgs: names,
		Args:      arguments(cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if markdown {
				if args[0] != "faults" {
					return usageError{fmt.Errorf("--markdown is of faults only, and not of %s", args[0])}
				}
				return holdfast.WriteFaultSupport(cmd.OutOrStdout())
			}
			rows, err := lists[args[0]]()
			if err != nil {
				return err
			}
			return writeTable(cmd.OutOrStdout(), rows)
		},
	}
	c.Flags().BoolVar(&markdown, "markdown", false, "of faults: which works on which kind of cluster, and why not, as a page in Markdown (docs/faults.md)")
	return c
}
