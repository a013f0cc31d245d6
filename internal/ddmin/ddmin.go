// Package ddmin makes a list that shows something as short as it can.
package ddmin

import "slices"

// Minimize returns items of which none can be left out any more: a part of
// items, in their order. first is given lists and returns the index of the first
// one that still shows what is looked for, or -1; items themselves must. It is
// called with all lists of one level at once, so that it can try them in
// parallel, and at most O(len(items)²) lists are tried, for few that matter
// O(log len(items)) for each.
//
// The algorithm is ddmin of Zeller and Hildebrandt, "Simplifying and isolating
// failure-inducing input", IEEE TSE 2002. Nothing at all is tried before
// anything else.
func Minimize[T any](items []T, first func(lists [][]T) int) []T {
	if len(items) == 0 || first([][]T{nil}) == 0 {
		return nil
	}
	for parts := 2; len(items) > 1; {
		chunks := split(items, parts)
		var lists [][]T
		if parts > 2 { // else each is the complement of another
			lists = slices.Clone(chunks)
		}
		for i := range chunks {
			lists = append(lists, slices.Concat(slices.Concat(chunks[:i]...), slices.Concat(chunks[i+1:]...)))
		}
		chosen := first(lists)
		switch {
		case chosen < 0 && parts >= len(items):
			return items
		case chosen < 0:
			parts = min(2*parts, len(items))
		case parts > 2 && chosen < parts:
			items, parts = lists[chosen], 2
		default:
			items, parts = lists[chosen], max(parts-1, 2)
		}
		parts = min(parts, max(len(items), 2))
	}
	return items
}

// split cuts items into n parts of about one length, none empty.
func split[T any](items []T, n int) [][]T {
	var parts [][]T
	for i := range n {
		if from, to := i*len(items)/n, (i+1)*len(items)/n; from < to {
			parts = append(parts, items[from:to])
		}
	}
	return parts
}
