package broken

import (
	"context"
	"path"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// oneKeyForAll is a one-key lock whose key is the same whatever is locked.
//
// Plausible: the name was a parameter once, and a constant since some clean-up.
// Exclusion is better than ever; who holds one object and asks for another waits
// for itself.
//
// Found by contract, as it makes keys outside its prefix, and by progress where
// clients hold two objects at a time.
func oneKeyForAll() Specimen {
	return Specimen{Breaks: []string{contract, progress}, Twin: "slot-lock", Subject: workloads.Subject{
		Name:    "one-key-for-all",
		Summary: "a lock that forgets which object it is asked for",
		Origin:  history.Broken,
		NewLock: func(s *workloads.Session, prefix string) workloads.Lock {
			return &globalLock{slotLock{session: s, slot: newSlot(s, path.Dir(prefix))}} // the bug
		},
	}}
}

type globalLock struct{ slotLock }

func (l *globalLock) Acquire(ctx context.Context) (workloads.Grant, error) {
	_, err := l.slotLock.Acquire(ctx)
	return workloads.Grant{}, err // its key is not one of the object's
}

func (l *globalLock) TryAcquire(ctx context.Context) (workloads.Grant, error) {
	_, err := l.slotLock.TryAcquire(ctx)
	return workloads.Grant{}, err
}
