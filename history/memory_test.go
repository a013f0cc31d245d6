package history

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestMemoryIsWhatReadingGives records random runs in memory and in journals at
// once.
func TestMemoryIsWhatReadingGives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, err := NewMemory(drawHeader(t), NewClock())
		if err != nil {
			t.Fatal(err)
		}
		var operations, revisions, faults bytes.Buffer
		if err := m.Tee(&operations, &revisions, &faults); err != nil {
			t.Fatal(err)
		}
		logged := rapid.IntRange(0, 9).Draw(t, "logged") > 0
		recordAnything(t, m, logged)

		got := m.History()
		for _, err := range []error{m.Recorder().Err(), m.revisions.Err(), m.faults.Err()} {
			if err != nil {
				t.Fatal(err)
			}
		}
		want, err := ReadJournal(&operations)
		if err != nil {
			t.Fatal(err)
		}
		if logged {
			if want.Revisions, err = ReadRevisions(&revisions); err != nil {
				t.Fatal(err)
			}
		}
		if want.Faults, err = ReadFaults(&faults); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(plainly(got), plainly(want)) {
			t.Fatalf("in memory\n%+v\n%+v\nread\n%+v\n%+v", got, got.Revisions, want, want.Revisions)
		}
		digest := m.Digest()
		if rapid.Bool().Draw(t, "reuse") {
			reused(t, m)
			return
		}
		m.Recorder().Event(Event{Kind: PhaseBegan, Detail: PhaseEnd})
		m.revisions.Tick(Tick{Revision: 1})
		m.FaultJournal().Record(Fault{ID: 1, Kind: "late"})
		if m.History() != got || !reflect.DeepEqual(plainly(got), plainly(want)) || m.Digest() != digest {
			t.Fatal("something was recorded after the history was asked for")
		}
	})
}

// reused records another run in a memory's space, and compares it with what it
// is in a space of its own; whoever still records the first run is refused.
func reused(t *rapid.T, m *Memory) {
	h := drawHeader(t)
	next, err := m.Reuse(h, NewClock())
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := NewMemory(h, NewClock())
	if err != nil {
		t.Fatal(err)
	}
	if next.Digest() != fresh.Digest() || !reflect.DeepEqual(plainly(next.History()), plainly(fresh.History())) {
		t.Fatal("a memory that is used again is not empty")
	}
	if next, err = next.Reuse(h, NewClock()); err != nil {
		t.Fatal(err)
	}
	var operations, revisions, faults bytes.Buffer
	if err := next.Tee(&operations, &revisions, &faults); err != nil {
		t.Fatal(err)
	}
	recordAnything(t, next, true)
	m.Recorder().Invoke(&Operation{Client: "late"})
	m.revisions.Change(Change{Revision: 1, Key: "late"})
	m.FaultJournal().Record(Fault{ID: 1, Kind: "late"})
	want, err1 := ReadJournal(&operations)
	log, err2 := ReadRevisions(&revisions)
	injected, err3 := ReadFaults(&faults)
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	want.Revisions, want.Faults = log, injected
	if got := next.History(); !reflect.DeepEqual(plainly(got), plainly(want)) {
		t.Fatalf("in memory\n%+v\nread\n%+v", got, want)
	}
}

// plainly returns a history in which what is empty is nil.
func plainly(h *History) *History {
	plain := *h
	plain.Operations, plain.Events, plain.Faults = orNil(h.Operations), orNil(h.Events), orNil(h.Faults)
	plain.Header.Subjects = orNil(h.Header.Subjects)
	if h.Revisions != nil {
		log := *h.Revisions
		log.Changes, log.LeaseEnds, log.Ticks, log.Gaps = orNil(log.Changes), orNil(log.LeaseEnds), orNil(log.Ticks), orNil(log.Gaps)
		log.lives = orNil(log.lives)
		plain.Revisions = &log
	}
	return &plain
}

func orNil[T any](s []T) []T {
	if len(s) == 0 {
		return nil
	}
	return s
}

func drawHeader(t *rapid.T) Header {
	h := Header{Prefix: drawText(t)}
	for range rapid.IntRange(0, 2).Draw(t, "subjects") {
		h.Subjects = append(h.Subjects, SubjectInfo{
			Name: drawText(t), Primitive: Mutex, Origin: FromEtcd, Permits: rapid.IntRange(0, 3).Draw(t, "permits"), Scripted: rapid.Bool().Draw(t, "scripted"),
		})
	}
	return h
}

func drawText(t *rapid.T) string {
	return rapid.OneOf(rapid.SampledFrom([]string{"", "a", "b", "c/\"d\"\n", "ü"}), rapid.String()).Draw(t, "text")
}

func drawNumber(t *rapid.T) int64 {
	return rapid.SampledFrom([]int64{0, 0, 1, 2, 3, -1, 1 << 40}).Draw(t, "number")
}

func drawTime(t *rapid.T) time.Duration { return time.Duration(drawNumber(t)) }

// recordAnything records what no run would, in any order; logged says whether
// there is a revision log.
func recordAnything(t *rapid.T, m *Memory, logged bool) {
	client := rapid.SampledFrom([]string{"c1", "c2", "c3", ""})
	r, faults := m.Recorder(), m.FaultJournal()
	var log *RevisionJournal
	if logged {
		log = m.RevisionJournal(rapid.Int64Range(0, 4).Draw(t, "start"))
	}
	revision := func() int64 { return rapid.Int64Range(1, 30).Draw(t, "revision") }
	var open []*Operation
	for range rapid.IntRange(0, 60).Draw(t, "records") {
		step := rapid.IntRange(0, 11).Draw(t, "step")
		switch {
		case step <= 2:
			op := &Operation{
				ID: drawNumber(t), Client: client.Draw(t, "client"), Subject: drawText(t), Object: drawText(t),
				Kind: rapid.SampledFrom([]Kind{Acquire, Release, Put}).Draw(t, "kind"), Mode: rapid.SampledFrom([]Mode{"", ReadMode}).Draw(t, "mode"),
				Call: drawTime(t), Return: drawTime(t), Deadline: drawTime(t), Outcome: Ok, Error: drawText(t), Panicked: true,
				Lease: drawNumber(t), Key: drawText(t), Token: drawNumber(t), Hold: drawNumber(t), Value: drawText(t), Prior: drawText(t),
				Revision: drawNumber(t), Number: drawNumber(t), Requests: drawNumber(t),
			}
			if r.Invoke(op) {
				open = append(open, op)
			}
		case step <= 4 && len(open) > 0:
			k := rapid.IntRange(0, len(open)-1).Draw(t, "open")
			op := open[k]
			open = append(open[:k], open[k+1:]...)
			r.Complete(&Completion{
				ID: op.ID, Client: op.Client, Outcome: rapid.SampledFrom([]Outcome{Ok, Fail, Info}).Draw(t, "outcome"),
				Error: drawText(t), Panicked: rapid.Bool().Draw(t, "panicked"), Key: drawText(t), Token: drawNumber(t),
				Value: drawText(t), Revision: drawNumber(t), Number: drawNumber(t), Requests: drawNumber(t),
			})
			*op = Operation{} // the caller may do with it what it likes
		case step == 5:
			r.Event(Event{
				Time: drawTime(t), Kind: rapid.SampledFrom([]EventKind{SessionOpened, Lost, Crashed, Observed, PhaseBegan}).Draw(t, "event"),
				Client: client.Draw(t, "client"), Subject: drawText(t), Object: drawText(t), Lease: drawNumber(t), TTL: drawTime(t),
				Heeded: rapid.Bool().Draw(t, "heeded"), Operation: drawNumber(t), Value: drawText(t), Key: drawText(t),
				Token: drawNumber(t), Revision: drawNumber(t), Detail: drawText(t),
			})
		case step == 6:
			faults.Record(Fault{
				ID: rapid.Int64Range(0, 3).Draw(t, "id"), Kind: drawText(t), Target: drawText(t), Planned: drawTime(t), From: drawTime(t), To: drawTime(t),
				Verified: rapid.Bool().Draw(t, "verified"), Evidence: drawText(t), Entry: int(drawNumber(t)), When: drawText(t),
				Unfired: rapid.Bool().Draw(t, "unfired"), Error: drawText(t),
			})
		case !logged:
		case step == 7:
			log.LeaseEnd(LeaseEnd{Lease: drawNumber(t), Revision: revision(), Time: drawTime(t)})
		case step == 8:
			log.Tick(Tick{Call: drawTime(t), Return: drawTime(t), Revision: revision()})
		case step == 9 && rapid.IntRange(0, 9).Draw(t, "through") == 0:
			log.Through(revision())
		default:
			log.Change(Change{
				Revision: revision(), Time: drawTime(t), Key: rapid.SampledFrom([]string{"k", "l", "m"}).Draw(t, "key"),
				Deleted: rapid.Bool().Draw(t, "deleted"), Create: drawNumber(t), Version: drawNumber(t), Lease: drawNumber(t), Value: drawText(t),
			})
		}
	}
	if rapid.IntRange(0, 3).Draw(t, "seal") == 0 {
		r.Seal()
		if r.Event(Event{Kind: PhaseBegan}) {
			t.Fatal("an event was recorded after the seal")
		}
	}
}

// TestMemoryRefusesWhatCannotBeRead: a journal with such a line has no reader.
func TestMemoryRefusesWhatCannotBeRead(t *testing.T) {
	for name, c := range map[string]Completion{
		"unknown":    {ID: 7, Outcome: Ok},
		"completed":  {ID: 1, Outcome: Ok},
		"no outcome": {ID: 2},
	} {
		m, err := NewMemory(testHeader(), NewClock())
		if err != nil {
			t.Fatal(err)
		}
		r := m.Recorder()
		r.Invoke(&Operation{Client: "c1"})
		r.Complete(&Completion{ID: 1, Client: "c1", Outcome: Fail})
		r.Invoke(&Operation{Client: "c1"})
		if r.Err() != nil {
			t.Fatal(r.Err())
		}
		if r.Complete(&c); r.Err() == nil {
			t.Errorf("%s: the completion was taken", name)
		}
	}
}

func TestMemoryTellsListeners(t *testing.T) {
	m, err := NewMemory(testHeader(), NewClock())
	if err != nil {
		t.Fatal(err)
	}
	heard := 0
	m.Recorder().Listen(func(Record) { heard++ })
	op := Operation{Client: "c1"}
	m.Recorder().Invoke(&op)
	m.Recorder().Complete(&Completion{ID: op.ID, Client: "c1", Outcome: Ok})
	m.Recorder().Event(Event{Kind: Crashed, Client: "c1"})
	if m.Recorder().Invoke(&Operation{Client: "c1"}) {
		t.Error("the dead called")
	}
	if heard != 3 {
		t.Errorf("the listener heard %d records of 3", heard)
	}
}

// BenchmarkMemory records a short run: 200 operations, 50 events, 300 changes,
// 200 ticks and 10 faults, each in three states.
func BenchmarkMemory(b *testing.B) {
	clock := NewClock()
	record := func(r *Recorder, log *RevisionJournal, faults *FaultJournal) {
		for i := range int64(200) {
			op := Operation{Client: "c1", Subject: "mutex", Object: "0", Kind: Acquire, Mode: WriteMode, Deadline: time.Second, Lease: 7587884738}
			r.Invoke(&op)
			r.Complete(&Completion{ID: op.ID, Client: "c1", Outcome: Ok, Key: "holdfast/mutex/0/694d7d2a1f", Token: i, Revision: i, Requests: 3})
			if i%4 == 0 {
				r.Event(Event{Kind: Observed, Client: "w1", Subject: "mutex", Object: "0", Operation: 1, Value: "v17", Key: "holdfast/mutex/0/694d7d2a1f", Token: 5, Revision: 9})
			}
		}
		for i := range int64(300) {
			log.Change(Change{Revision: 2 + i, Time: time.Duration(i), Key: keyNames[i%8], Create: 2 + i, Version: 1, Lease: 7587884738, Value: "v17"})
			if i%3 != 0 {
				log.Tick(Tick{Call: time.Duration(i), Return: time.Duration(i + 1), Revision: 1 + i})
			}
		}
		log.Through(301)
		for i := range int64(30) {
			faults.Record(Fault{ID: i / 3, Kind: "isolate-leader", Target: "m2", From: 1, To: 2, Verified: true, Evidence: "m2 heard nobody for 1.2 s"})
		}
	}
	b.Run("memory", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			m, err := NewMemory(testHeader(), clock)
			if err != nil {
				b.Fatal(err)
			}
			record(m.Recorder(), m.RevisionJournal(2), m.FaultJournal())
			m.History()
			m.Digest()
		}
	})
	b.Run("reused", func(b *testing.B) {
		b.ReportAllocs()
		m, err := NewMemory(testHeader(), clock)
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if m, err = m.Reuse(testHeader(), clock); err != nil {
				b.Fatal(err)
			}
			record(m.Recorder(), m.RevisionJournal(2), m.FaultJournal())
			m.History()
			m.Digest()
		}
	})
	b.Run("journals", func(b *testing.B) { // written and read again, without a disk
		b.ReportAllocs()
		for b.Loop() {
			var operations, revisions, faults bytes.Buffer
			r, err := NewRecorder(&operations, clock, testHeader())
			if err != nil {
				b.Fatal(err)
			}
			record(r, NewRevisionJournal(&revisions, 2), NewFaultJournal(&faults))
			_, err1 := ReadJournal(&operations)
			_, err2 := ReadRevisions(&revisions)
			_, err3 := ReadFaults(&faults)
			if err1 != nil || err2 != nil || err3 != nil {
				b.Fatal(err1, err2, err3)
			}
		}
	})
}

var keyNames = func() (names []string) {
	for i := range 8 {
		names = append(names, fmt.Sprintf("holdfast/mutex/0/694d7d2a%d", i))
	}
	return names
}()
