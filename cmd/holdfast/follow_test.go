package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/etcd-holdfast/holdfast"
)

// following is a series on a terminal whose time stands still.
func following(t *testing.T, columns int) (*tube, *series) {
	screen, s := at(t, columns)
	return screen, &series{status: s, began: time.Now().Add(time.Hour), finish: func() {}}
}

func TestASeriesTellsHowFarItIs(t *testing.T) {
	for want, now := range map[string]holdfast.Standing{
		"0 of 29 done  0 found  no false alarm":                                       {Planned: 29},
		"3 of 29 done  2 found  1 missed  1 false alarm  now: late-watch, queue-lock": {Done: 3, Planned: 29, Found: 2, Missed: 1, Alarms: 1, Running: []string{"late-watch", "queue-lock"}},
	} {
		screen, s := following(t, 100)
		s.stand(now)
		_, shown, _ := strings.Cut(screen.String(), "s  ") // behind the time
		if shown != want {
			t.Errorf("the line is %q, want %q", shown, want)
		}
		s.say("late-watch found")
		if first, _, _ := strings.Cut(screen.String(), "\n"); first != "late-watch found" {
			t.Errorf("the terminal shows %q", screen)
		}
		s.end()
		s.stand(now) // too late
		screen.shows("late-watch found")
		if screen.colours > 0 {
			t.Error("there are colours, and nobody wanted any")
		}
	}
}

// An interrupt takes the line away, once, and the story goes on.
func TestAnInterruptTakesTheLineAway(t *testing.T) {
	screen, s := following(t, 120)
	s.stand(holdfast.Standing{Planned: 2, Running: []string{"a"}})
	s.interrupt()
	s.interrupt()
	s.stand(holdfast.Standing{Done: 1, Planned: 2})
	s.say("a found")
	s.end()
	screen.shows("interrupted: ending what is under way, then comes what was found by then; once more ends at once\na found")
}

// Where there is no terminal there are plain lines, when there is news, and an
// interrupt that comes after the end says nothing.
func TestASeriesWithoutATerminal(t *testing.T) {
	var b bytes.Buffer
	cmd := &cobra.Command{}
	ctx, cancel := context.WithCancel(t.Context())
	cmd.SetErr(&b)
	cmd.SetContext(ctx)
	s := follow(cmd)
	s.status.told = time.Now().Add(-time.Hour)
	s.stand(holdfast.Standing{Planned: 2, Running: []string{"a"}}) // no news
	s.say("a found")
	s.stand(holdfast.Standing{Done: 1, Planned: 2, Found: 1, Running: []string{"b\x1b[2J"}})
	s.end()
	cancel()
	if got, want := b.String(), "a found\n0s  1 of 2 done  1 found  no false alarm  now: b\\x1b[2J\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
