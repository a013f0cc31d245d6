package exact

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/anishathalye/porcupine"

	"github.com/etcd-holdfast/holdfast/history"
)

// The oracle judges a history by searching for a linearization with porcupine.
// Its models say what each call does to a state, and nothing else: they share no
// argument and no code with the checks, so that they can confirm a witness.

// oracleModel makes a model of what calls do. effect returns the state after a
// call that takes effect, or false if the state does not allow it: then the call
// can be refused. A call of unknown outcome does what it can, or nothing.
func oracleModel[S comparable](initial S, effect func(S, history.Call) (S, bool)) porcupine.NondeterministicModel {
	return porcupine.NondeterministicModel{
		Init: func() []any { return []any{initial} },
		Step: func(state, input, _ any) []any {
			c := input.(history.Call)
			after, allowed := effect(state.(S), c)
			switch {
			case c.Known == history.Unknown && allowed:
				return []any{state, after}
			case c.Known == history.Unknown, c.Known == history.Refused && !allowed:
				return []any{state}
			case c.Known == history.Succeeded && allowed:
				return []any{after}
			}
			return nil
		},
	}
}

// nobody is the owner of what is free.
const nobody int32 = -1

func mutexOracle() porcupine.NondeterministicModel {
	return oracleModel(nobody, func(owner int32, c history.Call) (int32, bool) {
		if c.Function == history.FunctionRelease {
			return nobody, owner == c.Process
		}
		return c.Process, owner == nobody
	})
}

func plainMutexOracle() porcupine.NondeterministicModel {
	return oracleModel(false, func(locked bool, c history.Call) (bool, bool) {
		release := c.Function == history.FunctionRelease
		return !release, locked == release
	})
}

// tryLockOracle's state also says whether the hold can end by itself.
func tryLockOracle(expiring bool) porcupine.NondeterministicModel {
	if !expiring {
		return mutexOracle()
	}
	type state struct {
		owner int32
		loose bool
	}
	m := oracleModel(state{owner: nobody}, func(s state, c history.Call) (state, bool) {
		if c.Function == history.FunctionRelease {
			return state{owner: nobody}, s.owner == c.Process
		}
		return state{c.Process, c.Known == history.Unknown}, s.owner == nobody
	})
	step := m.Step
	m.Step = func(s, input, output any) []any {
		after := step(s, input, output)
		if s.(state).loose {
			after = append(after, step(state{owner: nobody}, input, output)...)
		}
		return after
	}
	return m
}

// counts is a comparable map from processes to how many they have.
type counts string

func (k counts) with(process int32, n int64) counts {
	m := k.all()
	if m[process] += n; m[process] == 0 {
		delete(m, process)
	}
	s := ""
	for _, p := range slices.Sorted(maps.Keys(m)) {
		s += fmt.Sprintf("%d:%d,", p, m[p])
	}
	return counts(s)
}

func (k counts) all() map[int32]int64 {
	m := make(map[int32]int64)
	for entry := range strings.SplitSeq(string(k), ",") {
		if p, n, found := strings.Cut(entry, ":"); found {
			process, _ := strconv.ParseInt(p, 10, 32) // with has written both
			m[int32(process)], _ = strconv.ParseInt(n, 10, 64)
		}
	}
	return m
}

func (k counts) sum() (n int64) {
	for _, has := range k.all() {
		n += has
	}
	return n
}

func rwLockOracle() porcupine.NondeterministicModel {
	type state struct {
		writer  int32
		readers counts
	}
	return oracleModel(state{writer: nobody}, func(s state, c history.Call) (state, bool) {
		switch {
		case c.Function == history.FunctionRelease && s.writer == c.Process:
			return state{nobody, s.readers}, true
		case c.Function == history.FunctionRelease && s.readers.all()[c.Process] > 0:
			return state{s.writer, s.readers.with(c.Process, -1)}, true
		case c.Function == history.FunctionRelease:
			return s, false
		case c.Shared:
			return state{nobody, s.readers.with(c.Process, 1)}, s.writer == nobody
		}
		return state{c.Process, ""}, s.writer == nobody && s.readers == ""
	})
}

func semaphoreOracle(permits int) porcupine.NondeterministicModel {
	return oracleModel(counts(""), func(taken counts, c history.Call) (counts, bool) {
		n := max(int64(c.Argument), 1)
		if c.Function == history.FunctionRelease {
			return taken.with(c.Process, -n), taken.all()[c.Process] >= n
		}
		return taken.with(c.Process, n), taken.sum()+n <= int64(permits)
	})
}

func reentrantOracle() porcupine.NondeterministicModel {
	type state struct {
		owner int32
		depth int
	}
	return oracleModel(state{owner: nobody}, func(s state, c history.Call) (state, bool) {
		if c.Function != history.FunctionRelease {
			return state{c.Process, s.depth + 1}, s.owner == nobody || s.owner == c.Process
		}
		if s.depth > 1 {
			return state{s.owner, s.depth - 1}, s.owner == c.Process
		}
		return state{owner: nobody}, s.owner == c.Process
	})
}

func leadershipOracle() porcupine.NondeterministicModel {
	return oracleModel(nobody, func(leader int32, c history.Call) (int32, bool) {
		if c.Function == history.FunctionRelease {
			return nobody, leader == c.Process
		}
		return c.Process, leader == nobody || leader == c.Process
	})
}

func fencedMutexOracle() porcupine.NondeterministicModel {
	type state struct {
		owner int32
		token int64
	}
	return oracleModel(state{owner: nobody}, func(s state, c history.Call) (state, bool) {
		if c.Function == history.FunctionRelease {
			return state{nobody, s.token}, s.owner == c.Process
		}
		rises := c.Revision > s.token || c.Revision == 0 || c.Known == history.Unknown
		return state{c.Process, max(s.token, c.Revision)}, s.owner == nobody && rises
	})
}

func fencedTokensOracle() porcupine.NondeterministicModel {
	return oracleModel(int64(0), func(last int64, c history.Call) (int64, bool) {
		if c.Function == history.FunctionRelease || c.Revision == 0 || c.Known == history.Unknown {
			return last, true
		}
		return c.Revision, c.Revision > last
	})
}

func barrierOracle() porcupine.NondeterministicModel {
	return oracleModel(false, func(up bool, c history.Call) (bool, bool) {
		switch c.Function {
		case history.FunctionHold:
			return true, !up
		case history.FunctionLower:
			return false, true
		}
		return up, !up
	})
}

// doubleBarrierOracle counts who has arrived. Each call is two operations: one
// arrives at any time since the invocation, and has Known Unknown; the other
// passes. doubleBarrierOperations writes them, with the generation as Revision.
func doubleBarrierOracle(count int) porcupine.NondeterministicModel {
	generation := func(c history.Call) int32 {
		if c.Function == history.FunctionLeave {
			return int32(-c.Revision)
		}
		return int32(c.Revision)
	}
	return oracleModel(counts(""), func(arrived counts, c history.Call) (counts, bool) {
		if c.Known == history.Unknown {
			return arrived.with(generation(c), 1), true
		}
		return arrived, arrived.all()[generation(c)] >= int64(count)
	})
}

func doubleBarrierOperations(calls []history.Call) []porcupine.Operation {
	type key struct {
		process int32
		call    history.Function
	}
	done := make(map[key]int64)
	var all []history.Call
	for _, c := range calls {
		k := key{c.Process, c.Function}
		done[k]++
		c.Revision = done[k]
		if c.Known == history.Succeeded {
			all = append(all, c)
		}
		c.Known = history.Unknown
		all = append(all, c)
	}
	return oracleOperations(all)
}
