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
			Summary:   "recipe.RWMutex, and success only if its key still exists after the wait",
			Origin:    history.Corrected,
			Layout:    history.ReadWriteKeys,
			Blocking:  true,
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
			Name:        "election-checked",
			Summary:     "concurrency.Election, and leadership only if its key still exists after the wait",
			Origin:      history.Corrected,
			Layout:      history.OldestKey,
			NewElection: func(s *workloads.Session, prefix string) workloads.Election { return NewCheckedElection(s, prefix) },
		},
		{
			Name:    "v3lock",
			Summary: "etcd's lock service over gRPC: Lock, Unlock",
			Origin:  history.FromEtcd,
			Layout:  history.OldestKey,
			NewLock: func(s *workloads.Session, prefix string) workloads.Lock { return NewV3Lock(s, prefix) },
		},
		{
			Name:        "v3election",
			Summary:     "etcd's election service over gRPC: Campaign, Proclaim, Resign, Leader, Observe",
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
