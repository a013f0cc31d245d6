package history

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

const ms = time.Millisecond

// A store with one key of lease 7, deleted by the lease's end at revision 5,
// and one without a lease; ticks at 10, 20 and 30 ms.
func testLog() *RevisionLog {
	return NewRevisionLog(2, 8, []Change{
		{Revision: 5, Key: "a/1", Deleted: true, Time: 26 * ms},
		{Revision: 2, Key: "a/1", Create: 2, Lease: 7, Time: 12 * ms, Value: "x"},
		{Revision: 2, Key: "a/1", Create: 2, Lease: 7, Time: 15 * ms, Value: "x"},
		{Revision: 3, Key: "b/1", Create: 3, Time: 14 * ms},
		{Revision: 4, Key: "a/1", Create: 2, Lease: 7, Time: 40 * ms, Value: "y"},
		{Revision: 6, Key: "a/1", Create: 6, Lease: 8, Time: 33 * ms},
		{Revision: 7, Key: "b/1", Deleted: true, Time: 34 * ms},
	}, []LeaseEnd{{Lease: 7, Revision: 5, Time: 27 * ms}, {Lease: 7, Revision: 5, Time: 26 * ms}},
		[]Tick{{Call: 20 * ms, Return: 21 * ms, Revision: 3}, {Call: 10 * ms, Return: 11 * ms, Revision: 1}, {Call: 30 * ms, Return: 31 * ms, Revision: 5}}, nil)
}

func TestRevisionsAreDatedFromBothSides(t *testing.T) {
	log := testLog()
	for _, c := range []struct {
		revision         int64
		earliest, latest time.Duration
	}{
		{1, 0, 11 * ms},       // a tick found it
		{2, 10 * ms, 12 * ms}, // seen by the faster watch, after the first tick
		{3, 10 * ms, 14 * ms},
		{4, 20 * ms, 26 * ms}, // seen late, but a later one was seen before
		{5, 20 * ms, 26 * ms},
		{6, 30 * ms, 33 * ms},
		{8, 30 * ms, Never},
	} {
		if got := log.Earliest(c.revision); got != c.earliest {
			t.Errorf("revision %d happened at %v the earliest, want %v", c.revision, got, c.earliest)
		}
		if got := log.Latest(c.revision); got != c.latest {
			t.Errorf("revision %d happened at %v the latest, want %v", c.revision, got, c.latest)
		}
	}
}

func TestLivesOfKeys(t *testing.T) {
	log := testLog()
	lives := log.Lives("a/")
	if len(lives) != 2 {
		t.Fatalf("%+v", lives)
	}
	if l := lives[0]; l.Create != 2 || l.Delete != 5 || !l.ByLease || l.Lease != 7 || len(l.Values) != 2 || l.Values[1].Value != "y" {
		t.Errorf("%+v", l)
	}
	if l := lives[1]; l.Create != 6 || l.Delete != 0 || !l.Alive(9) || l.Alive(5) {
		t.Errorf("%+v", l)
	}
	if l := log.Lives("b/")[0]; l.ByLease || l.Delete != 7 || l.Alive(7) || !l.Alive(6) {
		t.Errorf("%+v", l)
	}
	if end, ok := log.LeaseEnd(7); !ok || end.Revision != 5 || end.Time != 26*ms {
		t.Errorf("%+v", end)
	}
	if _, ok := log.LeaseEnd(8); ok {
		t.Error("lease 8 has not ended")
	}
}

func writeRevisions(through int64, revisions ...int64) *bytes.Buffer {
	var file bytes.Buffer
	j := NewRevisionJournal(&file, 2)
	for _, r := range revisions {
		j.Change(Change{Revision: r, Key: "k", Create: r, Time: time.Duration(r)})
	}
	j.LeaseEnd(LeaseEnd{Lease: 1, Revision: revisions[len(revisions)-1]})
	j.Tick(Tick{Call: 1, Return: 2, Revision: 2})
	if through > 0 {
		j.Through(through)
	}
	return &file
}

func TestAMissingRevisionIsAGap(t *testing.T) {
	log, err := ReadRevisions(writeRevisions(8, 2, 3, 6, 5, 8))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		from, through int64
		covered       bool
	}{{2, 3, true}, {5, 6, true}, {8, 8, true}, {2, 8, false}, {4, 4, false}, {7, 8, false}, {1, 2, false}, {8, 9, false}} {
		if log.Covers(c.from, c.through) != c.covered {
			t.Errorf("covers %d to %d: %t", c.from, c.through, !c.covered)
		}
	}
}

// There may have been more in the last revision of a log that was cut.
func TestTheLastRevisionOfACutLogIsNotTrusted(t *testing.T) {
	log, err := ReadRevisions(writeRevisions(0, 2, 3, 4))
	if err != nil {
		t.Fatal(err)
	}
	if log.Through != 3 || len(log.Changes) != 2 || len(log.LeaseEnds) != 0 || len(log.Ticks) != 1 {
		t.Errorf("%+v", log)
	}
}

// One member's watch may run ahead over a compaction while another's fills in
// what lies before: then the last line is not of the highest revision.
func TestNorIsTheOneThatWasWrittenLast(t *testing.T) {
	var file bytes.Buffer
	j := NewRevisionJournal(&file, 2)
	for _, r := range []int64{2, 4, 5, 3} {
		j.Change(Change{Revision: r, Key: "k", Create: r})
	}
	log, err := ReadRevisions(&file)
	if err != nil {
		t.Fatal(err)
	}
	if log.Through != 4 || log.Covers(2, 4) || !log.Covers(4, 4) || !log.Covers(2, 2) {
		t.Errorf("%+v", log)
	}
}

func TestWhatWasSeenAfterTheEndIsLeftOut(t *testing.T) {
	log, err := ReadRevisions(writeRevisions(3, 2, 3, 4))
	if err != nil {
		t.Fatal(err)
	}
	if log.Through != 3 || len(log.Changes) != 2 || len(log.LeaseEnds) != 0 {
		t.Errorf("%+v", log)
	}
}

func TestARevisionJournalCutAnywhereIsReadable(t *testing.T) {
	whole := writeRevisions(4, 2, 3, 4).Bytes()
	for cut := bytes.IndexByte(whole, '\n') + 1; cut <= len(whole); cut++ {
		if _, err := ReadRevisions(bytes.NewReader(whole[:cut])); err != nil {
			t.Fatalf("cut at byte %d: %v", cut, err)
		}
	}
	if _, err := ReadRevisions(strings.NewReader("{}\n{}\n")); err == nil || !strings.Contains(err.Error(), `line 1: unknown line type ""`) {
		t.Errorf("got %v", err)
	}
}

func TestTheLastStateOfAFaultCounts(t *testing.T) {
	var file bytes.Buffer
	j := NewFaultJournal(&file)
	j.Record(Fault{ID: 1, Kind: "split", From: 1})
	j.Record(Fault{ID: 2, Kind: "compact"})
	j.Record(Fault{ID: 1, Kind: "split", From: 1, To: 5, Verified: true, Evidence: "seen"})
	whole := file.Bytes()
	faults, err := ReadFaults(bytes.NewReader(whole))
	if err != nil {
		t.Fatal(err)
	}
	if len(faults) != 2 || faults[0].ID != 1 || !faults[0].Verified || faults[0].To != 5 || faults[1].ID != 2 {
		t.Errorf("%+v", faults)
	}
	for cut := range whole {
		if _, err := ReadFaults(bytes.NewReader(whole[:cut])); err != nil {
			t.Fatalf("cut at byte %d: %v", cut, err)
		}
	}
	if _, err := ReadFaults(strings.NewReader("nonsense")); err == nil {
		t.Error("nonsense is no journal of faults")
	}
}
