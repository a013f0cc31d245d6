package checker

import (
	"slices"

	"github.com/etcd-holdfast/holdfast/history"
)

// mechanism is a known upstream defect: how to recognise it, not just where it
// shows. Only subjects that are etcd's own can have one.
type mechanism struct {
	issue, name, explanation string
	// primitives and kinds are where it lives, property what it breaks.
	property   string
	primitives []history.Primitive
	kinds      []history.Kind
	// match looks at the cause.
	match func(r *record, op *history.Operation, t *tenure) bool
}

func mechanisms() []mechanism {
	return []mechanism{
		{
			issue: "etcd#19597", name: "campaign wins without its key", property: Ownership,
			explanation: "Campaign waits for older keys to go and does not look whether its own is still there",
			primitives:  []history.Primitive{history.Election}, kinds: []history.Kind{history.Campaign},
			match: lostItsKeyWaiting,
		},
		{
			issue: "etcd#16221", name: "rwmutex is granted without its key", property: Ownership,
			explanation: "Lock and RLock wait for older keys to go and do not look whether their own is still there",
			primitives:  []history.Primitive{history.RWMutex}, kinds: []history.Kind{history.Acquire},
			match: lostItsKeyWaiting,
		},
		{
			issue: "etcd#18082", name: "acquire outlives its context", property: Contract,
			explanation: "after its context ends the call deletes its key with the client's own context, which has no end while etcd is out of reach",
			primitives:  []history.Primitive{history.Mutex, history.Election}, kinds: []history.Kind{history.Acquire, history.Campaign},
			match: func(r *record, op *history.Operation, _ *tenure) bool { return r.harmed(op) },
		},
	}
}

// known returns the issue that describes what happened to op, or "".
func (r *record) known(s *subject, property string, op *history.Operation, t *tenure) string {
	if s.Origin != history.FromEtcd {
		return ""
	}
	for _, m := range mechanisms() {
		if m.property == property && slices.Contains(m.primitives, s.Primitive) && slices.Contains(m.kinds, op.Kind) &&
			(r.o.Known == nil || slices.Contains(r.o.Known, m.issue)) && m.match(r, op, t) {
			return m.issue
		}
	}
	return ""
}

// lostItsKeyWaiting is true if the lease ended between call and return, and
// took the key before it ever owned.
func lostItsKeyWaiting(r *record, op *history.Operation, t *tenure) bool {
	return t != nil && t.neverOwned() && r.deletedBy(t.Life) == causeLease &&
		r.log.Earliest(t.Delete) <= op.Return && r.log.Latest(t.Delete) >= op.Call
}

// harmed is true if a fault that was seen to have an effect lasted at some
// time while the operation ran.
func (r *record) harmed(op *history.Operation) bool {
	return slices.ContainsFunc(r.h.Faults, func(f history.Fault) bool {
		return f.Verified && f.From <= r.ended(op) && (f.To == 0 || f.To >= op.Call)
	})
}
