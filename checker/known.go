package checker

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// knownAs is issue if the subject is etcd's own and the issue is accepted as
// known, else "".
func (r *record) knownAs(s *subject, issue string) string {
	if s.Origin != history.FromEtcd || r.o.Known != nil && !slices.Contains(r.o.Known, issue) {
		return ""
	}
	return issue
}

// mechanism is a known upstream defect: how to recognise it, not just where it
// shows. Only subjects that are etcd's own can have one, and a user's that is
// built on them.
type mechanism struct {
	issue string
	// primitives and kinds are where it lives, property what it breaks, and also
	// what else shows it.
	property   string
	also       []string
	primitives []history.Primitive
	kinds      []history.Kind
	// uncorrected is true if it is not for a user who builds on the recipe to
	// mend.
	uncorrected bool
	// match looks at the cause.
	match func(r *record, op *history.Operation, t *tenure) bool
}

func mechanisms() []mechanism {
	return slices.Concat(lockMechanisms(), meetingMechanisms())
}

func lockMechanisms() []mechanism {
	return []mechanism{
		{
			issue:      "etcd#19597",
			property:   Ownership,
			primitives: []history.Primitive{history.Election}, kinds: []history.Kind{history.Campaign},
			match: lostItsKeyWaiting,
		},
		{
			issue:      "etcd#16221",
			property:   Ownership,
			primitives: []history.Primitive{history.RWMutex}, kinds: []history.Kind{history.Acquire},
			match: lostItsKeyWaiting,
		},
		{
			issue:      "etcd#11456",
			property:   Ownership,
			primitives: []history.Primitive{history.Mutex}, kinds: []history.Kind{history.Acquire},
			// The server's: the client's own Lock of this version looks.
			match: func(r *record, op *history.Operation, t *tenure) bool {
				return op.Subject == lockService && lostItsKeyWaiting(r, op, t)
			},
		},
		{
			issue:      "etcd#18082",
			property:   Contract,
			primitives: []history.Primitive{history.Mutex, history.Election, history.Service}, kinds: []history.Kind{history.Acquire, history.Campaign},
			uncorrected: true,
			match: func(r *record, op *history.Operation, _ *tenure) bool {
				return !op.Panicked && r.harmed(op.Client, op.Call, r.ended(op))
			},
		},
		{
			issue:    "late-resign-deletes-key",
			property: Ownership, also: []string{Exclusion},
			primitives: []history.Primitive{history.Election}, kinds: []history.Kind{history.Campaign},
			match: resignedByAnEarlierCall,
		},
		{
			issue:      "v3lock-late-clean-up",
			property:   Exclusion,
			primitives: []history.Primitive{history.Mutex}, kinds: []history.Kind{history.Acquire},
			match: lostItsKeyToAnEarlierCall,
		},
	}
}

// lockService is the subject that is etcd's lock service.
const lockService = "v3lock"

// known returns the issue that describes what happened to op, or "".
func (r *record) known(s *subject, property string, op *history.Operation, t *tenure) string {
	for _, m := range mechanisms() {
		etcds := s.Origin == history.FromEtcd || m.uncorrected && s.Origin == history.FromUser && r.namedByRecipe(s, op)
		if !etcds {
			continue
		}
		if (m.property == property || slices.Contains(m.also, property)) && slices.Contains(m.primitives, s.Primitive) && slices.Contains(m.kinds, op.Kind) &&
			(r.o.Known == nil || slices.Contains(r.o.Known, m.issue)) && m.match(r, op, t) {
			return m.issue
		}
	}
	return ""
}

// namedByRecipe is true if the client had a key on the object during the call
// that is named as etcd's concurrency package names them, after its lease: the
// subject is a user's, on top of etcd's recipe.
func (r *record) namedByRecipe(s *subject, op *history.Operation) bool {
	ob := r.objects[objectID{s.Name, op.Object}]
	if ob == nil || r.log == nil {
		return false
	}
	for i := range ob.tenures {
		life := ob.tenures[i].Life
		if life.Lease != 0 && strings.HasSuffix(life.Key, "/"+strconv.FormatInt(life.Lease, 16)) &&
			(life.Lease == op.Lease || r.owner(life.Lease) == "") &&
			r.log.Earliest(life.Create) <= r.ended(op) && r.log.Latest(life.Create) >= op.Call {
			return true
		}
	}
	return false
}

// lostItsKeyWaiting is true if the lease ended between call and return, and
// took the key before it ever owned.
func lostItsKeyWaiting(r *record, op *history.Operation, t *tenure) bool {
	return t != nil && t.neverOwned() && r.deletedBy(t.Life) == causeLease &&
		r.log.Earliest(t.Delete) <= op.Return && r.log.Latest(t.Delete) >= op.Call
}

// harmed is true if a fault that was seen to have an effect, on the client or on
// members, lasted at some time within an interval.
func (r *record) harmed(client string, from, to time.Duration) bool {
	return slices.ContainsFunc(r.h.Faults, func(f history.Fault) bool {
		onOther := strings.HasPrefix(f.Target, "c") && strings.Split(f.Target, " ")[0] != client
		// In a record that was cut while it lasted its proof is missing, not its harm.
		lasts := f.From != 0 && f.To == 0
		return (f.Verified || lasts) && !onOther && f.From <= to && (f.To == 0 || f.To >= from)
	})
}

// lostItsKeyToAnEarlierCall is true if the key that a hold rests on was made by
// an earlier acquire of the same lease, of unknown outcome, and was deleted, not
// with its lease, after the call of the later acquire and before its client
// called the release.
func lostItsKeyToAnEarlierCall(r *record, op *history.Operation, _ *tenure) bool {
	ob, hold := r.objects[objectID{op.Subject, op.Object}], r.holdOf(op.ID)
	if ob == nil || hold == nil || r.log == nil || op.Key == "" {
		return false
	}
	return slices.ContainsFunc(ob.tenures, func(t tenure) bool {
		if t.Key != op.Key || t.Lease != op.Lease || t.Delete == 0 || r.deletedBy(t.Life) != causeOther ||
			r.log.Latest(t.Create) >= op.Call || r.log.Latest(t.Delete) < op.Call || r.log.Earliest(t.Delete) > hold.End {
			return false
		}
		return slices.ContainsFunc(ob.operations, func(before *history.Operation) bool {
			return before.Kind == history.Acquire && before.Lease == op.Lease && before.Outcome == history.Info &&
				before.Return <= op.Call && before.Call <= r.log.Latest(t.Create)
		})
	})
}

// resignedByAnEarlierCall is true if a campaign goes on with the key of an
// earlier one of its session, or of a resignation, of unknown outcome, and the key
// was deleted, not with its lease, after the later campaign's call and before its
// client stopped believing.
func resignedByAnEarlierCall(r *record, op *history.Operation, t *tenure) bool {
	ob := r.objects[objectID{op.Subject, op.Object}]
	if ob == nil || r.log == nil {
		return false
	}
	if t == nil {
		t, _ = ob.identified(op.Key, op.Token)
	}
	until := op.Return
	if h := r.holdOf(op.ID); h != nil {
		until = max(until, h.End)
	}
	if t == nil || t.Delete == 0 || t.Lease != op.Lease || r.deletedBy(t.Life) != causeOther ||
		r.log.Latest(t.Create) >= op.Call || r.log.Latest(t.Delete) < op.Call || r.log.Earliest(t.Delete) > until {
		return false
	}
	return slices.ContainsFunc(ob.operations, func(before *history.Operation) bool {
		return before.Lease == op.Lease && before.Client == op.Client && before.Outcome == history.Info && before.Return <= op.Call &&
			(before.Kind == history.Campaign && before.Call <= r.log.Latest(t.Create) || before.Kind == history.Resign && before.Token == t.Create)
	})
}
