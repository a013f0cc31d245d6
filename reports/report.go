package reports

import (
	"time"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/history"
)

// Complete is Report.Ended of a run that reached its end.
const Complete = "complete"

// Report is everything that there is to say about one run. History and Result
// may be nil: then what needs them is left out.
type Report struct {
	// Scenario is the scenario's name.
	Scenario string
	Seed     int64
	// ScenarioYAML is the scenario, complete, every default written out.
	ScenarioYAML string
	// About says in a sentence or two what the scenario is for.
	About string
	// Command repeats the run, in its directory.
	Command string
	// Anywhere repeats it without its directory; "" if that cannot be had.
	Anywhere string

	Started         time.Time
	EtcdVersion     string
	ClusterKind     string
	HoldfastVersion string
	GoVersion       string
	Host            string

	// Ended says how the run ended: Complete, "interrupted", "cut short" (it
	// was killed), or "failed: " and why.
	Ended string
	// Warnings are failures while healing or tearing down. They do not change
	// the verdict; they stand beside it.
	Warnings []string
	// Logs are lines of logs, of any number, those of one log in order.
	Logs []LogLine

	History *history.History
	Result  *checker.Result
}

// result is r.Result, or one that knows nothing.
func (r *Report) result() *checker.Result {
	if r.Result == nil {
		return &checker.Result{Verdict: checker.Unknown, Exit: checker.ExitUnknown, Notes: []string{"the run was not judged"}}
	}
	return r.Result
}

// history is r.History, or an empty one.
func (r *Report) history() *history.History {
	if r.History == nil {
		return &history.History{}
	}
	return r.History
}
