// Package answers measures answers to questions that users of etcd's locks ask
// again and again, on an embedded cluster of its own:
//
//   - MeasureHolderDeath: if the holder of a lock dies, is the lock released, and when?
//   - MeasurePriority: does a read-write lock prefer readers or writers?
//   - MeasureLockSet: what share of updates does an unfenced lock lose, in the
//     test of Jepsen's report on etcd 3.4.3?
//
// Each returns what was measured, with its Answer in a sentence, and can print
// itself as a table or as JSON. What could not be measured is counted, and never
// taken for a zero.
package answers
