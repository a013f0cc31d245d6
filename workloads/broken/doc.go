// Package broken has locks, elections and other primitives with one planted bug
// each. They prove that the checker finds what it promises to find: a run against
// one of them that ends well is a failure of holdfast, not a success of the
// subject.
//
// Each file is one subject, named after what it gets wrong, and says why the
// mistake is easily made and which property finds it; Specimens lists them all.
// Apart from it they behave: they honour their context, own up to what they do
// not know, and leave no goroutine behind. What several of them share is right:
// claim.go, slot.go, the queue files, own_lease_lock.go, permits.go. Twins are
// made of that alone, and with them holdfast has to stay silent; other specimens
// are built on subjects of package recipes, which are their twins.
package broken
