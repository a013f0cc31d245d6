package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/etcd-holdfast/holdfast"
)

// narrate has a run tell its story on stderr, above a line that says how it stands
// if that is a terminal, until what it returns is called.
//
// An interrupt takes the line away: a second one ends the process where it stands.
func narrate(cmd *cobra.Command, o *holdfast.RunOptions) (end func()) {
	s := newStatus(cmd.ErrOrStderr())
	o.Progress = s.say
	if s.width == nil {
		return func() {}
	}
	o.Status = func(now holdfast.Status) { s.set(statusLine(&now)...) }
	o.Progress = func(line string) {
		if cmd.Context().Err() != nil { // what follows an interrupt may be said before it is noticed below
			s.end()
		}
		s.say(line)
	}
	stop := context.AfterFunc(cmd.Context(), s.end)
	return func() {
		stop()
		s.end()
	}
}

// statusLine says how a run stands, what matters most first: a narrow terminal shows
// the beginning. What is suspected is called no violation, as nothing is judged yet.
func statusLine(s *holdfast.Status) []part {
	parts := []part{{text: string(s.Stage)}}
	if s.Stage == holdfast.StageStarting {
		return parts
	}
	parts[0].text = fmt.Sprintf("%.1f of %.0f s", s.Elapsed.Seconds(), s.Planned.Seconds())
	if s.Stage != holdfast.StageLoad {
		parts = append(parts, part{text: string(s.Stage)})
	}
	if s.Overlaps > 0 {
		parts = append(parts, part{fmt.Sprintf("%d overlapping %s (suspected)", s.Overlaps, plural("hold", s.Overlaps)), red})
	}
	parts = append(parts, part{text: fmt.Sprintf("%.0f ops/s", s.Rate)})
	if s.Leader == "" {
		parts = append(parts, part{"no leader", yellow})
	} else {
		parts = append(parts, part{text: s.Leader + " leads"})
	}
	if n := len(s.Faults); n > 0 {
		parts = append(parts, part{fmt.Sprintf("%d %s: %s", n, plural("fault", int64(n)), strings.Join(s.Faults, ", ")), yellow})
	}
	return parts
}

func plural(what string, n int64) string {
	if n == 1 {
		return what
	}
	return what + "s"
}
