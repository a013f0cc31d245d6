// Package model is what one etcd server answers, without the server: a pure
// model of its key-value store, its transactions, its leases and its watches.
//
// It has no goroutine, no lock, no clock and no randomness: the same calls get
// the same answers. Time is whatever the caller passes in as now, counted from
// any moment that does not change; nothing else of time is known to it.
//
// # Usage
//
//	s := model.New(model.Config{})
//	s.Put(&pb.PutRequest{Key: []byte("a"), Value: []byte("1")})
//	s.Range(&pb.RangeRequest{Key: []byte("a")}, s.Revision())
//
// Requests and responses are etcd's own, and errors are what a gRPC client
// sees: the ErrGRPC values of package rpctypes.
//
// A Store is the state that a cluster agrees on. One member of it can lag: what
// it says is asked for with the revision through which it has applied the log,
// see [Store.Range], [Store.TxnAt] and [Stream]. All other methods answer for
// the member that is up to date, and their headers tell the revision of the
// store; the caller changes those of a member that is not.
//
// # Obligations of the caller
//
//   - Calls come one at a time, and now never goes back.
//   - A request is not kept nor changed. Responses share memory with the store
//     and with each other: key-value pairs, keys and values are read and never
//     written. Their headers are their own.
//   - Leases do not end by themselves: the caller revokes those that are
//     [Store.Due], each time that a leader would look.
//   - Watches are told nothing by themselves: the caller calls [Stream.Notify]
//     when the member has applied something, and [Stream.CatchUp] each time
//     that a server would, or [Stream.Advance] for both at once.
//
// # What the model shares with the real server
//
// All of what follows was found in etcd 3.7.3, and is compared with it by the
// tests, field by field:
//
//   - Pairs of a keys-only range have no lease, unless it is sorted by value.
//   - A range with a target but no order is cut at its limit first, and then
//     sorted.
//   - Ties of a sort fall as Go's unstable sort lets them fall.
//   - Count and More: the count is of the whole range, whatever the limit and
//     the filters; count-only tells nothing else.
//   - A revision below zero is the latest to a range, and compacted to a range
//     within a transaction.
//   - All comparisons of a transaction, those of transactions within included,
//     see the store before it. The header of a transaction within is empty.
//   - The check for keys that are changed twice overlooks deletions without an
//     end, and those in a transaction beside.
//   - A watch that ends by compaction has a header without a revision, and
//     occupies its ID, and keeps the stream from telling progress, until it is
//     cancelled.
//   - A new leader gives each lease its whole TTL and its election timeout.
//
// # What is left out
//
//   - Authentication, alarms, quotas and sizes of requests: a harness of locks
//     has no use for them.
//   - Learners and membership: they are not part of the state machine.
//   - RangeStream, which no lock or election calls.
//   - Periodic progress of watches and fragments: the first comes every ten
//     minutes, the others with responses above 1.5 MB.
//   - Checkpoints of leases, which are off by default.
//   - Two leaders at once: the model's leases are those of the one that can
//     still commit.
//   - Transactions that delete a key and put it thereafter, as far as the check
//     above lets them pass: the model does what they say, and nothing is
//     claimed of a server.
package model
