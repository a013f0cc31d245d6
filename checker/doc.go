// Package checker decides from the record of a run whether its subjects kept
// their promises. [Check] is a pure function: it reads a history and returns
// a judgement, and the same history always gives the same bytes.
//
// # One property, one file
//
// Each file that is named after a property holds its judgement and says what
// is promised, why the answer can be trusted, and what it takes for granted.
// [PropertyNames] lists them.
//
// # What is proved, and what is left open
//
// Two clocks meet here: clients know times, the store knows revisions. The
// revision log dates a revision only within bounds ([history.RevisionLog]
// Earliest and Latest). A violation is reported only if it shows under every
// assignment of times within those bounds; what the log does not cover is
// never concluded from. A record that was cut short is a prefix of a run, and
// no prefix of a correct run is ever judged violated, but for overlaps that
// leases cannot prevent (blame [BlameLease]).
//
// Two instants with equal times are taken in the order that helps the subject:
// in virtual time a release and the next grant often share one.
package checker
