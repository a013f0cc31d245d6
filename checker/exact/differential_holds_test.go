package exact

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/anishathalye/porcupine"
	"pgregory.net/rapid"

	"github.com/etcd-holdfast/holdfast/history"
)

// holdCheck is a check with its oracle and a way to draw histories for it.
type holdCheck struct {
	check      func([]history.Call) (*Violation, bool)
	model      porcupine.NondeterministicModel
	operations func([]history.Call) []porcupine.Operation // nil: oracleOperations
	draw       func(*rand.Rand) []history.Call
	// undecided is the greatest share of histories, in percent, that the check
	// may leave to the general search.
	undecided int
	// late is true if a violation may be proved later than it could be, in
	// histories with refused acquires.
	late bool
}

func (k holdCheck) legal(calls []history.Call) bool {
	operations := oracleOperations
	if k.operations != nil {
		operations = k.operations
	}
	return porcupine.CheckOperations(k.model.ToModel(), operations(calls))
}

// differ draws 220 histories for each of rapid's 100 checks.
func (k holdCheck) differ(t *testing.T) {
	legal, illegal, undecided := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		for range 220 {
			calls := k.draw(rng)
			want := k.legal(calls)
			v, decided := k.check(slices.Clone(calls))
			switch {
			case want:
				legal++
			default:
				illegal++
			}
			switch {
			case v != nil && !decided:
				t.Fatalf("a violation that is not decided\n%s", show(calls))
			case v != nil && want:
				t.Fatalf("violation, but porcupine finds it legal: %s\n%s", sentence(v), show(calls))
			case v == nil && decided && !want:
				t.Fatalf("no violation, but porcupine finds it illegal\n%s", show(calls))
			case v != nil:
				k.proves(t, calls, v)
			case !decided:
				undecided++
			}
		}
	})
	t.Logf("%d legal, %d illegal, %d of them undecided", legal, illegal, undecided)
	if t.Failed() {
		return
	}
	if all := legal + illegal; legal < all/20 || illegal < all/20 || undecided*100 > all*k.undecided {
		t.Error("too few of one kind to mean anything")
	}
}

// proves checks a violation's witness and position.
func (k holdCheck) proves(t *rapid.T, calls []history.Call, v *Violation) {
	for _, c := range v.Witness {
		if !slices.Contains(calls, c) {
			t.Fatalf("a witness that is not in the history: %s\n%s", sentence(v), show(calls))
		}
	}
	if !slices.IsSortedFunc(v.Witness, func(a, b history.Call) int { return int(a.Invoke - b.Invoke) }) {
		t.Fatalf("the witness is not in order: %s", show(v.Witness))
	}
	if k.legal(v.Witness) {
		t.Fatalf("the witness alone is legal: %s\n%s\nof\n%s", sentence(v), show(v.Witness), show(calls))
	}
	if k.legal(cut(calls, v.At)) {
		t.Fatalf("legal up to %d: %s\n%s", v.At, sentence(v), show(calls))
	}
	refused := slices.ContainsFunc(calls, func(c history.Call) bool { return c.Known == history.Refused })
	if !(k.late && refused) && !k.legal(cut(calls, v.At-1)) {
		t.Fatalf("illegal before %d: %s\n%s", v.At, sentence(v), show(calls))
	}
}

// drawing says how to draw histories.
type drawing struct {
	functions []history.Function
	processes int
	steps     int
	permits   int  // Argument is drawn up to this
	shared    bool // acquires may be shared
	tokens    bool // acquires that succeed have rising tokens, mostly
	refused   bool
	// goOn is true if a process may go on after a call of unknown outcome.
	goOn bool
	// alone is true if only the first process raises and lowers.
	alone bool
}

// draw returns histories by running the model: each call takes effect at a
// position and is drawn as an interval around it, so that the history is legal;
// then, mostly, it is spoilt a little, which may make it illegal. Positions are
// so few that many are equal.
func (d drawing) draw(model porcupine.NondeterministicModel) func(*rand.Rand) []history.Call {
	return func(rng *rand.Rand) []history.Call {
		state := model.Init()[0]
		free := make([]int64, d.processes) // from when on each process can call
		names := make([]int32, d.processes)
		for p := range names {
			names[p] = int32(p)
		}
		next, token := int32(d.processes), int64(0)
		var calls []history.Call
		now := int64(1)
		unknown := []int{3, 8, 30}[rng.IntN(3)]
		width := 1 + rng.Int64N(6)
		size := 4 + rng.IntN(d.steps-3)
		for tries := 0; len(calls) < size && tries < 30*size; tries++ {
			p := rng.IntN(d.processes)
			if now += rng.Int64N(3); free[p] > now {
				now--
				continue
			}
			c := history.Call{ID: int64(len(calls) + 1), Process: names[p], Function: d.functions[rng.IntN(len(d.functions))], Value: history.Nil, Argument: history.Nil}
			if d.alone && c.Function != history.FunctionWait && p > 0 && rng.IntN(12) > 0 {
				c.Function = history.FunctionWait
			}
			if d.permits > 0 {
				c.Argument = history.Value(rng.IntN(d.permits + 1))
			}
			acquire := acquires(&c)
			c.Shared = d.shared && acquire && rng.IntN(3) > 0
			if d.tokens && acquire && rng.IntN(8) > 0 {
				c.Revision = token + 1 + rng.Int64N(2)
			}
			c.Invoke = max(free[p], now-rng.Int64N(width))
			c.Return = now + rng.Int64N(width)
			after := []any(nil)
			if c.Known = history.Succeeded; rng.IntN(unknown) == 0 {
				c.Known, c.Return, c.Revision = history.Unknown, history.NoReturn, 0
			}
			if after = model.Step(state, c, nil); len(after) == 0 {
				if c.Known = history.Refused; !d.refused {
					continue
				}
				if c.Revision = 0; !acquire && c.Function != history.FunctionHold && rng.IntN(40) > 0 {
					continue
				}
				if after = model.Step(state, c, nil); len(after) == 0 {
					continue
				}
			}
			// What cannot have done anything is seldom worth a call.
			if len(after) == 1 && c.Known == history.Unknown && rng.IntN(8) > 0 {
				continue
			}
			state, token = after[rng.IntN(len(after))], max(token, c.Revision)
			calls = append(calls, c)
			free[p] = c.Return + 1
			if c.Known == history.Unknown {
				if free[p] = now + 1; !d.goOn || rng.IntN(2) > 0 {
					names[p] = next
					next++
				}
			}
		}
		for range rng.IntN(10) {
			calls = spoil(rng, calls, d)
		}
		slices.SortStableFunc(calls, func(a, b history.Call) int { return int(a.Invoke - b.Invoke) })
		return calls
	}
}

// spoil changes one call. Calls of one process stay in sequence.
func spoil(rng *rand.Rand, calls []history.Call, d drawing) []history.Call {
	if len(calls) == 0 {
		return calls
	}
	i := rng.IntN(len(calls))
	c := &calls[i]
	switch known := c.Known != history.Unknown; rng.IntN(7) {
	case 0:
		return slices.Delete(calls, i, i+1)
	case 1:
		if known {
			c.Return = c.Invoke + rng.Int64N(c.Return-c.Invoke+1)
		}
	case 2:
		if known {
			c.Invoke = c.Return - rng.Int64N(c.Return-c.Invoke+1)
		}
	case 3:
		if last := !slices.ContainsFunc(calls, func(o history.Call) bool { return o.Process == c.Process && o.Invoke > c.Invoke }); last || d.goOn {
			c.Known, c.Return, c.Revision = history.Unknown, history.NoReturn, 0
		}
	case 4:
		if d.tokens && c.Revision > 0 {
			c.Revision = max(1, c.Revision-rng.Int64N(3))
		}
		if d.permits > 0 {
			c.Argument = history.Value(rng.IntN(d.permits + 1))
		}
	case 5:
		if d.refused && c.Known == history.Succeeded && (acquires(c) || c.Function == history.FunctionHold) {
			c.Known, c.Revision = history.Refused, 0
		}
	default:
		moved := *c
		by := rng.Int64N(7) - 3
		if moved.Invoke += by; known {
			moved.Return += by
		}
		for k, o := range calls {
			over := o.Return // when o's process can call again
			if o.Known == history.Unknown && d.goOn {
				over = o.Invoke
			}
			if k != i && o.Process == c.Process && o.Invoke <= moved.Return && moved.Invoke <= over {
				return calls
			}
		}
		if moved.Invoke >= 0 {
			*c = moved
		}
	}
	return calls
}

var lockFunctions = []history.Function{history.FunctionAcquire, history.FunctionTryAcquire, history.FunctionRelease, history.FunctionRelease}

// differWhenUnclean draws with processes that go on after calls of unknown
// outcome, and with refused acquires, of which few may be undecided or most.
func (k holdCheck) differWhenUnclean(t *testing.T, d drawing, model porcupine.NondeterministicModel, undecided, refused int) {
	k.draw = d.draw(model)
	t.Run("clean", k.differ)
	d.goOn, k.undecided = true, undecided
	k.draw = d.draw(model)
	t.Run("going on", k.differ)
	d.goOn, d.refused, k.undecided = false, true, refused
	k.late = refused > 50
	k.draw = d.draw(model)
	t.Run("refused", k.differ)
}

func TestMutexAgreesWithPorcupine(t *testing.T) {
	d := drawing{functions: lockFunctions, processes: 3, steps: 11}
	holdCheck{check: Mutex, model: mutexOracle()}.differWhenUnclean(t, d, mutexOracle(), 20, 5)
}

func TestPlainMutexAgreesWithPorcupine(t *testing.T) {
	d := drawing{functions: lockFunctions, processes: 3, steps: 11}
	k := holdCheck{check: PlainMutex, model: plainMutexOracle(), undecided: 65}
	k.differWhenUnclean(t, d, mutexOracle(), 75, 40)
	k.undecided, k.draw = 95, d.draw(plainMutexOracle())
	t.Run("of any process", k.differ)
}

func TestRWLockAgreesWithPorcupine(t *testing.T) {
	d := drawing{functions: lockFunctions, processes: 4, steps: 11, shared: true}
	holdCheck{check: RWLock, model: rwLockOracle(), undecided: 1}.differWhenUnclean(t, d, rwLockOracle(), 20, 90)
}

func TestSemaphoreAgreesWithPorcupine(t *testing.T) {
	d := drawing{functions: lockFunctions, processes: 4, steps: 11, permits: 2}
	check := func(calls []history.Call) (*Violation, bool) { return Semaphore(calls, 3) }
	holdCheck{check: check, model: semaphoreOracle(3), undecided: 1}.differWhenUnclean(t, d, semaphoreOracle(3), 40, 90)
}

func TestReentrantMutexAgreesWithPorcupine(t *testing.T) {
	d := drawing{functions: lockFunctions, processes: 3, steps: 11}
	holdCheck{check: ReentrantMutex, model: reentrantOracle()}.differWhenUnclean(t, d, reentrantOracle(), 20, 90)
}

func TestLeadershipAgreesWithPorcupine(t *testing.T) {
	d := drawing{functions: lockFunctions, processes: 3, steps: 11}
	holdCheck{check: Leadership, model: leadershipOracle()}.differWhenUnclean(t, d, leadershipOracle(), 40, 90)
}

func TestFencedMutexAgreesWithPorcupine(t *testing.T) {
	d := drawing{functions: lockFunctions, processes: 3, steps: 11, tokens: true}
	holdCheck{check: FencedMutex, model: fencedMutexOracle()}.differWhenUnclean(t, d, fencedMutexOracle(), 20, 90)
}

func TestFencedTokensAgreeWithPorcupine(t *testing.T) {
	d := drawing{functions: []history.Function{history.FunctionAcquire, history.FunctionAcquire, history.FunctionRelease}, processes: 4, steps: 12, tokens: true, goOn: true}
	holdCheck{check: FencedTokens, model: fencedTokensOracle(), draw: d.draw(fencedTokensOracle())}.differ(t)
}

func TestTryLockAgreesWithPorcupine(t *testing.T) {
	for _, expiring := range []bool{false, true} {
		// More tries than releases, so that many are refused.
		d := drawing{functions: []history.Function{history.FunctionTryAcquire, history.FunctionTryAcquire, history.FunctionRelease}, processes: 4, steps: 14, refused: true}
		k := holdCheck{model: tryLockOracle(expiring), draw: d.draw(tryLockOracle(expiring)), undecided: 5}
		k.check = func(calls []history.Call) (*Violation, bool) { return TryLock(calls, expiring) }
		t.Run(fmt.Sprintf("expiring is %v", expiring), k.differ)
		d.goOn, k.undecided = true, 50
		k.draw = d.draw(tryLockOracle(expiring))
		t.Run(fmt.Sprintf("going on, expiring is %v", expiring), k.differ)
	}
}

func TestBarrierAgreesWithPorcupine(t *testing.T) {
	d := drawing{functions: []history.Function{history.FunctionHold, history.FunctionLower, history.FunctionWait, history.FunctionWait, history.FunctionHold}, processes: 4, steps: 14, refused: true, alone: true}
	k := holdCheck{check: Barrier, model: barrierOracle(), draw: d.draw(barrierOracle()), undecided: 40}
	t.Run("one coordinator", k.differ)
	d.alone, k.undecided = false, 90
	k.draw = d.draw(barrierOracle())
	t.Run("many coordinators", k.differ)
}

func TestDoubleBarrierAgreesWithPorcupine(t *testing.T) {
	const count = 2
	check := func(calls []history.Call) (*Violation, bool) { return DoubleBarrier(calls, count) }
	draw := func(rng *rand.Rand) []history.Call {
		var calls []history.Call
		base := int64(0)
		dead := make(map[int32]bool)
		for g := range 1 + rng.IntN(2) {
			for _, f := range []history.Function{history.FunctionEnter, history.FunctionLeave} {
				last := base
				for p := range int32(count + rng.IntN(2)) {
					if dead[p] || rng.IntN(12) == 0 {
						continue
					}
					c := history.Call{ID: int64(len(calls) + 1), Process: p, Function: f, Known: history.Succeeded, Invoke: base + 1 + rng.Int64N(4)}
					if c.Return = base + 4 + rng.Int64N(3); rng.IntN(6) == 0 {
						c.Return = c.Invoke + rng.Int64N(2)
					}
					last = max(last, c.Return)
					if rng.IntN(10) == 0 {
						c.Known, c.Return = history.Unknown, history.NoReturn
						dead[p] = true
					}
					calls = append(calls, c)
				}
				base = last - int64(g*rng.IntN(2))
			}
		}
		slices.SortStableFunc(calls, func(a, b history.Call) int { return int(a.Invoke - b.Invoke) })
		return calls
	}
	holdCheck{check: check, model: doubleBarrierOracle(count), operations: doubleBarrierOperations, draw: draw}.differ(t)
}
