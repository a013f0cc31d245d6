package reports

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// maxCalls is how many operations the page lists as text.
const maxCalls = 4000

// callList is the operations as lines of text, and how many are left out. Of too
// many those are listed that ran while a violation showed that is shown, and
// then the first ones.
func callList(h *history.History, all []*group) (text string, listed, left int) {
	total := len(h.Operations)
	places := make([]int, 0, min(total, maxCalls))
	if total <= maxCalls {
		for i := range total {
			places = append(places, i)
		}
	} else {
		places = callsNear(h, all)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%7s %-9s %-16s %-14s %11s %11s  %s\n", "no.", "client", "operation", "object", "call", "return", "outcome")
	for _, i := range places {
		operationLine(&b, &h.Operations[i])
	}
	return b.String(), len(places), total - len(places)
}

// callsNear are the places of maxCalls operations in their order.
func callsNear(h *history.History, all []*group) []int {
	var windows [][2]time.Duration
	for _, g := range all[:min(len(all), maxSections)] {
		v := g.Violations[0]
		windows = append(windows, [2]time.Duration{v.From, max(v.From, min(v.To, v.From+time.Second))})
	}
	var near, others []int
	for i := range h.Operations {
		op := &h.Operations[i]
		end := op.Return
		if !op.Completed() {
			end = op.Call
		}
		within := func(w [2]time.Duration) bool { return op.Call <= w[1] && w[0] <= end }
		switch {
		case slices.ContainsFunc(windows, within):
			if near = append(near, i); len(near) == maxCalls {
				return near
			}
		case len(others) < maxCalls:
			others = append(others, i)
		}
	}
	near = append(near, others[:min(len(others), maxCalls-len(near))]...)
	slices.Sort(near)
	return near
}

func operationLine(b *strings.Builder, op *history.Operation) {
	object := oneLine(op.Subject)
	if op.Object != "" {
		object += " " + oneLine(op.Object)
	}
	kind := oneLine(string(op.Kind))
	if op.Mode != "" {
		kind += " " + oneLine(string(op.Mode))
	}
	end, outcome := "–", "pending"
	if op.Completed() {
		end, outcome = number6(op.Return), oneLine(string(op.Outcome))
	}
	fmt.Fprintf(b, "%7d %-9s %-16s %-14s %11s %11s  %s", op.ID, shorten(oneLine(op.Client), 9), shorten(kind, 16), shorten(object, 24), number6(op.Call), end, outcome)
	if op.Token != 0 {
		fmt.Fprintf(b, ", token %d", op.Token)
	}
	if op.Value != "" {
		b.WriteString(", value " + shorten(oneLine(op.Value), 40))
	}
	if op.Error != "" {
		b.WriteString(", " + shorten(oneLine(op.Error), 80))
	}
	b.WriteByte('\n')
}

// number6 is a time in seconds, exact to the microsecond.
func number6(t time.Duration) string { return fmt.Sprintf("%.6f", t.Seconds()) }

// instants are when the violations show that the page tells of.
func instants(all []*group) (out []time.Duration) {
	for _, g := range all[:min(len(all), maxSections)] {
		for _, v := range g.Violations[:min(len(g.Violations), 3)] {
			out = append(out, v.From)
		}
	}
	return out
}
