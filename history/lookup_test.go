package history

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Operations are found by ID whether IDs are dense, as a Recorder's are, or not.
func TestOperationsAreFoundByID(t *testing.T) {
	found, missing := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		h := &History{}
		at := make(map[int64]int)
		id := random.Int64N(5) - 2
		for i := range random.IntN(40) {
			h.Operations = append(h.Operations, Operation{ID: id})
			at[id] = i
			id++
			if random.IntN(8) == 0 {
				id += random.Int64N(4)
			}
		}
		for id := int64(-5); id < 150; id++ {
			place, ok := h.Place(id)
			if want, known := at[id]; ok != known || ok && place != want {
				t.Fatalf("operation %d: got place %d, %v, want %d, %v", id, place, ok, want, known)
			}
			if op := h.Operation(id); (op != nil) != ok || ok && op.ID != id {
				t.Fatalf("operation %d: got %+v", id, op)
			}
			if ok {
				found++
			} else {
				missing++
			}
		}
	})
	if found == 0 || missing == 0 {
		t.Errorf("%d found, %d missing", found, missing)
	}
}

// What is nearly in order, in reverse, or in none is sorted as a stable sort
// does it.
func TestInOrderIsAStableSort(t *testing.T) {
	type element struct{ rank, serial int }
	byRank := func(a, b *element) int { return cmp.Compare(a.rank, b.rank) }
	changed := 0
	rapid.Check(t, func(t *rapid.T) {
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		got := make([]element, random.IntN(300))
		disorder := []int{1, 3, 20, 1000}[random.IntN(4)]
		for i := range got {
			got[i] = element{i/3 + random.IntN(disorder), i}
			if disorder == 20 {
				got[i].rank = -i / 2
			}
		}
		want := slices.Clone(got)
		slices.SortStableFunc(want, func(a, b element) int { return byRank(&a, &b) })
		if !slices.Equal(got, want) {
			changed++
		}
		inOrder(got, byRank)
		if !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
	if changed == 0 {
		t.Error("there was nothing to sort")
	}
}
