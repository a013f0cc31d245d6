package exact

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/etcd-holdfast/holdfast/history"
)

// testTrace names the processes p0, p1, ... and the object; its positions are
// lines.
func testTrace() *history.Trace {
	t := &history.Trace{Objects: []string{"the lock"}}
	for i := range int32(1000) {
		t.Lines = append(t.Lines, i)
		t.Processes = append(t.Processes, fmt.Sprint("p", i))
	}
	return t
}

func sentence(v *Violation) string { return v.Sentence(testTrace()) }

// show writes calls one a line.
func show(calls []history.Call) string {
	var b strings.Builder
	for _, c := range calls {
		end := fmt.Sprint(c.Return)
		if c.Return == history.NoReturn {
			end = "..."
		}
		fmt.Fprintf(&b, "  p%d %s [%d, %s] %s", c.Process, c.Function, c.Invoke, end, [...]string{"unknown", "ok", "refused"}[c.Known])
		if c.Shared {
			b.WriteString(" shared")
		}
		if c.Revision != 0 {
			fmt.Fprint(&b, " revision ", c.Revision)
		}
		if c.Argument > 0 {
			fmt.Fprint(&b, " argument ", c.Argument)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// parse reads calls as show writes them, without ids and with short names.
func parse(t *testing.T, lines string) []history.Call {
	t.Helper()
	functions := map[string]history.Function{"acquire": history.FunctionAcquire, "try": history.FunctionTryAcquire, "release": history.FunctionRelease,
		"hold": history.FunctionHold, "lower": history.FunctionLower, "wait": history.FunctionWait, "enter": history.FunctionEnter, "leave": history.FunctionLeave}
	var calls []history.Call
	for line := range strings.Lines(lines) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		c := history.Call{Known: history.Succeeded, Value: history.Nil, Argument: history.Nil}
		c.Function = functions[fields[1]]
		if _, err := fmt.Sscanf(fields[0]+" "+fields[2], "p%d %d", &c.Process, &c.Invoke); err != nil || c.Function == history.FunctionNone {
			t.Fatalf("%q: %v", line, err)
		}
		if fields[3] == "..." {
			c.Known, c.Return = history.Unknown, history.NoReturn
		} else if _, err := fmt.Sscan(fields[3], &c.Return); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		for _, extra := range fields[4:] {
			switch {
			case extra == "refused":
				c.Known = history.Refused
			case extra == "shared":
				c.Shared = true
			case strings.HasPrefix(extra, "#"):
				fmt.Sscanf(extra, "#%d", &c.Revision)
			default:
				fmt.Sscan(extra, &c.Argument)
			}
		}
		calls = append(calls, c)
	}
	return calls
}

// TestHoldSentences shows each kind of violation, as lines of process, call,
// invocation, return and what else there is.
func TestHoldSentences(t *testing.T) {
	tryLock := func(expiring bool) func([]history.Call) (*Violation, bool) {
		return func(calls []history.Call) (*Violation, bool) { return TryLock(calls, expiring) }
	}
	pair := func(calls []history.Call) (*Violation, bool) { return DoubleBarrier(calls, 2) }
	three := func(calls []history.Call) (*Violation, bool) { return Semaphore(calls, 3) }
	for _, test := range []struct {
		name  string
		check func([]history.Call) (*Violation, bool)
		calls string
		at    int64
		lines []int64 // the witness, by invocation
		want  string
	}{
		{"two hold", Mutex, `
			p0 acquire 1 2
			p2 acquire 1 ...
			p1 acquire 2 3
			p0 release 4 5
			p1 release 6 7`, 3, []int64{1, 2, 4, 6},
			"p0 was told that it holds the lock at line 2 and had not released at line 4; p1 was told that it holds the lock at line 3"},
		{"never held", Mutex, `
			p0 release 1 2`, 2, []int64{1},
			"p0 released the lock at line 1 and had never held it"},
		{"released twice", Mutex, `
			p0 acquire 1 2
			p0 release 3 4
			p0 release 5 6`, 6, []int64{3, 5},
			"p0 released the lock at line 5 and had not held it since it released at line 3"},
		{"a lost acquire cannot have had it", Mutex, `
			p0 acquire 1 ...
			p1 acquire 2 3
			p0 release 4 5
			p1 release 6 7`, 5, []int64{1, 2, 4, 6},
			"p0 released the lock between line 4 and line 5, but p1 held it from line 3 to line 6"},
		{"a reader and a writer", RWLock, `
			p0 acquire 1 2 shared
			p1 acquire 1 3 shared
			p1 release 4 5
			p2 acquire 4 6
			p0 release 7 8`, 6, []int64{1, 4, 7},
			"p0 was told that it holds the lock for reading at line 2 and had not released at line 7; p2 was told that it holds the lock at line 6"},
		{"permits", three, `
			p0 acquire 1 2 1
			p1 acquire 3 4 2
			p2 acquire 5 6 2
			p0 release 8 9`, 6, []int64{3, 5},
			"4 permits of the lock, which has 3, were taken at line 6: p1 2 (since line 4), p2 2 (since line 6)"},
		{"too many permits back", three, `
			p0 acquire 1 2 1
			p0 release 3 4 2`, 4, []int64{1, 3},
			"p0 released 2 permits of the lock at line 3 and had 1"},
		{"released once of twice", ReentrantMutex, `
			p0 acquire 1 2
			p0 acquire 3 4
			p0 release 5 6
			p1 acquire 7 8`, 8, []int64{1, 7},
			"p0 was told that it holds the lock at line 2 and had not released at the end; p1 was told that it holds the lock at line 8"},
		{"two lead", Leadership, `
			p0 acquire 1 2
			p0 acquire 3 4
			p1 acquire 3 5
			p0 release 6 7`, 5, []int64{1, 3, 6},
			"p0 was told that it holds the lock at line 2 and had not released at line 6; p1 was told that it holds the lock at line 5"},
		{"stale token", FencedMutex, `
			p0 acquire 1 2 #7
			p0 release 3 4
			p1 acquire 5 6 #5`, 6, []int64{1, 3, 5},
			"p0 got the token 7 for the lock at line 2, and after it p1 got the smaller token 5 at line 6"},
		{"one token twice", FencedTokens, `
			p0 acquire 1 4 #7
			p1 acquire 2 3 #7`, 4, []int64{1, 2},
			"processes p1 and p0 both got the token 7 for the lock, at line 3 and at line 4"},
		{"refused a free lock", tryLock(false), `
			p0 acquire 1 2
			p0 release 3 4
			p3 try 5 ...
			p1 try 5 6 refused
			p2 acquire 7 8`, 8, []int64{1, 3, 5, 7},
			"p1 was refused the lock between line 5 and line 6, when nobody can have held it: p0 had released it by line 4 and p2 asked for it at line 7"},
		{"one lost acquire for two refusals", tryLock(true), `
			p3 try 0 ...
			p1 try 1 2 refused
			p0 acquire 3 4
			p0 release 5 6
			p1 try 7 8 refused`, 8, []int64{0, 1, 3, 5, 7},
			"p1 was refused the lock between line 7 and line 8, when nobody can have held it: p0 had released it by line 6 and nobody who can have got it had asked; 1 acquires of unknown outcome can explain as many of 2 such refusals, not all"},
		{"past a barrier", Barrier, `
			p0 hold 1 2
			p1 wait 3 4
			p0 lower 5 6`, 4, []int64{1, 3, 5},
			"p1 got past the lock between line 3 and line 4, when it was up: p0 had raised it by line 2, and nobody asked that it be lowered until line 5"},
		{"up before it was", Barrier, `
			p0 hold 1 8
			p2 hold 2 3 refused
			p1 wait 4 5`, 5, []int64{1, 2, 4},
			"p1 got past the lock between line 4 and line 5, when it was up: what p2 was told at line 3 shows that it had been raised by then, and nobody asked that it be lowered after that"},
		{"refused a lowered barrier", Barrier, `
			p0 hold 1 2 refused`, 2, []int64{1},
			"p0 was refused to raise the lock between line 1 and line 2, when it was down: nobody had raised it yet, and nobody asked that it be raised after that"},
		{"the second lower returned first", Barrier, `
			p0 hold 1 2
			p0 lower 3 9
			p1 lower 4 5
			p2 hold 6 7 refused`, 7, []int64{3, 4, 6},
			"p2 was refused to raise the lock between line 6 and line 7, when it was down: p1 had lowered it by line 5, and nobody asked that it be raised after that"},
		{"raised twice", Barrier, `
			p0 hold 1 2
			p1 hold 3 4`, 4, []int64{1, 3},
			"p0 raised the lock by line 2, and p1 raised it again by line 4, with nobody lowering it between"},
		{"entered alone", pair, `
			p0 enter 1 2
			p1 enter 3 4
			p0 leave 5 8
			p1 leave 6 7
			p0 enter 9 10
			p1 enter 11 12`, 2, []int64{1},
			"p0 entered the lock at line 2, when 1 of 2 processes had begun to enter it for the 1st time"},
	} {
		t.Run(test.name, func(t *testing.T) {
			v, decided := test.check(parse(t, test.calls))
			if v == nil || !decided {
				t.Fatal("no violation")
			}
			var lines []int64
			for _, c := range v.Witness {
				lines = append(lines, c.Invoke)
			}
			if v.At != test.at || !slices.Equal(lines, test.lines) {
				t.Errorf("at %d by the calls of lines %d, want %d and %d", v.At, lines, test.at, test.lines)
			}
			if got := sentence(v); got != test.want {
				t.Errorf("got:  %s\nwant: %s", got, test.want)
			}
		})
	}
}

// TestUndecidedHolds has histories that the checks leave to the general search,
// and says so.
func TestUndecidedHolds(t *testing.T) {
	for name, test := range map[string]struct {
		check func([]history.Call) (*Violation, bool)
		calls string
	}{
		"a release of what another took":                       {PlainMutex, "p0 acquire 1 2\np1 release 3 4\np1 acquire 5 6"},
		"a lost release that had nothing to free, then a hold": {Mutex, "p0 release 1 ...\np0 acquire 2 3\np1 acquire 4 5"},
		"a lost resignation, then another campaign":            {Leadership, "p0 acquire 1 2\np0 release 3 ...\np0 acquire 4 5\np1 acquire 6 7"},
		"a refusal of a read-write lock":                       {RWLock, "p0 try 1 2 refused"},
		"a process that makes two calls at once":               {Mutex, "p0 acquire 1 5\np0 release 2 3"},
		"two that raise a barrier at once":                     {Barrier, "p0 hold 1 5\np1 hold 2 4"},
		"a lost lower may have let it past":                    {Barrier, "p2 lower 1 ...\np0 hold 2 3\np1 wait 4 5"},
		"a call that a lock does not know":                     {Mutex, "p0 wait 1 2"},
	} {
		if v, decided := test.check(parse(t, test.calls)); v != nil || decided {
			t.Errorf("%s: decided is %v, violation is %v", name, decided, v != nil)
		}
	}
}
