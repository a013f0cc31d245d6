package holdfast

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

type gaps = []history.Gap

// What is missing is what no member's watch has: neither what all have but one, nor
// what they lack at different places.
func TestWhatNoWatchHasSeen(t *testing.T) {
	for _, c := range []struct {
		name   string
		sights []sight
		want   gaps
	}{
		{"all", []sight{{next: 11}, {next: 20}}, nil},
		{"one is behind", []sight{{next: 3}, {next: 11}}, nil},
		{"all are behind", []sight{{next: 3}, {next: 8}}, gaps{{From: 8, Through: 10}}},
		{"one has missed something", []sight{{next: 11, missed: gaps{{From: 2, Through: 5}}}, {next: 11}}, nil},
		{"both have, and not the same", []sight{{next: 11, missed: gaps{{From: 2, Through: 5}}}, {next: 11, missed: gaps{{From: 6, Through: 9}}}}, nil},
		{"both have", []sight{{next: 11, missed: gaps{{From: 2, Through: 5}, {From: 7, Through: 9}}}, {next: 11, missed: gaps{{From: 4, Through: 8}}}}, gaps{{From: 4, Through: 5}, {From: 7, Through: 8}}},
		{"one has missed what the other has not come to", []sight{{next: 11, missed: gaps{{From: 2, Through: 5}}}, {next: 4}}, gaps{{From: 4, Through: 5}}},
		{"one member", []sight{{next: 9, missed: gaps{{From: 2, Through: 5}}}}, gaps{{From: 2, Through: 5}, {From: 9, Through: 10}}},
	} {
		if got := unseen(c.sights, 10); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// The journal of a shared store keeps what is missing, and one that was cut short takes
// whatever anybody missed for missing.
func TestTheJournalOfASharedStore(t *testing.T) {
	write := func(cut bool, shared bool) *history.RevisionLog {
		var b bytes.Buffer
		journal := history.NewRevisionJournal
		if shared {
			journal = history.NewSharedJournal
		}
		j := journal(&b, 5)
		j.Change(history.Change{Revision: 7, Time: time.Second, Key: "a", Create: 7, Version: 1})
		j.Missed(history.Gap{From: 8, Through: 9})
		j.Change(history.Change{Revision: 20, Time: 2 * time.Second, Key: "b", Create: 20, Version: 1})
		if !cut {
			j.Gap(history.Gap{From: 12, Through: 13})
			j.Through(30)
		}
		log, err := history.ReadRevisions(&b)
		if err != nil {
			t.Fatal(err)
		}
		return log
	}
	whole := write(false, true)
	if !slices.Equal(whole.Gaps, gaps{{From: 12, Through: 13}}) || whole.Through != 30 || len(whole.Changes) != 2 {
		t.Errorf("whole: %v through %d", whole.Gaps, whole.Through)
	}
	if !whole.Covers(5, 11) || whole.Covers(5, 12) || !whole.Covers(14, 30) || whole.Covers(14, 31) {
		t.Error("it covers something else")
	}
	cut := write(true, true)
	if cut.Covers(8, 8) || cut.Covers(20, 20) || !cut.Covers(5, 7) || !cut.Covers(10, cut.Through) {
		t.Errorf("cut: %v through %d", cut.Gaps, cut.Through)
	}
	if own := write(false, false); own.Covers(5, 6) {
		t.Error("in a store of its own a run has missed revision 5 and does not know")
	}
}
