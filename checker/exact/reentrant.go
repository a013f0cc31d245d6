package exact

import "github.com/etcd-holdfast/holdfast/history"

// ReentrantMutex judges a mutex that its owner may acquire again, and that is
// free when it has been released as often as it was acquired. A release by a
// process that holds nothing is a violation.
//
// It is exact: a core reaches from the return of the acquire that took the lock
// to the call of the release that brings the depth to zero. Acquires as late
// and releases as early as possible make every depth, at every position, as
// small as it can be, so that the argument of Mutex holds. A release of unknown
// outcome counts at its call; if it was not the last that was needed, and its
// process crashed, the lock is held for ever.
//
// It assumes what Mutex assumes, and does not decide refused acquires.
func ReentrantMutex(calls []history.Call) (v *Violation, decided bool) {
	h := collect(calls, nests, false)
	return h.verdict(h.exclusive(calls), false)
}
