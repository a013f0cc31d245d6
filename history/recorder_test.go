package history

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"testing"
	"time"
)

func testHeader() Header {
	return Header{Version: FormatVersion, Prefix: "run/", Subjects: []SubjectInfo{{Name: "mutex", Primitive: Mutex, Origin: FromEtcd, Layout: OldestKey}}}
}

func newTestRecorder(t testing.TB, w *bytes.Buffer) *Recorder {
	t.Helper()
	r, err := NewRecorder(w, NewClock(), testHeader())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestWhatIsRecordedIsRead(t *testing.T) {
	var file bytes.Buffer
	r := newTestRecorder(t, &file)
	op := Operation{
		Client: "c1", Subject: "mutex", Object: "0", Kind: Acquire, Mode: WriteMode, Deadline: time.Second,
		Lease: 7, Hold: 3, Value: "a \"quoted\"\n\x00 välue", Prior: "p",
	}
	if !r.Invoke(&op) {
		t.Fatal("the invocation of a living client was refused")
	}
	at, ok := r.Complete(&Completion{ID: op.ID, Client: "c1", Outcome: Ok, Key: "k", Token: 12, Revision: 13, Requests: 14, Error: "e", Panicked: true})
	if !ok {
		t.Fatal("the completion of a living client was refused")
	}
	want := Event{Kind: Lost, Client: "c1", Subject: "mutex", Object: "0", Lease: 7, TTL: time.Second, Heeded: true, Operation: 1, Value: "v", Key: "k", Token: 1, Revision: 2, Detail: "d"}
	r.Event(want)

	h, err := ReadJournal(&file)
	if err != nil {
		t.Fatal(err)
	}
	op.Return, op.Outcome, op.Key, op.Token, op.Revision, op.Error, op.Panicked = at, Ok, "k", 12, 13, "e", true
	op.Requests = 14
	if len(h.Operations) != 1 || h.Operations[0] != op {
		t.Errorf("read %+v, recorded %+v", h.Operations, op)
	}
	want.Time = h.Events[0].Time
	if h.Events[0] != want {
		t.Errorf("read %+v, recorded %+v", h.Events[0], want)
	}
	if h.End != want.Time || op.Call >= op.Return || op.Return >= want.Time {
		t.Errorf("times do not rise: %v %v %v, end %v", op.Call, op.Return, want.Time, h.End)
	}
	if !reflect.DeepEqual(h.Header, testHeader()) {
		t.Errorf("header %+v", h.Header)
	}
}

func TestTheDeadSayNothing(t *testing.T) {
	var file bytes.Buffer
	r := newTestRecorder(t, &file)
	op := Operation{Client: "c1", Subject: "mutex", Object: "0", Kind: Acquire}
	r.Invoke(&op)
	r.Event(Event{Kind: Crashed, Client: "c1"})
	if _, ok := r.Complete(&Completion{ID: op.ID, Client: "c1", Outcome: Ok}); ok {
		t.Error("a completion of a crashed client was recorded")
	}
	if r.Invoke(&Operation{Client: "c1", Kind: Acquire}) {
		t.Error("an invocation of a crashed client was recorded")
	}
	if r.Event(Event{Kind: Lost, Client: "c1"}) {
		t.Error("an event of a crashed client was recorded")
	}
	if !r.Invoke(&Operation{Client: "c1.1", Kind: Acquire}) {
		t.Error("its replacement was refused")
	}
	h, err := ReadJournal(&file)
	if err != nil {
		t.Fatal(err)
	}
	if len(h.Operations) != 2 || h.Operations[0].Completed() || len(h.Events) != 1 {
		t.Errorf("read %+v and %+v", h.Operations, h.Events)
	}
}

// A journal cut at any byte is the history up to an instant: every line before
// the cut, nothing after it, never an error.
func TestAJournalCutAnywhereIsReadable(t *testing.T) {
	var file bytes.Buffer
	r := newTestRecorder(t, &file)
	for range 5 {
		op := Operation{Client: "c1", Subject: "mutex", Object: "0", Kind: Acquire}
		r.Invoke(&op)
		r.Complete(&Completion{ID: op.ID, Client: "c1", Outcome: Info, Error: "gone"})
	}
	whole := file.Bytes()
	header := bytes.IndexByte(whole, '\n') + 1
	for cut := 1; cut <= len(whole); cut++ {
		h, err := ReadJournal(bytes.NewReader(whole[:cut]))
		if err != nil {
			t.Fatalf("cut at byte %d: %v", cut, err)
		}
		if cut < header {
			continue
		}
		lines := bytes.Count(whole[header:cut], []byte("\n"))
		records := 0
		for _, op := range h.Operations {
			records++
			if op.Completed() {
				records++
			}
		}
		// A last line that is whole but for its line end counts too.
		if records != lines && !(records == lines+1 && whole[cut] == '\n') {
			t.Fatalf("cut at byte %d: %d records of %d lines", cut, records, lines)
		}
	}
}

func TestFaultyJournalsAreRefusedByLine(t *testing.T) {
	header := `{"type":"header","header":{"version":1,"prefix":"p","subjects":[]}}` + "\n"
	for name, text := range map[string]string{
		"line 1: the file is empty":                                              "",
		"line 1: a history begins with its header line":                          `{"type":"invoke"}` + "\n",
		"line 3: unknown line type \"nonsense\"":                                 header + `{"type":"event","time":1}` + "\n" + `{"type":"nonsense","time":2}` + "\n",
		"line 2: operation 9 completes but is not open":                          header + `{"type":"ok","id":9,"time":1}` + "\n",
		"line 3: time 1 is before the time of an earlier line, 5":                header + `{"type":"event","time":5}` + "\n" + `{"type":"event","time":1}` + "\n",
		"line 2, column 1: invalid character 'x' looking for beginning of value": header + "x\n" + `{"type":"event","time":1}` + "\n",
		"line 1: the history has format version 9; this program reads version 1": `{"type":"header","header":{"version":9}}` + "\n",
	} {
		if _, err := ReadJournal(bytes.NewReader([]byte(text))); err == nil || err.Error() != name {
			t.Errorf("%q: got %v", name, err)
		}
	}
}

func TestTheRecorderIsSafeForConcurrentUse(t *testing.T) {
	var file bytes.Buffer
	r := newTestRecorder(t, &file)
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			client := string(rune('a' + i))
			for range 200 {
				op := Operation{Client: client, Kind: Acquire}
				r.Invoke(&op)
				r.Complete(&Completion{ID: op.ID, Client: client, Outcome: Ok})
			}
		})
	}
	group.Wait()
	h, err := ReadJournal(&file)
	if err != nil {
		t.Fatal(err)
	}
	if len(h.Operations) != 1600 {
		t.Errorf("%d operations", len(h.Operations))
	}
	for i := range h.Operations {
		if !h.Operations[i].Completed() {
			t.Errorf("operation %d is open", h.Operations[i].ID)
		}
	}
}

func TestNothingIsRecordedAfterTheSeal(t *testing.T) {
	var file bytes.Buffer
	r := newTestRecorder(t, &file)
	op := Operation{Client: "c1", Kind: Acquire}
	r.Invoke(&op)
	r.Seal()
	if _, ok := r.Complete(&Completion{ID: op.ID, Client: "c1", Outcome: Ok}); ok || r.Invoke(&op) || r.Event(Event{Kind: PhaseBegan}) {
		t.Error("something was recorded")
	}
	if h, err := ReadJournal(&file); err != nil || len(h.Operations) != 1 || h.Operations[0].Completed() || len(h.Events) != 0 {
		t.Errorf("%+v, %v", h, err)
	}
}

type brokenWriter struct{ writes int }

func (w *brokenWriter) Write(p []byte) (int, error) {
	if w.writes++; w.writes > 1 {
		return 0, os.ErrClosed
	}
	return len(p), nil
}

func TestAWriteErrorIsKept(t *testing.T) {
	r, err := NewRecorder(&brokenWriter{}, NewClock(), testHeader())
	if err != nil {
		t.Fatal(err)
	}
	r.Event(Event{Kind: PhaseBegan})
	if r.Err() == nil {
		t.Error("the error was lost")
	}
}

// One record is one line in the file before the call returns.
func BenchmarkRecorder(b *testing.B) {
	f, err := os.Create(filepath.Join(b.TempDir(), "history.jsonl"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	r, err := NewRecorder(f, NewClock(), testHeader())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		op := Operation{Client: "c1", Subject: "mutex", Object: "0", Kind: Acquire, Lease: 7587849930000000001, Deadline: 5 * time.Second}
		r.Invoke(&op)
		r.Complete(&Completion{ID: op.ID, Client: "c1", Outcome: Ok, Key: "holdfast/mutex/0/694d9a1c", Token: 812})
	}
	b.ReportMetric(2*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
