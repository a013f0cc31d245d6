package ddmin

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// firstOf tries lists in their order, and counts.
func firstOf[T any](tried *int, shows func([]T) bool) func([][]T) int {
	return func(lists [][]T) int {
		for i, l := range lists {
			*tried++
			if shows(l) {
				return i
			}
		}
		return -1
	}
}

func numbers(n int) []int {
	var all []int
	for i := range n {
		all = append(all, i)
	}
	return all
}

func contains(list, all []int) bool {
	return !slices.ContainsFunc(all, func(n int) bool { return !slices.Contains(list, n) })
}

// What is needed, all of it and nothing else, is left, wherever it was.
func TestWhatIsNeededIsLeft(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 60).Draw(t, "items")
		var needed []int
		if n > 0 {
			needed = rapid.SliceOfNDistinct(rapid.IntRange(0, n-1), 0, min(n, 5), rapid.ID[int]).Draw(t, "needed")
		}
		slices.Sort(needed)
		tried := 0
		got := Minimize(numbers(n), firstOf(&tried, func(l []int) bool { return contains(l, needed) }))
		if !slices.Equal(got, needed) {
			t.Fatalf("%v, needed are %v", got, needed)
		}
		if most := 1 + n*n + 3*n; tried > most {
			t.Errorf("%d lists for %d items", tried, n)
		}
	})
}

// Where several minimal lists exist one of them is left, and none of its items
// can go.
func TestNoItemThatIsLeftCanGo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 24).Draw(t, "items")
		var alternatives [][]int
		for range rapid.IntRange(1, 4).Draw(t, "alternatives") {
			alternatives = append(alternatives, rapid.SliceOfNDistinct(rapid.IntRange(0, n-1), 1, n, rapid.ID[int]).Draw(t, "alternative"))
		}
		odd := rapid.Bool().Draw(t, "odd") // no longer list needs to show what a shorter one does
		shows := func(l []int) bool {
			if odd && len(l) < n && len(l)%2 == 0 {
				return false
			}
			return slices.ContainsFunc(alternatives, func(a []int) bool { return contains(l, a) })
		}
		tried := 0
		got := Minimize(numbers(n), firstOf(&tried, shows))
		if !shows(got) {
			t.Fatalf("%v does not show it", got)
		}
		for i := range got {
			if less := slices.Delete(slices.Clone(got), i, i+1); shows(less) {
				t.Errorf("of %v %d can go", got, got[i])
			}
		}
	})
}

func TestFewThatMatterAreFoundQuickly(t *testing.T) {
	tried := 0
	got := Minimize(numbers(1024), firstOf(&tried, func(l []int) bool { return slices.Contains(l, 700) }))
	if !slices.Equal(got, []int{700}) || tried > 40 {
		t.Errorf("%v after %d lists", got, tried)
	}
}

// When nothing shows any more, as when there is no time left, it comes to an end.
func TestItEndsWhenNothingShows(t *testing.T) {
	tried := 0
	if got := Minimize(numbers(100), func(lists [][]int) int { tried += len(lists); return -1 }); len(got) != 100 || tried > 1000 {
		t.Errorf("%d left after %d lists", len(got), tried)
	}
}
