package workloads

import (
	"slices"
	"testing"
)

// There is one round over all objects at least, and further ones only while
// there is time.
func TestLastRounds(t *testing.T) {
	for _, c := range []struct {
		rounds, time int
		want         []int
	}{
		{0, 9, []int{0, 1}},
		{1, 0, []int{0, 1}},
		{3, 9, []int{0, 1, 0, 1, 0, 1}},
		{3, 1, []int{0, 1, 0, 1}},
		{3, 0, []int{0, 1}},
	} {
		traffic := Traffic{Objects: 2, LastRounds: c.rounds}
		got := slices.Collect(traffic.lastRounds(func() bool { c.time--; return c.time >= 0 }))
		if !slices.Equal(got, c.want) {
			t.Errorf("%d rounds, time for %d: %v, want %v", c.rounds, c.time, got, c.want)
		}
	}
	for object := range (&Traffic{Objects: 2, LastRounds: 5}).lastRounds(func() bool { return true }) {
		if object == 1 {
			break // it stops when nobody wants more
		}
	}
}
