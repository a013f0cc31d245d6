package exact

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/etcd-holdfast/holdfast/history"
)

// An excerpt keeps the verdict of its history, and is no longer than asked for
// but for the witness.
func TestExcerptsKeepTheVerdict(t *testing.T) {
	for _, name := range []string{"owner-mutex", "rwmutex", "register"} { // what Export makes pages of
		t.Run(name, func(t *testing.T) {
			m, _ := ModelNamed(name)
			legal, illegal, around := 0, 0, 0
			rapid.Check(t, func(rt *rapid.T) {
				random := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0))
				for range 50 {
					calls := drawn(random, &m, Parameters{})
					before := slices.Clone(calls)
					result := m.Check(context.Background(), calls, Parameters{}, Limits{})
					if result.Unknown != "" {
						continue
					}
					limit := 1 + random.IntN(max(len(calls), 1))
					some, note := Excerpt(calls, result.Violation, limit)
					if !slices.Equal(calls, before) {
						rt.Fatalf("the history was changed\n%s", listing(before))
					}
					if (note == "") != (len(calls) <= limit) {
						rt.Fatalf("%d of %d calls, limit %d: note %q", len(some), len(calls), limit, note)
					}
					witness := 0
					if result.Violation != nil {
						illegal++
						witness = len(result.Violation.Witness)
					} else {
						legal++
					}
					again := m.Check(context.Background(), some, Parameters{}, Limits{})
					if again.Unknown == "" && (again.Violation == nil) != (result.Violation == nil) {
						rt.Fatalf("limit %d, %s: the history: %s; the excerpt: %s\n%s\nexcerpt\n%s", limit, note, told(result, calls), told(again, some), listing(calls), listing(some))
					}
					if !slices.IsSortedFunc(some, func(a, b history.Call) int { return int(a.Invoke - b.Invoke) }) {
						rt.Fatalf("out of order\n%s", listing(some))
					}
					if len(some) > limit+witness+4 {
						rt.Fatalf("%d calls, limit %d, witness %d (%s)", len(some), limit, witness, note)
					}
					if note != "" && result.Violation != nil {
						around++
					}
				}
			})
			t.Logf("%d legal, %d illegal, %d excerpts of those", legal, illegal, around)
			if least := (legal + illegal) / 25; legal < least || illegal < least || around < least {
				t.Error("too few of one kind to mean anything")
			}
		})
	}
}
