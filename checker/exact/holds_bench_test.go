package exact

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/etcd-holdfast/holdfast/history"
)

// benchLock makes a legal history of n calls of a lock: 16 processes wait for
// it and are served in turn; with readers, up to 4 of them read together.
// Unknown is the share, in percent, of acquires and releases that are never
// answered: their processes are replaced. Violation puts one more hold in the
// midst.
func benchLock(n, unknown int, readers, violation bool) []history.Call {
	rng := rand.New(rand.NewPCG(1, 2))
	names := make([]int32, 16)
	asked := make([]int64, len(names))
	next := int32(len(names))
	for p := range names {
		names[p] = int32(p)
	}
	calls := make([]history.Call, 0, n+16)
	now := int64(1)
	add := func(p int, f history.Function, invoke, back int64, shared bool) bool {
		c := history.Call{ID: int64(len(calls)), Process: names[p], Function: f, Known: history.Succeeded, Invoke: invoke, Return: back,
			Value: history.Nil, Argument: history.Nil, Revision: back, Shared: shared}
		lost := rng.IntN(100) < unknown
		if lost {
			c.Known, c.Return, c.Revision = history.Unknown, history.NoReturn, 0
			names[p] = next
			next++
		}
		calls = append(calls, c)
		return !lost
	}
	for len(calls) < n {
		group := 1
		if readers && rng.IntN(2) == 0 {
			group = 4
		}
		first := rng.IntN(len(names))
		var holders []int
		for k := range group {
			p := (first + k) % len(names)
			now += 10
			if add(p, history.FunctionAcquire, max(asked[p], now-500), now, group > 1) {
				holders = append(holders, p)
			}
			asked[p] = now + 1
		}
		if violation && len(calls) > n/2 {
			violation = false
			p := (first + group) % len(names)
			now++
			add(p, history.FunctionAcquire, now, now, false)
			holders = append(holders, p)
		}
		for _, p := range holders {
			now += 10
			add(p, history.FunctionRelease, now, now+5, false)
			asked[p] = now + 6
		}
	}
	slices.SortStableFunc(calls, func(a, b history.Call) int { return int(a.Invoke - b.Invoke) })
	return calls
}

// benchBarrier has one coordinator, and 7 that wait.
func benchBarrier(n int) []history.Call {
	calls := make([]history.Call, 0, n)
	for now := int64(1); len(calls) < n; now += 100 {
		add := func(p int32, f history.Function, invoke, back int64) {
			calls = append(calls, history.Call{Process: p, Function: f, Known: history.Succeeded, Invoke: invoke, Return: back})
		}
		add(0, history.FunctionHold, now, now+10)
		for p := range int32(7) {
			add(p+1, history.FunctionWait, now+20+int64(p), now+60+int64(p))
		}
		add(0, history.FunctionLower, now+50, now+58)
	}
	return calls
}

// benchDoubleBarrier has 8 processes, generation after generation.
func benchDoubleBarrier(n int) []history.Call {
	calls := make([]history.Call, 0, n)
	for now := int64(1); len(calls) < n; now += 100 {
		for half, f := range []history.Function{history.FunctionEnter, history.FunctionLeave} {
			for p := range int32(8) {
				at := now + int64(50*half) + int64(p)
				calls = append(calls, history.Call{Process: p, Function: f, Known: history.Succeeded, Invoke: at, Return: at + 10})
			}
		}
	}
	return calls
}

const benchCalls = 1_000_000

func benchHolds(b *testing.B, readers bool, check func([]history.Call) (*Violation, bool)) {
	for _, unknown := range []int{0, 10} {
		for _, violation := range []bool{false, true} {
			b.Run(fmt.Sprintf("unknown=%d%%/violation=%v", unknown, violation), func(b *testing.B) {
				calls := benchLock(benchCalls, unknown, readers, violation)
				benchOn(b, calls, check, violation)
			})
		}
	}
}

func benchOn(b *testing.B, calls []history.Call, check func([]history.Call) (*Violation, bool), violation bool) {
	b.ReportAllocs()
	for b.Loop() {
		if v, decided := check(calls); (v != nil) != violation || !decided {
			b.Fatalf("violation is %v, decided %v", v, decided)
		}
	}
}

func BenchmarkMutex(b *testing.B)          { benchHolds(b, false, Mutex) }
func BenchmarkPlainMutex(b *testing.B)     { benchHolds(b, false, PlainMutex) }
func BenchmarkRWLock(b *testing.B)         { benchHolds(b, true, RWLock) }
func BenchmarkReentrantMutex(b *testing.B) { benchHolds(b, false, ReentrantMutex) }
func BenchmarkLeadership(b *testing.B)     { benchHolds(b, false, Leadership) }
func BenchmarkFencedMutex(b *testing.B)    { benchHolds(b, false, FencedMutex) }

func BenchmarkSemaphore(b *testing.B) {
	benchHolds(b, false, func(calls []history.Call) (*Violation, bool) { return Semaphore(calls, 1) })
}

func BenchmarkFencedTokens(b *testing.B) {
	benchOn(b, benchLock(benchCalls, 10, false, false), FencedTokens, false)
}

// BenchmarkTryLock refuses one call in every other hold; or, as a violation,
// one more late in the history when the lock is free for sure.
func BenchmarkTryLock(b *testing.B) {
	for _, violation := range []bool{false, true} {
		b.Run(fmt.Sprintf("violation=%v", violation), func(b *testing.B) {
			var calls []history.Call
			next := int32(4)
			for now := int64(1); len(calls) < benchCalls; now += 100 {
				p := int32(now / 100 % 2)
				add := func(p int32, f history.Function, known history.Known, invoke, back int64) {
					calls = append(calls, history.Call{Process: p, Function: f, Known: known, Invoke: invoke, Return: back})
				}
				add(p, history.FunctionTryAcquire, history.Succeeded, now, now+10)
				add(2, history.FunctionTryAcquire, history.Refused, now+20, now+30)
				add(p, history.FunctionRelease, history.Succeeded, now+40, now+50)
				if now%1000 < 100 { // an unknown one explains the refusal in the gap
					add(next, history.FunctionTryAcquire, history.Unknown, now+51, history.NoReturn)
					add(2, history.FunctionTryAcquire, history.Refused, now+60, now+70)
					next++
				}
				if violation && len(calls) > benchCalls*3/4 {
					violation = false
					add(3, history.FunctionTryAcquire, history.Refused, now+61, now+70)
					add(p, history.FunctionTryAcquire, history.Succeeded, now+80, now+81)
					add(p, history.FunctionRelease, history.Succeeded, now+82, now+83)
					add(3, history.FunctionTryAcquire, history.Refused, now+84, now+85)
				}
			}
			v, _ := TryLock(calls, true)
			benchOn(b, calls, func(calls []history.Call) (*Violation, bool) { return TryLock(calls, true) }, v != nil)
		})
	}
}

func BenchmarkBarrier(b *testing.B) { benchOn(b, benchBarrier(benchCalls), Barrier, false) }

func BenchmarkDoubleBarrier(b *testing.B) {
	benchOn(b, benchDoubleBarrier(benchCalls), func(calls []history.Call) (*Violation, bool) { return DoubleBarrier(calls, 8) }, false)
}

// BenchmarkRWLockInReverse has readers that all overlap, and return in the
// reverse of the order in which they called: nothing comes sorted.
func BenchmarkRWLockInReverse(b *testing.B) {
	const n = benchCalls / 2
	calls := make([]history.Call, 0, 2*n)
	for p := range int32(n) {
		calls = append(calls, history.Call{Process: p, Function: history.FunctionAcquire, Known: history.Succeeded, Invoke: int64(p), Return: int64(2*n - p), Shared: true})
	}
	for p := range int32(n) {
		calls = append(calls, history.Call{Process: p, Function: history.FunctionRelease, Known: history.Succeeded, Invoke: int64(2*n + p), Return: int64(4*n + p)})
	}
	benchOn(b, calls, RWLock, false)
}
