package reports

import (
	"fmt"
	"slices"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// latency sums up the calls of one kind on one subject.
type latency struct {
	Subject, Kind                    string
	Count, Ok, Fail, Info, Pending   int
	durations                        []time.Duration // of completed calls
	Median, Ninetieth, Last, Longest string
}

// latencies are by subject in the order of their first calls, then by kind.
func latencies(h *history.History) []*latency {
	type key struct {
		subject string
		kind    history.Kind
	}
	byKey := map[key]*latency{}
	completed := map[key]int{}
	for i := range h.Operations {
		if op := &h.Operations[i]; op.Completed() {
			completed[key{op.Subject, op.Kind}]++
		}
	}
	var all []*latency
	order := map[string]int{}
	for i := range h.Operations {
		op := &h.Operations[i]
		l := byKey[key{op.Subject, op.Kind}]
		if l == nil {
			l = &latency{Subject: op.Subject, Kind: string(op.Kind)}
			l.durations = make([]time.Duration, 0, completed[key{op.Subject, op.Kind}])
			byKey[key{op.Subject, op.Kind}] = l
			all = append(all, l)
			if _, ok := order[op.Subject]; !ok {
				order[op.Subject] = len(order)
			}
		}
		l.Count++
		switch op.Outcome {
		case history.Ok:
			l.Ok++
		case history.Fail:
			l.Fail++
		case history.Info:
			l.Info++
		default:
			l.Pending++
			continue
		}
		l.durations = append(l.durations, op.Return-op.Call)
	}
	slices.SortStableFunc(all, func(a, b *latency) int { return order[a.Subject] - order[b.Subject] })
	for _, l := range all {
		slices.Sort(l.durations)
		l.Median, l.Ninetieth = l.quantile(50), l.quantile(90)
		l.Last, l.Longest = l.quantile(99), l.quantile(100)
	}
	return all
}

// quantile is the least duration that percent of the completed calls did not
// exceed, in milliseconds.
func (l *latency) quantile(percent int) string {
	n := len(l.durations)
	if n == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f", millis(l.durations[max((n*percent+99)/100-1, 0)]))
}
