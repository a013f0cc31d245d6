package checker

import (
	"fmt"

	"github.com/etcd-holdfast/holdfast/history"
)

// polls is an acquire of a read-write lock that asked again and again while it
// waited: far more often than the object changed, and than a connection that is
// lost once a second has to be made anew. It is looked for where a compaction
// was, after which a watch of what it took away ends at once each time. A lock of
// a user's own may ask on a rhythm by design: that is not judged.
func (r *record) polls(s *subject, op *history.Operation) *finding {
	if r.log == nil || s.Primitive != history.RWMutex || s.Origin == history.FromUser || !op.Kind.Acquires() || !op.Completed() || !r.struck("compact", op.Call, op.Return) {
		return nil
	}
	ob := r.objects[objectID{s.Name, op.Object}]
	if ob == nil {
		return nil
	}
	changes := int64(0)
	for i := range ob.tenures {
		for _, revision := range []int64{ob.tenures[i].Create, ob.tenures[i].Delete} {
			if revision != 0 && r.log.Earliest(revision) <= op.Return && r.log.Latest(revision) >= op.Call {
				changes++
			}
		}
	}
	if op.Requests <= 10+4*changes+2*int64((op.Return-op.Call).Seconds()) {
		return nil
	}
	f := r.breach(s, op, op.Return, "asked again and again after a compaction", func() string {
		return fmt.Sprintf("%s's %s of %s, called at %s, had sent %d requests when it returned at %s, while %s changed %d times: it asked again and again after a compaction",
			op.Client, op.Kind, history.Called(op.Object), at(op.Call), op.Requests, at(op.Return), history.Called(op.Object), changes)
	})
	f.Known = r.knownAs(s, "rwmutex-waiter-spins")
	return &f
}
