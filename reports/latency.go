package reports

import (
	"fmt"
	"html/template"
	"slices"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// moments is into how many parts of equal length a run is cut, of each of which
// there is a rate and a latency.
const moments = 60

// latency sums up the calls of one kind on one subject.
type latency struct {
	Subject, Kind                    string
	Count, Ok, Fail, Info, Pending   int
	durations                        []time.Duration // of completed calls, by call until they are sorted
	begins                           [moments + 1]int
	good, other                      [moments]int // calls by when they were made: ok, and the rest
	Median, Ninetieth, Last, Longest string
	Rate, Times                      template.HTML
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
	moment := func(t time.Duration) int {
		return int(min(max(t, 0), h.End-1) * moments / max(h.End, 1))
	}
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
		m := max(moment(op.Call), 0)
		l.add(op, m)
	}
	slices.SortStableFunc(all, func(a, b *latency) int { return order[a.Subject] - order[b.Subject] })
	bands := sparkBands(h)
	for i, l := range all {
		if i < maxSparks {
			l.Rate, l.Times = l.rates(h.End, bands), l.percentiles(bands)
		}
		slices.Sort(l.durations)
		l.Median, l.Ninetieth = milliseconds(quantile(l.durations, 50)), milliseconds(quantile(l.durations, 90))
		l.Last, l.Longest = milliseconds(quantile(l.durations, 99)), milliseconds(quantile(l.durations, 100))
	}
	return all
}

// add counts a call that was made in moment m. Calls come in their order.
func (l *latency) add(op *history.Operation, m int) {
	l.Count++
	if op.Outcome == history.Ok {
		l.good[m]++
	} else {
		l.other[m]++
	}
	switch op.Outcome {
	case history.Ok:
		l.Ok++
	case history.Fail:
		l.Fail++
	case history.Info:
		l.Info++
	default:
		l.Pending++
		return
	}
	l.durations = append(l.durations, op.Return-op.Call)
	l.begins[m+1] = len(l.durations)
}

// in returns the durations of the calls made in moment m, sorted.
func (l *latency) in(m int) []time.Duration {
	from := 0
	for k := range m + 1 { // moments without a call begin where the one before ends
		from = max(from, l.begins[k])
	}
	some := l.durations[from:max(from, l.begins[m+1])]
	slices.Sort(some)
	return some
}

// quantile is the least of sorted durations that percent of them do not exceed;
// -1 if there is none.
func quantile(sorted []time.Duration, percent int) time.Duration {
	n := len(sorted)
	if n == 0 {
		return -1
	}
	return sorted[max((n*percent+99)/100-1, 0)]
}

// milliseconds is a duration as a number, or a dash where there is none.
func milliseconds(d time.Duration) string {
	if d < 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f", millis(d))
}
