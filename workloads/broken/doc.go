// Package broken has locks and elections with one planted bug each. They prove
// that the checker finds what it promises to find: a run against one of them
// that ends well is a failure of holdfast, not a success of the lock.
//
// Each file is one subject, named after what it gets wrong, and says why the
// mistake is easily made and which property finds it. Apart from it they
// behave: they honour their context, own up to what they do not know, and
// leave no goroutine behind. What several of them share is in claim.go, slot.go
// and rw_queue.go, and is right.
package broken
