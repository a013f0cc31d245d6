package recipes

import (
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// Subjects returns etcd's own primitives and their corrected twins.
func Subjects() []workloads.Subject {
	return []workloads.Subject{
		{
			Name:    "mutex",
			Summary: "concurrency.Mutex: Lock, TryLock, Unlock",
			Origin:  history.FromEtcd,
			Layout:  history.OldestKey,
			NewLock: func(s *workloads.Session, prefix string) workloads.Lock { return NewMutex(s, prefix) },
		},
		{
			Name:    "mutex-checked",
			Summary: "a mutex like concurrency.Mutex, without the defects known of it",
			Origin:  history.Corrected,
			Layout:  history.OldestKey,
			NewLock: func(s *workloads.Session, prefix string) workloads.Lock { return NewCheckedMutex(s, prefix) },
		},
		{
			Name:     "locker",
			Summary:  "concurrency.NewLocker: a sync.Locker, which takes no context and panics on error",
			Origin:   history.FromEtcd,
			Layout:   history.OldestKey,
			Blocking: true,
			NewLock:  func(s *workloads.Session, prefix string) workloads.Lock { return NewLocker(s, prefix) },
		},
		{
			Name:      "rwmutex",
			Summary:   "recipe.RWMutex of client/v3/experimental/recipes, which takes no context",
			Origin:    history.FromEtcd,
			Layout:    history.ReadWriteKeys,
			Blocking:  true,
			NewRWLock: func(s *workloads.Session, prefix string) workloads.RWLock { return NewRWMutex(s, prefix) },
		},
		{
			Name:      "rwmutex-checked",
			Summary:   "a read-write lock like recipe.RWMutex, without the defects known of it",
			Origin:    history.Corrected,
			Layout:    history.ReadWriteKeys,
			NewRWLock: func(s *workloads.Session, prefix string) workloads.RWLock { return NewCheckedRWMutex(s, prefix) },
		},
		{
			Name:        "election",
			Summary:     "concurrency.Election: Campaign, Proclaim, Resign, Leader, Observe, ResumeElection",
			Origin:      history.FromEtcd,
			Layout:      history.OldestKey,
			NewElection: func(s *workloads.Session, prefix string) workloads.Election { return NewElection(s, prefix) },
		},
		{
			Name:        "election-resumed",
			Summary:     "concurrency.Election, resumed with the prefix that NewElection was given",
			Origin:      history.FromEtcd,
			Layout:      history.OldestKey,
			NewElection: func(s *workloads.Session, prefix string) workloads.Election { return NewResumedElection(s, prefix) },
		},
		{
			Name:        "election-checked",
			Summary:     "an election like concurrency.Election, without the defects known of it",
			Origin:      history.Corrected,
			Layout:      history.OldestKey,
			NewElection: func(s *workloads.Session, prefix string) workloads.Election { return NewCheckedElection(s, prefix) },
		},
		{
			Name:     "queue",
			Summary:  "recipe.Queue of client/v3/experimental/recipes, which takes no context",
			Origin:   history.FromEtcd,
			Layout:   history.ItemKeys,
			Blocking: true,
			NewQueue: func(s *workloads.Session, prefix string) workloads.Queue { return NewQueue(s, prefix) },
		},
		{
			Name:     "queue-checked",
			Summary:  "a queue on one key an item that looks at its own items only and looks again",
			Origin:   history.Corrected,
			Layout:   history.ItemKeys,
			NewQueue: func(s *workloads.Session, prefix string) workloads.Queue { return NewCheckedQueue(s, prefix) },
		},
		{
			Name:             "priority-queue",
			Summary:          "recipe.PriorityQueue, which takes no context",
			Origin:           history.FromEtcd,
			Layout:           history.ItemKeys,
			Blocking:         true,
			NewPriorityQueue: func(s *workloads.Session, prefix string) workloads.Queue { return NewPriorityQueue(s, prefix) },
		},
		{
			Name:             "priority-queue-checked",
			Summary:          "the same of queue-checked, by priority",
			Origin:           history.Corrected,
			Layout:           history.ItemKeys,
			NewPriorityQueue: func(s *workloads.Session, prefix string) workloads.Queue { return NewCheckedPriorityQueue(s, prefix) },
		},
		{
			Name:       "barrier",
			Summary:    "recipe.Barrier: Hold, Release, Wait, which take no context",
			Origin:     history.FromEtcd,
			Layout:     history.BarrierKeys,
			Blocking:   true,
			NewBarrier: func(s *workloads.Session, prefix string) workloads.Barrier { return NewBarrier(s, prefix) },
		},
		{
			Name:       "barrier-checked",
			Summary:    "a barrier that lets pass only when a read finds it open",
			Origin:     history.Corrected,
			Layout:     history.BarrierKeys,
			NewBarrier: func(s *workloads.Session, prefix string) workloads.Barrier { return NewCheckedBarrier(s, prefix) },
		},
		{
			Name:     "double-barrier",
			Summary:  "recipe.DoubleBarrier: Enter, Leave, which take no context",
			Origin:   history.FromEtcd,
			Layout:   history.MemberKeys,
			Blocking: true,
			NewDoubleBarrier: func(s *workloads.Session, prefix string, permits int) workloads.DoubleBarrier {
				return NewDoubleBarrier(s, prefix, permits)
			},
		},
		{
			Name:    "double-barrier-checked",
			Summary: "a double barrier that lets a whole group in with one transaction",
			Origin:  history.Corrected,
			Layout:  history.MemberKeys,
			NewDoubleBarrier: func(s *workloads.Session, prefix string, permits int) workloads.DoubleBarrier {
				return NewCheckedDoubleBarrier(s, prefix, permits)
			},
		},
		{
			Name:       "v3lock",
			Summary:    "etcd's lock service over gRPC: Lock, Unlock",
			Connection: true,
			Origin:     history.FromEtcd,
			Layout:     history.OldestKey,
			NewLock:    func(s *workloads.Session, prefix string) workloads.Lock { return NewV3Lock(s, prefix) },
		},
		{
			Name:        "v3election",
			Summary:     "etcd's election service over gRPC: Campaign, Proclaim, Resign, Leader, Observe",
			Connection:  true,
			Origin:      history.FromEtcd,
			Layout:      history.OldestKey,
			NewElection: func(s *workloads.Session, prefix string) workloads.Election { return NewV3Election(s, prefix) },
		},
		{
			Name:    "semaphore",
			Summary: "a counting semaphore, of which etcd has none: the oldest keys hold, and each looks for its own",
			Origin:  history.Corrected,
			Layout:  history.OldestKeys,
			NewSemaphore: func(s *workloads.Session, prefix string, permits int) workloads.Semaphore {
				return NewSemaphore(s, prefix, permits)
			},
		},
		{
			Name:       "service",
			Summary:    "a leader's loop as careful programs write it: concurrency.Election, a look for the own key, stop on Done",
			Origin:     history.Corrected,
			Layout:     history.OldestKey,
			NewService: func(s *workloads.Session, prefix string) workloads.Service { return NewService(s, prefix) },
		},
		stm(history.SerializableSnapshot, concurrency.SerializableSnapshot),
		stm(history.Serializable, concurrency.Serializable),
		stm(history.RepeatableReads, concurrency.RepeatableReads),
		stm(history.ReadCommitted, concurrency.ReadCommitted),
		{
			Name:        "kv-register",
			Summary:     "one key: linearizable Get, Put, Txn that compares and sets",
			Origin:      history.FromEtcd,
			Layout:      history.OneKey,
			NewRegister: func(s *workloads.Session, prefix string) workloads.Register { return NewRegister(s, prefix) },
		},
		{
			Name:    "kv-register-serializable",
			Summary: "one key: serializable Get, which may be stale, Put, Txn that compares and sets",
			Origin:  history.FromEtcd,
			Layout:  history.OneKey,
			Promise: history.MayBeStale,
			NewRegister: func(s *workloads.Session, prefix string) workloads.Register {
				return NewRegister(s, prefix, clientv3.WithSerializable())
			},
		},
	}
}

// stm is a bank by software transactional memory at an isolation level.
func stm(promise string, isolation concurrency.Isolation) workloads.Subject {
	return workloads.Subject{
		Name:    "stm-" + promise,
		Summary: "concurrency.NewSTM moving amounts between accounts, isolation " + promise,
		Origin:  history.FromEtcd,
		Layout:  history.AccountKeys,
		Promise: promise,
		NewBank: func(s *workloads.Session, prefix string) workloads.Bank { return NewBank(s, prefix, isolation) },
	}
}
