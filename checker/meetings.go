package checker

import (
	"slices"
	"strings"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// meetingMechanisms are the known defects of etcd's queues and barriers.
func meetingMechanisms() []mechanism {
	queues := []history.Primitive{history.Queue, history.PriorityQueue}
	return []mechanism{
		{
			issue:    "etcd#17198",
			property: Contract, primitives: queues, kinds: []history.Kind{history.Dequeue},
			match: func(r *record, op *history.Operation, _ *tenure) bool {
				return op.Panicked && (r.harmed(op.Client, op.Call, r.ended(op)) || r.compacted(op.Call, r.ended(op)))
			},
		},
		{
			issue:    "queue-eats-neighbours",
			property: Delivery, primitives: []history.Primitive{history.Queue}, kinds: []history.Kind{history.Dequeue},
			match: func(r *record, op *history.Operation, _ *tenure) bool {
				e := r.enqueued(op)
				return e != nil && e.Object != op.Object && strings.HasPrefix(e.Object, op.Object)
			},
		},
		{
			issue:    "priority-queue-takes-first-event",
			property: Linearizable, primitives: []history.Primitive{history.PriorityQueue}, kinds: []history.Kind{history.Dequeue},
			match: func(r *record, op *history.Operation, _ *tenure) bool {
				life := r.itemOf(op)
				return op.Outcome == history.Ok && life != nil && r.log.Latest(life.Create) >= op.Call
			},
		},
		{
			issue:    "barrier-pass-while-blocked",
			property: Passage, also: []string{Linearizable},
			primitives: []history.Primitive{history.Barrier}, kinds: []history.Kind{history.Pass},
			match: func(r *record, op *history.Operation, _ *tenure) bool { return r.compacted(op.Call, r.ended(op)) },
		},
		{
			issue:    "double-barrier-enters-alone",
			property: Passage, also: []string{Linearizable},
			primitives: []history.Primitive{history.DoubleBarrier}, kinds: []history.Kind{history.Enter},
			match: func(r *record, op *history.Operation, _ *tenure) bool { return r.compacted(op.Call, r.ended(op)) },
		},
		{
			issue:    "double-barrier-late-sign",
			property: Passage, also: []string{Linearizable},
			primitives: []history.Primitive{history.DoubleBarrier}, kinds: []history.Kind{history.Enter},
			match: heedsALateSign,
		},
		{
			issue:    "double-barrier-enters-without-key",
			property: Passage, primitives: []history.Primitive{history.DoubleBarrier}, kinds: []history.Kind{history.Enter},
			match: func(r *record, op *history.Operation, t *tenure) bool {
				return t != nil && r.deletedBy(t.Life) == causeLease &&
					r.log.Earliest(t.Delete) <= op.Return && r.log.Latest(t.Delete) >= op.Call
			},
		},
		{
			issue:    "double-barrier-leave-spins",
			property: Contract, primitives: []history.Primitive{history.DoubleBarrier}, kinds: []history.Kind{history.Leave},
			match: func(r *record, op *history.Operation, _ *tenure) bool {
				return !op.Panicked && r.spins(op) && r.compacted(0, r.ended(op))
			},
		},
	}
}

// heedsALateSign is true if the sign that all have come was put during a call
// while fewer were there than have to be, and an earlier enter of another session,
// whose outcome is not known, can have put it.
func heedsALateSign(r *record, op *history.Operation, _ *tenure) bool {
	ob := r.objects[objectID{op.Subject, op.Object}]
	at := slices.IndexFunc(r.subjects, func(s *subject) bool { return s.Name == op.Subject })
	if ob == nil || r.log == nil || at < 0 {
		return false
	}
	s, sign := r.subjects[at], r.h.Header.ObjectPrefix(op.Subject, op.Object)+"/ready"
	for i := range ob.tenures {
		if ob.tenures[i].Key != sign {
			continue
		}
		for _, put := range ob.tenures[i].Values {
			if r.log.Earliest(put.Revision) <= r.ended(op) && r.log.Latest(put.Revision) >= op.Call && r.membersAt(s, ob, put.Revision) < max(s.Permits, 1) &&
				slices.ContainsFunc(ob.operations, func(before *history.Operation) bool {
					return before.Kind == history.Enter && before.Lease != op.Lease && before.Outcome != history.Ok && before.Outcome != history.Fail &&
						before.Call <= r.log.Latest(put.Revision) && before.Call < op.Call
				}) {
				return true
			}
		}
	}
	return false
}

// membersAt is how many members' keys were there at a revision.
func (r *record) membersAt(s *subject, ob *object, revision int64) int {
	n := 0
	for i := range ob.tenures {
		if t := &ob.tenures[i]; t.Create <= revision && (t.Delete == 0 || t.Delete > revision) && r.isMember(s, ob, t.Life) {
			n++
		}
	}
	return n
}

// compacted is true if the store may have been compacted within an interval:
// also by a compaction that could not be proved, which may have happened still.
func (r *record) compacted(from, to time.Duration) bool {
	for i := range r.h.Faults {
		if f := &r.h.Faults[i]; f.Kind == "compact" && f.From <= to && (f.To == 0 || f.To >= from) {
			return true
		}
	}
	return false
}

// enqueued returns the enqueue of the item that a dequeue returned, wherever it
// was enqueued, or nil.
func (r *record) enqueued(op *history.Operation) *history.Operation {
	if op.Value == "" {
		return nil
	}
	for _, s := range r.subjects {
		if s.Name == op.Subject {
			return s.enqueues(history.Ok, history.Info, history.Pending)[op.Value]
		}
	}
	return nil
}

// enqueues are the subject's enqueues by value that ended in one of some ways.
func (s *subject) enqueues(outcomes ...history.Outcome) map[string]*history.Operation {
	by := make(map[string]*history.Operation)
	for _, op := range s.operations {
		if op.Kind != history.Enqueue {
			continue
		}
		for _, o := range outcomes {
			if op.Outcome == o {
				by[op.Value] = op
			}
		}
	}
	return by
}

// itemOf is the life of the item that a dequeue returned, or nil.
func (r *record) itemOf(op *history.Operation) *history.Life {
	ob := r.objects[objectID{op.Subject, op.Object}]
	if ob == nil || op.Value == "" {
		return nil
	}
	for i := range ob.tenures {
		if life := ob.tenures[i].Life; life.Values[0].Value == op.Value {
			return life
		}
	}
	return nil
}

// spinLimit is how many requests one call may make while nothing changes, and
// spinRate how many more for each second, for the session is kept alive on the
// same links.
const (
	spinLimit = 50
	spinRate  = 10
)

// spins is true if a call that waits made more requests than its wait explains.
// Where a fault lasted meanwhile nothing is concluded: a client tries again what
// was refused. A compaction refuses nothing that is asked rightly.
func (r *record) spins(op *history.Operation) bool {
	if !op.Kind.Waits() || op.Kind.Acquires() {
		return false
	}
	end := r.ended(op)
	if op.Requests <= spinLimit+int64(spinRate*(end-op.Call).Seconds()) {
		return false
	}
	for i := range r.h.Faults {
		if f := &r.h.Faults[i]; f.Kind != "compact" && f.From <= end && (f.To == 0 || f.To >= op.Call) {
			return false
		}
	}
	ob := r.objects[objectID{op.Subject, op.Object}]
	if ob == nil || r.log == nil || !r.seesAllBy(r.log.Start, end) {
		return false
	}
	return r.changes(ob, op.Call, end) < 5
}

// changes is how many changes of an object's keys may have happened within an
// interval.
func (r *record) changes(ob *object, from, to time.Duration) int {
	n := 0
	within := func(revision int64) {
		if revision != 0 && r.log.Earliest(revision) <= to && r.log.Latest(revision) >= from {
			n++
		}
	}
	for i := range ob.tenures {
		for _, v := range ob.tenures[i].Values {
			within(v.Revision)
		}
		within(ob.tenures[i].Delete)
	}
	return n
}
