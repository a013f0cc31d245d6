package history

import (
	"bytes"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
)

// wellFormed fails the test if a trace breaks what Trace promises.
func wellFormed(t *testing.T, trace *Trace) {
	t.Helper()
	if len(trace.Objects) == 0 {
		t.Fatal("no object")
	}
	if !slices.IsSortedFunc(trace.Calls, func(a, b Call) int { return int(a.Invoke - b.Invoke) }) {
		t.Fatal("calls are not in the order of their invocations")
	}
	for i, c := range trace.Calls {
		switch {
		case c.Function == FunctionNone || c.Function > FunctionLeave || c.Known > Refused:
			t.Fatalf("call %d: %+v", i, c)
		case int(c.Process) >= len(trace.Processes) || int(c.Object) >= len(trace.Objects):
			t.Fatalf("call %d of process %d on object %d", i, c.Process, c.Object)
		case (c.Known == Unknown) != (c.Return == NoReturn), c.Return < c.Invoke:
			t.Fatalf("call %d: known %d, [%d, %d]", i, c.Known, c.Invoke, c.Return)
		}
		_, _, _ = trace.Text(c.Value), trace.Text(c.Argument), trace.At(c.Return)
	}
}

// readTwice reads a text at once and byte by byte: traces and errors must be
// the same. A trace must survive EDN.
func readTwice(t *testing.T, text []byte, model string, read func(io.Reader, int64) (*Trace, error)) {
	t.Helper()
	trace, err := read(bytes.NewReader(text), int64(len(text)))
	again, errAgain := read(&oneByte{text}, 0)
	if (err == nil) != (errAgain == nil) || err != nil && err.Error() != errAgain.Error() {
		t.Fatalf("at once %v, byte by byte %v", err, errAgain)
	}
	if err != nil {
		var syntax *SyntaxError
		if !errors.As(err, &syntax) || syntax.Line < 1 || syntax.Line > 1+bytes.Count(text, []byte{'\n'}) {
			t.Fatalf("error %#v", err)
		}
		return
	}
	wellFormed(t, trace)
	if a, b := tell(trace), tell(again); a != b {
		t.Fatalf("at once\n%s\nbyte by byte\n%s", a, b)
	}
	var b strings.Builder
	if err := WriteEDN(&b, trace, model); err != nil {
		t.Fatal(err)
	}
	back, err := ReadEDN(strings.NewReader(b.String()), "back", model)
	if err != nil {
		t.Fatalf("%v\n%s", err, b.String())
	}
	// Two calls of one process at once, of a drain, become two processes.
	if !slices.ContainsFunc(trace.Calls, func(c Call) bool { return c.Function == FunctionDequeue }) {
		if was, is := relation(trace), relation(back); was != is {
			t.Fatalf("%s\nwritten as\n%s\nread as\n%s", was, b.String(), is)
		}
	} else if len(back.Calls) != len(trace.Calls) {
		t.Fatalf("%d calls, and read back %d", len(trace.Calls), len(back.Calls))
	}
}

type oneByte struct{ text []byte }

func (o *oneByte) Read(b []byte) (int, error) {
	if len(o.text) == 0 {
		return 0, io.EOF
	}
	b[0], o.text = o.text[0], o.text[1:]
	return 1, nil
}

func FuzzEDN(f *testing.F) {
	f.Fuzz(func(t *testing.T, text []byte, which uint8) {
		model := Models()[int(which)%len(Models())]
		readTwice(t, text, model, func(r io.Reader, size int64) (*Trace, error) { return readEDN(r, "x", model, size) })
	})
}

func FuzzJepsenLog(f *testing.F) {
	f.Fuzz(func(t *testing.T, text []byte, which uint8) {
		model := Models()[int(which)%len(Models())]
		readTwice(t, text, model, func(r io.Reader, size int64) (*Trace, error) { return readJepsenLog(r, "x", model, size) })
	})
}

func FuzzJournal(f *testing.F) {
	f.Fuzz(func(t *testing.T, text []byte) {
		h, err := ReadJournal(bytes.NewReader(text))
		if err != nil {
			return
		}
		for _, s := range append(h.Header.Subjects, SubjectInfo{Name: ""}) {
			trace := h.HoldsTrace(s.Name)
			wellFormed(t, trace)
			var b strings.Builder
			if err := WriteEDN(&b, trace, "rwmutex"); err != nil {
				t.Fatal(err)
			}
			back, err := ReadEDN(strings.NewReader(b.String()), "back", "rwmutex")
			if err != nil || len(back.Calls) != len(trace.Calls) {
				t.Fatalf("%v\n%s", err, b.String())
			}
		}
	})
}

func FuzzRevisions(f *testing.F) {
	f.Fuzz(func(t *testing.T, text []byte) {
		log, err := ReadRevisions(bytes.NewReader(text))
		if err != nil {
			return
		}
		for _, r := range []int64{math.MinInt64, 0, log.Start, log.Through, math.MaxInt64} {
			if log.Earliest(r) > log.Earliest(math.MaxInt64) {
				t.Fatalf("revision %d has no earlier bound than all", r)
			}
			_, _ = log.Latest(r), log.Covers(r, log.Through)
		}
		for _, c := range log.Changes {
			if c.Revision > log.Through {
				t.Fatalf("revision %d is beyond the end, %d", c.Revision, log.Through)
			}
		}
		for _, l := range log.Lives("") {
			_ = l.Alive(log.Start)
		}
	})
}

func FuzzFaults(f *testing.F) {
	f.Fuzz(func(t *testing.T, text []byte) {
		faults, err := ReadFaults(bytes.NewReader(text))
		if err != nil {
			return
		}
		seen := make(map[int64]bool)
		for _, fault := range faults {
			if seen[fault.ID] {
				t.Fatalf("fault %d is there twice", fault.ID)
			}
			seen[fault.ID] = true
		}
	})
}

func FuzzOpen(f *testing.F) {
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := OpenReader(bytes.NewReader(text), "x")
		if err != nil {
			return
		}
		switch file.Format {
		case FormatJournal:
			_, _ = file.History()
		case FormatEDN, FormatJepsenLog:
			if trace, err := file.Trace("cas-register"); err == nil {
				wellFormed(t, trace)
			}
		default:
			t.Fatalf("format %q", file.Format)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
	})
}
