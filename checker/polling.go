package checker

import (
	"fmt"

	"github.com/etcd-holdfast/holdfast/history"
)

// A waiter of etcd's read-write lock asks twice for each older key that goes, and
// a few times more where its connection has to be made again: pollLimit, and
// pollRate in each second, are far above that, and below what polling takes.
const (
	pollLimit = 20
	pollRate  = 8
)

// polls is a wait for a lock that asked again and again instead of waiting, since
// the history from which it would have to watch was compacted. A subject of a
// user's may poll.
func (r *record) polls(s *subject, op *history.Operation) *finding {
	ob, end := r.objects[objectID{s.Name, op.Object}], r.ended(op)
	waited := end - op.Call
	if s.Origin == history.FromUser || s.Primitive != history.RWMutex || op.Kind != history.Acquire || r.log == nil || ob == nil ||
		op.Requests < pollLimit+int64(pollRate*waited.Seconds()) || !r.struck("compact", op.Call, end) || !r.seesAllBy(r.log.Start, end) {
		return nil
	}
	gone := int64(0) // keys of the object that may have gone meanwhile
	for i := range ob.tenures {
		if t := &ob.tenures[i]; t.Delete != 0 && r.log.Earliest(t.Delete) <= end && r.log.Latest(t.Delete) >= op.Call {
			gone++
		}
	}
	if op.Requests < pollLimit+2*gone+int64(pollRate*waited.Seconds()) {
		return nil
	}
	f := r.breach(s, op, end, func() string {
		return fmt.Sprintf("%s's %s of %s, called at %s, waited for %s and made %d requests meanwhile, while %s of the object went: the history was compacted, and it watched from where there is none",
			op.Client, op.Kind, ob.name, at(op.Call), span(waited), op.Requests, count(int(gone), "key"))
	})
	f.Known = r.knownAs(s, "rwmutex-waiter-polls")
	return &f
}
