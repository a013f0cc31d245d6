package exact

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/anishathalye/porcupine"
	"pgregory.net/rapid"

	"github.com/etcd-holdfast/holdfast/history"
)

// differs compares a check with porcupine on 24,000 histories: the verdict, its
// position, and its witness, which must be a violation by itself. late is the share
// of violations that could have been proved earlier.
func differs(t *testing.T, generate func(*rand.Rand) []history.Call, model porcupine.NondeterministicModel, check func([]history.Call) (*Violation, bool)) (undecided, late float64) {
	each := 240
	if testing.Short() {
		each = 40
	}
	legal, illegal, open, later, longest := 0, 0, 0, 0, 0
	says := func(calls []history.Call) bool {
		return porcupine.CheckOperations(model.ToModel(), oracleOperations(calls))
	}
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		r := rand.New(rand.NewPCG(seed, 1))
		for range each {
			calls := generate(r)
			v, decided := check(slices.Clone(calls))
			if !decided {
				open++
				continue
			}
			want := says(calls)
			if (v == nil) != want {
				t.Fatalf("porcupine says linearizable is %v, the check %v\n%s", want, v == nil, lines(calls))
			}
			if want {
				legal++
				continue
			}
			illegal++
			if says(cut(calls, v.At)) {
				t.Fatalf("said to be proved at %d, which porcupine denies\n%s", v.At, lines(calls))
			}
			if !says(cut(calls, v.At-1)) {
				later++
			}
			if says(v.Witness) {
				t.Fatalf("the witness is no violation:\n%sof\n%s", lines(v.Witness), lines(calls))
			}
			for _, c := range v.Witness {
				if !slices.Contains(calls, c) {
					t.Fatalf("%+v is not of the history", c)
				}
			}
			longest = max(longest, len(v.Witness))
			if sentence := v.Sentence(&history.Trace{Objects: []string{"q"}, Processes: make([]string, 100), Lines: make([]int32, 1000)}); sentence == "" {
				t.Fatal("no sentence")
			}
		}
	})
	t.Logf("%d legal, %d illegal, %d undecided, %d late, witnesses of at most %d calls", legal, illegal, open, later, longest)
	total := legal + illegal + open
	if legal < total/20 || illegal < total/20 {
		t.Error("too few of one kind to mean anything")
	}
	return float64(open) / float64(total), float64(later) / float64(max(illegal, 1))
}

// exactly demands that everything is decided, at the earliest position.
func exactly(t *testing.T, generate func(*rand.Rand) []history.Call, model porcupine.NondeterministicModel, check func([]history.Call) (*Violation, bool)) {
	if undecided, late := differs(t, generate, model, check); undecided+late > 0 {
		t.Errorf("%v undecided, %v proved later than they could be", undecided, late)
	}
}

func TestRegisterAgreesWithPorcupine(t *testing.T) {
	check := func(calls []history.Call) (*Violation, bool) { return Register(calls, 0) }
	exactly(t, func(r *rand.Rand) []history.Call { return drawRegister(r, 0) }, registerOracle(0), check)
	undecided, _ := differs(t, func(r *rand.Rand) []history.Call { return drawRegister(r, 0.3) }, registerOracle(0), check)
	if undecided == 0 || undecided > 0.03 {
		t.Errorf("%v undecided, of which each has a comparison whose value was read", undecided)
	}
}

func TestQueueAgreesWithPorcupine(t *testing.T) {
	exactly(t, drawQueue(0.3, 0), queueOracle(), Queue)
}

func TestPriorityQueueAgreesWithPorcupine(t *testing.T) {
	exactly(t, drawQueue(0, 4), priorityQueueOracle(), PriorityQueue)
	if undecided, late := differs(t, drawQueue(0.3, 4), priorityQueueOracle(), PriorityQueue); undecided > 0.005 || late > 0.02 {
		t.Errorf("%v undecided, %v proved later than they could be", undecided, late)
	}
}

func TestKVAgreesWithPorcupine(t *testing.T) {
	exactly(t, drawKV(0), kvOracle(), KV)
	if undecided, late := differs(t, drawKV(0.4), kvOracle(), KV); undecided > 0.05 || late > 0.06 {
		t.Errorf("%v undecided, %v proved later than they could be", undecided, late)
	}
}
