package main

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast"
)

// tube is a terminal of some columns that knows what a status may send to one.
type tube struct {
	t       *testing.T
	columns int
	rows    [][]rune
	row     int
	column  int
	colours int
}

var escape = regexp.MustCompile(`^\x1b\[(\d*)([A-Za-z])`)

func (s *tube) Write(p []byte) (int, error) {
	for text := string(p); text != ""; {
		if m := escape.FindStringSubmatch(text); m != nil {
			s.obey(m[1], m[2])
			text = text[len(m[0]):]
			continue
		}
		c := []rune(text)[0]
		text = text[len(string(c)):]
		switch {
		case c == '\r':
			s.column = 0
		case c == '\n':
			s.row, s.column = s.row+1, 0
		case c < ' ' || c == 0x7f || c >= 0x80 && c < 0xa0:
			s.t.Errorf("the terminal was sent %q", c)
		default:
			s.put(c)
		}
	}
	return len(p), nil
}

func (s *tube) put(c rune) {
	if s.column == s.columns {
		s.row, s.column = s.row+1, 0
	}
	s.at(s.row)
	for len(s.rows[s.row]) <= s.column {
		s.rows[s.row] = append(s.rows[s.row], ' ')
	}
	s.rows[s.row][s.column] = c
	s.column++
}

func (s *tube) at(row int) {
	for len(s.rows) <= row {
		s.rows = append(s.rows, nil)
	}
}

func (s *tube) obey(number, letter string) {
	s.at(s.row)
	n, _ := strconv.Atoi(number)
	switch letter {
	case "A":
		s.row -= n
	case "K", "J":
		s.rows[s.row] = s.rows[s.row][:min(s.column, len(s.rows[s.row]))]
		if letter == "J" {
			s.rows = s.rows[:s.row+1]
		}
	case "m":
		s.colours++
	default:
		s.t.Errorf("the terminal was sent ESC [ %s %s", number, letter)
	}
}

// narrow makes the terminal as narrow as that: long rows are broken, as terminals do.
func (s *tube) narrow(columns int) {
	var rows [][]rune
	for i, row := range s.rows {
		if i == s.row {
			s.row = len(rows) + max(0, s.column-1)/columns
			s.column = s.column - max(0, s.column-1)/columns*columns
		}
		for len(row) > columns {
			rows, row = append(rows, row[:columns:columns]), row[columns:]
		}
		rows = append(rows, row)
	}
	s.columns, s.rows = columns, rows
}

func (s *tube) String() string {
	var lines []string
	for _, row := range s.rows {
		lines = append(lines, strings.TrimRight(string(row), " "))
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}

func at(t *testing.T, columns int) (*tube, *status) {
	screen := &tube{t: t, columns: columns}
	return screen, &status{w: screen, width: func() int { return screen.columns }}
}

func (s *tube) shows(want string) {
	s.t.Helper()
	if got := s.String(); got != want {
		s.t.Errorf("the terminal shows:\n%s\n\nand should show:\n%s", got, want)
	}
}

func TestStoryScrollsAboveTheLine(t *testing.T) {
	screen, s := at(t, 40)
	s.say("starting")
	s.set(part{text: "1 of 20 s"}, part{text: "many operations"})
	screen.shows("starting\n1 of 20 s  many operations")
	s.set(part{text: "2 of 20 s"})
	s.say("cut-client c1\nand another line")
	screen.shows("starting\ncut-client c1\nand another line\n2 of 20 s")
	s.set(part{text: "3 of 20 s"})
	s.end()
	s.set(part{text: "4 of 20 s"}) // too late
	s.say("checking")
	screen.shows("starting\ncut-client c1\nand another line\nchecking")
	if screen.colours > 0 {
		t.Error("there are colours, and nobody wanted any")
	}
}

func TestLineFitsTheTerminal(t *testing.T) {
	now := holdfast.Status{
		Stage: holdfast.StageLoad, Elapsed: 12340 * time.Millisecond, Planned: 20 * time.Second, Rate: 812.4, Leader: "m2", Overlaps: 3,
		Faults: []string{"isolate-leader m2", "cut-client c3"},
	}
	for columns, want := range map[int]string{
		120: "12.3 of 20 s  3 overlapping holds (suspected)  812 ops/s  m2 leads  2 faults: isolate-leader m2, cut-client c3",
		64:  "12.3 of 20 s  3 overlapping holds (suspected)  812 ops/s  m2 l…",
		20:  "12.3 of 20 s  3 ov…",
		2:   "…",
		1:   "",
	} {
		screen, s := at(t, columns)
		s.colour = true
		s.set(statusLine(&now)...)
		screen.shows(want)
		if len(screen.rows) > 1 {
			t.Errorf("in %d columns the line has %d rows", columns, len(screen.rows))
		}
		if columns == 120 && screen.colours != 4 {
			t.Errorf("colours changed %d times, not 4 times", screen.colours)
		}
		s.end()
		screen.shows("")
	}
}

// A line that was drawn before the terminal became narrow is taken off whole.
func TestTerminalThatBecomesNarrow(t *testing.T) {
	screen, s := at(t, 60)
	s.say("starting")
	s.set(part{text: strings.Repeat("wide ", 11)})
	screen.narrow(20)
	s.set(part{text: "narrow"})
	screen.shows("starting\nnarrow")
}

func TestLineSaysWhereTheRunIs(t *testing.T) {
	for want, now := range map[string]holdfast.Status{
		"starting":                       {Stage: holdfast.StageStarting},
		"0.0 of 5 s  0 ops/s  no leader": {Stage: holdfast.StageLoad, Planned: 5 * time.Second},
		"5.0 of 5 s  healing  0 ops/s  m1 leads  1 fault: split m1":               {Stage: holdfast.StageHealing, Elapsed: 5 * time.Second, Planned: 5 * time.Second, Leader: "m1", Faults: []string{"split m1"}},
		"5.0 of 5 s  checking  1 overlapping hold (suspected)  0 ops/s  m1 leads": {Stage: holdfast.StageChecking, Elapsed: 5 * time.Second, Planned: 5 * time.Second, Leader: "m1", Overlaps: 1},
	} {
		screen, s := at(t, 100)
		s.set(statusLine(&now)...)
		screen.shows(want)
	}
}

// What a program under test says cannot drive the terminal.
func TestHostileWordsDoNotDriveTheTerminal(t *testing.T) {
	screen, s := at(t, 100)
	s.set(part{text: "a\x1b[2Jb\nc"})
	s.say("x\x1b]0;title\x07y\u202ez\u009bm")
	screen.shows(`x\x1b]0;title\x07y\u202ez\x9bm` + "\n" + `a\x1b[2Jb c`)
}

// Where there is no terminal nothing is taken back, and the line comes now and then.
func TestPlainLines(t *testing.T) {
	var b bytes.Buffer
	s := newStatus(&b)
	s.set(part{text: "too early"})
	s.say("one")
	s.told = s.told.Add(-plainPause)
	s.set(part{text: "a"}, part{"b", red})
	s.end()
	if got, want := b.String(), "one\na  b\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
