// Package synthetic makes run directories of any size in seconds, without a
// cluster: clients of a lock service are simulated in virtual time, and what
// they do is written in the format of a run. Benchmarks of reading and judging,
// and tests of both, work on them.
//
// The service keeps every promise, so that the run holds, unless
// Options.DoubleHold plants one hold that was never true. Proportions are those
// of real runs: waits, holds, reads and writes of a protected resource, guarded
// writes, sessions that are closed, cut off and expire, clients that crash and
// are replaced, observers, ticks. The same Options make the same bytes.
package synthetic
