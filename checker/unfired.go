package checker

import (
	"fmt"
	"slices"
	"strings"
)

// unfired names every entry of triggered faults whose moment never came, not
// for one of its faults. What came fewer times than planned is not among them.
func (r *record) unfired() []string {
	type chain struct {
		entry int
		when  string
	}
	var order []chain
	kinds, fired := make(map[chain][]string), make(map[chain]bool)
	for i := range r.h.Faults {
		f := &r.h.Faults[i]
		if f.When == "" {
			continue
		}
		c := chain{f.Entry, f.When}
		if kinds[c] == nil {
			order = append(order, c)
		}
		if !slices.Contains(kinds[c], f.Kind) {
			kinds[c] = append(kinds[c], f.Kind)
		}
		fired[c] = fired[c] || !f.Unfired
	}
	slices.SortFunc(order, func(a, b chain) int {
		if a.entry != b.entry {
			return a.entry - b.entry
		}
		return strings.Compare(a.when, b.when)
	})
	var names []string
	for _, c := range order {
		if !fired[c] {
			names = append(names, fmt.Sprintf("fault %d (%s when %s)", c.entry, strings.Join(kinds[c], ", "), c.when))
		}
	}
	return names
}
