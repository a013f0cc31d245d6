package exact

import (
	"context"

	"github.com/etcd-holdfast/holdfast/history"
)

// Frontier judges the calls of one object, ordered by Invoke, by a sequential
// specification: it is the general search, for what no near-linear algorithm is
// at hand. The context bounds its time.
//
// It goes through the events by position, invocations before returns where they
// are equal, and keeps the configurations that are possible there: the state,
// the live calls that took effect already, and the calls of unknown outcome that
// were used up. A call is made to take effect no later than its return, and no
// other is before some return needs it (just-in-time linearization). If no
// configuration survives a return, the history is illegal, and became so there.
// Configurations that another one dominates are left out; see table. Observers
// take effect as soon as a state allows it. States that no later call tells
// apart are one state. In a Memoryless object calls of unknown outcome take
// effect only right before a call that they make possible.
//
// The configurations can still be too many, because of the calls of unknown
// outcome. So three searches help each other, each of which proves what it says:
//   - A beam keeps the configurations that used the fewest. What it survives is
//     legal: a configuration is an order in which the calls took effect. Where it
//     dies it is tried again, wider, from further back.
//   - A window takes the last calls before that death as a history of their own,
//     which begins in any state, and in which the calls that had not returned
//     when it begins may take effect or not. All that the whole history allows
//     there the window allows, so if it is illegal, so is the whole.
//   - If calls of unknown outcome may take effect any number of times, the
//     configurations are few. If none of those survives a return, the history is
//     illegal at that return at the latest.
//
// Only if these cannot decide everything is searched. Violation.At is exact, the
// earliest return by which the history is illegal, but where only the last kind
// of proof was to be had within the limits; the sentence says so then.
//
// It can judge at most 64 calls at a time, beyond those of unknown outcome.
//
// Source: Wing and Gong, "Testing and verifying concurrent objects" (JPDC 17,
// 1993); Lowe, "Testing for linearizability" (CCPE 29, 2017), whose just-in-time
// search this is; Horn and Kroening, "Faster linearizability checking via
// P-compositionality" (FORTE 2015).
func Frontier[S comparable](ctx context.Context, spec Specification[S], calls []history.Call, limits Limits) Result {
	if limits.Bytes == 0 {
		limits.Bytes = 1 << 30
	}
	d := &driver{
		ctx: ctx, calls: calls, limits: limits, beams: standardBeams(),
		prepare: func(calls []history.Call, from start) *problem { return prepare(spec, calls, from) },
	}
	return d.judge()
}
