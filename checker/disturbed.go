package checker

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Where a run shares a store, somebody else can remove its keys, and end its leases, while
// it goes on. That the store then lacks them is nobody's fault but theirs. Who removes all
// removes the sign of the run with it, which the record tells; what shows from that revision
// on is not judged.

// disturbedAt is the earliest time at which somebody else can have done it.
func (r *record) disturbedAt() time.Duration {
	if r.log != nil && r.disturbed.Revision != 0 {
		return r.log.Earliest(r.disturbed.Revision)
	}
	return r.disturbed.Time
}

// disturbance tells it.
func (r *record) disturbance() string {
	return fmt.Sprintf("somebody else has %s the sign of the run, %s, by %s (rev %d), and maybe all of its keys and leases: what came after is not judged",
		cmp.Or(r.disturbed.Detail, "changed"), r.disturbed.Key, at(r.disturbed.Time), r.disturbed.Revision)
}

// undisturbed leaves of a judgement what showed before.
func (r *record) undisturbed(j *judgement) {
	if r.disturbed == nil {
		return
	}
	from := r.disturbedAt()
	j.findings = slices.DeleteFunc(j.findings, func(f finding) bool { return f.To == 0 || f.To >= from })
	j.unknown = cmp.Or(j.unknown, r.disturbance())
}
