package exact

import "github.com/etcd-holdfast/holdfast/history"

// Leadership judges an election by what its candidates believe: Acquire is a
// campaign that was won, Release is to resign. There is at most one leader. A
// leader that campaigns again, or resumes, goes on leading, and one Release
// ends all of it; resigning without leading is a violation.
//
// It is exact for the reason that Mutex is, with cores that reach from the
// first campaign's return to the call of the resignation.
//
// It assumes what Mutex assumes. It does not decide refused campaigns; nor
// what follows if a process campaigns with success after its resignation had
// an unknown outcome, because that may end the second leadership as well as
// the first.
func Leadership(calls []history.Call) (v *Violation, decided bool) {
	h := collect(calls, continues, false)
	return h.verdict(h.exclusive(calls), false)
}
