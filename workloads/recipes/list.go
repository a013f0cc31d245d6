package recipes

import (
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
	}
}
