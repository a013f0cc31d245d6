package checker

import (
	"fmt"

	"github.com/etcd-holdfast/holdfast/history"
)

// spinning is the breach of a call that asks again and again while it waits and
// nothing changes, or nil.
func (r *record) spinning(s *subject, op *history.Operation) *finding {
	if s.Origin == history.FromUser || !r.spins(op) { // a user's own may ask on a rhythm by design
		return nil
	}
	end := r.ended(op)
	f := r.breach(s, op, end, "asked again and again while nothing changed", func() string {
		return fmt.Sprintf("%s's %s of %s, called at %s, made %s until %s while the object's keys changed %d times: it does not wait, it spins",
			op.Client, op.Kind, history.Called(op.Object), at(op.Call), count(op.Requests, "request"), at(end), r.changes(r.objects[objectID{op.Subject, op.Object}], op.Call, end))
	})
	f.Known = r.known(s, Contract, op, nil)
	return &f
}
