package checker

import (
	"fmt"
	"slices"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// taken finds the holds whose key was deleted by somebody else while the holder
// believed and its lease lived. That nobody came to hold in time to show it, as
// exclusion would, is luck.
//
// The key is the one that the acquire named, and was its own by its create
// revision. It was surely deleted, not by its lease, within the hold, and while a
// call of another client on the object ran that may have done it. Nobody is
// accused where the holder may have done it itself: by a call of unknown outcome
// that was made before, after it told that its session is over, or because another
// client shares its lease or has resumed its leadership.
func (r *record) taken(s *subject, ob *object) []finding {
	if r.log == nil || s.culprit() != BlameSubject || s.permits() > 1 {
		return nil
	}
	var found []finding
	for i := range ob.holds {
		h := &ob.holds[i]
		life := r.lifeOf(h.Key, h.Token)
		if life == nil || h.Mode == history.ReadMode || s.lies[h.Acquire] != nil || r.shared(h.Lease) || r.deletedBy(life) != causeOther ||
			r.log.Earliest(life.Delete) <= h.Start || r.log.Latest(life.Delete) >= h.End || r.isFinal && r.log.Latest(life.Delete) >= r.final ||
			!r.leaseAlive(h.Lease, r.log.Latest(life.Delete)) || r.toldBy(h, r.log.Latest(life.Delete)) {
			continue
		}
		if by := r.takenBy(ob, h, life); by != nil {
			found = append(found, r.taking(s, h, life, by))
		}
	}
	return found
}

// toldBy is true if a holder was told by time t that its session is over: its
// subject may then give up what it held.
func (r *record) toldBy(h *history.Hold, t time.Duration) bool {
	return slices.ContainsFunc(r.lost[membership{h.Client, h.Lease}], func(told time.Duration) bool { return told <= t })
}

// takenBy is the last call of another client that may have deleted the key of a
// hold, a release if there is one; or nil if there is none, or the holder may have
// done it.
func (r *record) takenBy(ob *object, h *history.Hold, life *history.Life) *history.Operation {
	var by *history.Operation
	for _, op := range ob.operations {
		if op.Call > r.log.Latest(life.Delete) {
			break
		}
		if !op.Kind.Releases() && !op.Kind.Acquires() || op.ID == h.Acquire {
			continue
		}
		late := op.Outcome != history.Ok && op.Outcome != history.Fail
		if op.Client == h.Client && (late || r.ended(op) >= r.log.Earliest(life.Delete)) {
			return nil
		}
		if op.Client == h.Client || r.ended(op) < r.log.Earliest(life.Delete) {
			continue
		}
		if op.Key == h.Key && op.Token == h.Token { // it is the other's as well
			return nil
		}
		if by == nil || op.Kind.Releases() || !by.Kind.Releases() {
			by = op
		}
	}
	return by
}

func (r *record) taking(s *subject, h *history.Hold, life *history.Life, by *history.Operation) finding {
	f := finding{}
	f.Violation = Violation{
		Blame: s.culprit(), Call: by.Kind, Cause: "a living holder's key was deleted by another client",
		Witness: []int64{h.Acquire, by.ID}, From: r.log.Earliest(life.Delete), To: h.End, Object: h.Object,
	}
	f.tell = func() string {
		return fmt.Sprintf("%s held %s since %s, and its key (rev %d) was deleted at %s, not by its lease, which lived, nor by itself, who believed until %s: it was while %s's %s ran, called at %s",
			h.Client, history.Called(h.Object), at(h.Start), life.Create, r.revision(life.Delete), at(h.End), by.Client, by.Kind, at(by.Call))
	}
	return f
}
