package workloads

import (
	"errors"
	"testing"
)

func TestAFencedResourceRefusesTokensOlderThanOneItHasSeen(t *testing.T) {
	r := NewResource()
	if _, err := r.WriteFenced(5, "a"); err != nil {
		t.Fatal(err)
	}
	if _, err := r.WriteFenced(4, "b"); !errors.Is(err, ErrStale) {
		t.Errorf("an older token was accepted: %v", err)
	}
	// A read tells of a newer holder too: the older one's write after it would
	// be overwritten, acknowledged and lost.
	if value, _, err := r.ReadFenced(7); err != nil || value != "a" {
		t.Errorf("%q, %v", value, err)
	}
	if _, err := r.WriteFenced(5, "c"); !errors.Is(err, ErrStale) {
		t.Errorf("a token older than a read's was accepted: %v", err)
	}
	if _, _, err := r.ReadFenced(6); !errors.Is(err, ErrStale) {
		t.Errorf("a read with an older token was accepted: %v", err)
	}
	if _, err := r.WriteFenced(7, "d"); err != nil {
		t.Errorf("the newest holder was refused: %v", err)
	}
}

func TestAnUnfencedResourceBelievesEverybodyAndCounts(t *testing.T) {
	r := NewResource()
	first := r.Write("a")
	value, second := r.Read()
	if value != "a" || second <= first {
		t.Errorf("%q at %d after %d", value, second, first)
	}
	if third := r.Write("b"); third <= second {
		t.Errorf("position %d after %d", third, second)
	}
}
