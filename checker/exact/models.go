package exact

import (
	"context"
	"slices"

	"github.com/anishathalye/porcupine"

	"github.com/etcd-holdfast/holdfast/history"
)

// judge is how a model's history is judged: by the near-linear check, and where
// that does not decide, by the general search.
type judge func(ctx context.Context, calls []history.Call, p Parameters, l Limits) Result

// either asks the near-linear check first.
func either(fast func(calls []history.Call, p Parameters) (*Violation, bool), rest judge) judge {
	return func(ctx context.Context, calls []history.Call, p Parameters, l Limits) Result {
		if v, decided := fast(calls, p); decided {
			return Result{Violation: v}
		}
		return rest(ctx, calls, p, l)
	}
}

// general is the general search with a specification.
func general[S comparable](specification func(p Parameters) Specification[S]) judge {
	return func(ctx context.Context, calls []history.Call, p Parameters, l Limits) Result {
		return Frontier(ctx, specification(p), calls, l)
	}
}

// generalLock is the general search with a lock's specification.
func generalLock(kind lockKind) judge {
	return func(ctx context.Context, calls []history.Call, p Parameters, l Limits) Result {
		specification := lockSpecification{kind: kind, permits: int64(p.permits())}
		result := Frontier(ctx, specification, specification.addressed(calls), l)
		if result.Violation != nil {
			result.Violation.Witness = originals(result.Violation.Witness, calls)
		}
		return result
	}
}

// originals returns the calls that addressed ones stand for: a process makes one
// call at a time.
func originals(addressed, calls []history.Call) []history.Call {
	restored := slices.Clone(addressed)
	for i := range restored {
		a := &restored[i]
		k := slices.IndexFunc(calls, func(c history.Call) bool {
			return c.Process == a.Process && c.Invoke == a.Invoke && c.ID == a.ID && c.Function == a.Function
		})
		a.Value, a.Argument = calls[k].Value, calls[k].Argument
	}
	return restored
}

// undecided is for what no search is there.
func undecided(why string) judge {
	return func(context.Context, []history.Call, Parameters, Limits) Result { return Result{Unknown: why} }
}

func plain(check func([]history.Call) (*Violation, bool)) func([]history.Call, Parameters) (*Violation, bool) {
	return func(calls []history.Call, _ Parameters) (*Violation, bool) { return check(calls) }
}

func fixed(oracle func() porcupine.NondeterministicModel) func(Parameters) porcupine.NondeterministicModel {
	return func(Parameters) porcupine.NondeterministicModel { return oracle() }
}

// Models lists the models, those that other tools know first.
func Models() []Model {
	lock := []history.Function{history.FunctionAcquire, history.FunctionRelease}
	tryLock := []history.Function{history.FunctionAcquire, history.FunctionTryAcquire, history.FunctionRelease}
	register := []history.Function{history.FunctionRead, history.FunctionWrite}
	casRegister := append(slices.Clone(register), history.FunctionCompareAndSet)
	queue := []history.Function{history.FunctionEnqueue, history.FunctionDequeue}
	fastRegister := func(calls []history.Call, p Parameters) (*Violation, bool) { return Register(calls, p.initial()) }
	generalRegister := general(func(p Parameters) Specification[history.Value] { return RegisterSpecification{p.initial()} })
	registerModel := func(p Parameters) porcupine.NondeterministicModel { return registerOracle(p.initial()) }
	ownerMutex := general(func(Parameters) Specification[int32] { return OwnerMutexSpecification{} })
	return []Model{
		{Name: "register", Summary: "a register that is read and written", Functions: register,
			check: either(fastRegister, generalRegister), oracle: registerModel},
		{Name: "cas-register", Summary: "a register with compare-and-set", Functions: casRegister,
			check: either(fastRegister, generalRegister), oracle: registerModel},
		{Name: "mutex", Summary: "a lock that anybody can release", Functions: lock,
			check: either(plain(PlainMutex), general(func(Parameters) Specification[bool] { return PlainMutexSpecification{} })), oracle: fixed(plainMutexOracle)},
		{Name: "owner-mutex", Summary: "a lock that only its holder can release; a refused acquire is evidence that it was taken", Functions: tryLock,
			check: either(plain(Mutex), ownerMutex), oracle: fixed(mutexOracle)},
		{Name: "rwmutex", Summary: "a lock that many readers or one writer hold", Functions: lock,
			check: either(plain(RWLock), generalLock(readWriteLock)), oracle: fixed(rwLockOracle)},
		{Name: "queue", Summary: "a queue, first in, first out", Functions: queue,
			check: either(plain(Queue), general(func(Parameters) Specification[string] { return QueueSpecification{} })), oracle: fixed(queueOracle)},
		{Name: "priority-queue", Summary: "a queue that gives out the lowest priority first", Functions: queue,
			check: either(plain(PriorityQueue), general(func(Parameters) Specification[string] { return PriorityQueueSpecification{} })), oracle: fixed(priorityQueueOracle)},
		{Name: "semaphore", Summary: "a lock that may be taken --permits times at once", Functions: lock,
			check:  either(func(calls []history.Call, p Parameters) (*Violation, bool) { return Semaphore(calls, p.permits()) }, generalLock(semaphore)),
			oracle: func(p Parameters) porcupine.NondeterministicModel { return semaphoreOracle(p.permits()) }},
		{Name: "reentrant-mutex", Summary: "a lock that its holder may take again", Functions: lock,
			check: either(plain(ReentrantMutex), generalLock(reentrantLock)), oracle: fixed(reentrantOracle)},
		{Name: "fenced-mutex", Summary: "a lock whose tokens rise from holder to holder", Functions: lock,
			check: either(plain(FencedMutex), generalLock(fencedLock)), oracle: fixed(fencedMutexOracle)},
		{Name: "fencing-tokens", Summary: "tokens that rise from acquire to acquire, whoever may hold at once", Functions: lock,
			check: either(plain(FencedTokens), undecided("a process made two calls at once")), oracle: fixed(fencedTokensOracle)},
		{Name: "leased-lock", Summary: "an owner-mutex; a hold whose acquire had an unknown outcome can end by itself", Functions: tryLock,
			check: either(func(calls []history.Call, _ Parameters) (*Violation, bool) { return TryLock(calls, true) },
				undecided("a process went on after an acquire of unknown outcome, so that its calls cannot be told apart into holds")),
			oracle: func(Parameters) porcupine.NondeterministicModel { return tryLockOracle(true) }},
		{Name: "leadership", Summary: "at most one leader, who may campaign again", Functions: lock,
			check: either(plain(Leadership), generalLock(leadershipLock)), oracle: fixed(leadershipOracle)},
		{Name: "kv", Summary: "a register whose replies carry the revision of the store", Functions: casRegister,
			check: either(plain(KV), undecided("not every reply tells its revision, or the outcome hangs on compare-and-sets of which neither the outcome nor the revision is known")), oracle: fixed(kvOracle)},
		{Name: "barrier", Summary: "a barrier that is raised, lowered and waited for", Functions: []history.Function{history.FunctionHold, history.FunctionLower, history.FunctionWait},
			check: either(plain(Barrier), general(func(Parameters) Specification[bool] { return BarrierSpecification{} })), oracle: fixed(barrierOracle)},
		{Name: "double-barrier", Summary: "a barrier that --parties enter and leave together", Functions: []history.Function{history.FunctionEnter, history.FunctionLeave},
			check: either(func(calls []history.Call, p Parameters) (*Violation, bool) { return DoubleBarrier(calls, p.parties()) },
				undecided("a process made two calls at once")),
			oracle:     func(p Parameters) porcupine.NondeterministicModel { return doubleBarrierOracle(p.parties()) },
			operations: doubleBarrierOperations},
	}
}
