// Package faults plans, injects, proves and heals what goes wrong in a run.
//
// A fault is timed, or waits for an [Event] that a [Lookout] hears of: from the
// records of a run, from the messages on its clients' links, or from the changes
// in the store.
//
// [Schedule] is pure: from a seed and a scenario's entries it makes the plan.
// A [Conductor] carries the plan out on a [World] and journals every fault. A
// fault counts as injected only if its effect was seen; the evidence is in the
// journal.
package faults
