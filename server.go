package holdfast

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/etcd-holdfast/holdfast/internal/etcdbuild"
	"github.com/etcd-holdfast/holdfast/reports"
)

// serverCatalogue is before the names of the scenarios that each reproduce a
// known defect of etcd's server, on a version that has it.
const serverCatalogue = "server/"

// ServerScenarios returns the names of the scenarios of the server catalogue, for
// BuiltinScenario.
func ServerScenarios() []string {
	return slices.DeleteFunc(BuiltinScenarios(), func(name string) bool { return !strings.HasPrefix(name, serverCatalogue) })
}

// RunServer runs the server catalogue: every scenario is run on the version of etcd
// that has the defect, where it has to show, recognised by its mechanism, and on
// the one in which it is mended (Expect.Fixed), where nothing may show. Versions
// that are not there are built first. CatalogueOptions.Jobs is one if zero: what
// these scenarios find depends on moments.
//
// Rows are in the order of the scenarios' names. An error is of the harness itself;
// rows that could be judged are returned beside it.
func RunServer(ctx context.Context, o CatalogueOptions) ([]reports.ServerRecord, error) {
	names, err := chosen(ServerScenarios(), o.Names)
	if err != nil {
		return nil, err
	}
	rows, scenarios := make([]reports.ServerRecord, len(names)), make([]Scenario, len(names))
	progress := func(format string, args ...any) {
		if o.Progress != nil {
			o.Progress(fmt.Sprintf(format, args...))
		}
	}
	stand := newStand(2*len(names)*cmp.Or(o.Runs, 1), o.Status)
	for i, name := range names {
		if scenarios[i], err = BuiltinScenario(name); err != nil {
			return nil, err
		}
		rows[i] = reports.ServerRecord{TrackRecord: upstreamRow(&scenarios[i]), Bad: scenarios[i].Cluster.Etcd, Fixed: scenarios[i].Expect.Fixed}
		for _, version := range []string{rows[i].Bad, rows[i].Fixed} {
			ensuring := "etcd " + version
			stand.begin(ensuring)
			_, err := etcdbuild.Ensure(ctx, version, func(line string) { progress("%s", line) })
			stand.end(ensuring, func(*Standing) {})
			if err != nil {
				return rows, err
			}
		}
	}
	var faults []error
	for i, name := range names {
		for n := range cmp.Or(o.Runs, 1) {
			for _, fixed := range []bool{false, true} {
				s := scenarios[i]
				s.Seed = int64(n + 1)
				if fixed {
					s.mend()
				}
				short := strings.TrimPrefix(name, serverCatalogue)
				running := short + " on etcd " + s.Cluster.Etcd
				stand.begin(running)
				j, err := Run(ctx, s, RunOptions{Out: filepath.Join(cmp.Or(o.Out, "runs"), "server"), Argv: o.Argv})
				if err != nil {
					faults = append(faults, fmt.Errorf("%s on etcd %s: %w", name, s.Cluster.Etcd, err))
				}
				if ctx.Err() != nil {
					return rows, errors.Join(append(faults, ctx.Err())...)
				}
				if j == nil {
					stand.end(running, func(now *Standing) { now.Done++ })
					continue
				}
				trial := j.trial(rows[i].Subject, rows[i].Known)
				line := rows[i].Add(fixed, trial)
				progress("%-28s etcd %-8s %s", short, s.Cluster.Etcd, line)
				stand.end(running, func(now *Standing) {
					if fixed {
						now.Done++
						count(&now.Alarms, trial.Found || len(trial.Alarms) > 0)
					} else {
						now.judge(trial.Found, len(trial.Alarms) > 0)
					}
				})
			}
		}
	}
	return rows, errors.Join(faults...)
}

// mend makes of a scenario that reproduces a defect the one on the version in which
// it is mended: nothing is expected of it but that all holds.
func (s *Scenario) mend() {
	s.Cluster.Etcd = s.Expect.Fixed
	s.Expect.Reproduces, s.Expect.Fixed = nil, ""
	s.Expect.Known = &[]string{}
}
