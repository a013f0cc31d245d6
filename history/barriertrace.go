package history

import "time"

// BarrierTrace returns what the clients of a barrier were told: Block holds,
// Unblock lowers, Pass waits. Positions are nanoseconds of the run.
//
// A Block that was refused is left out: why it was is only in the text of its
// error. So is an Unblock of unknown outcome if the revision log tells that the
// barrier's key was not deleted after its call.
func (h *History) BarrierTrace(subject string) *Trace {
	n := newNumbering()
	s, _ := h.Header.Subject(subject)
	whole := s.Layout == BarrierKeys && h.Revisions != nil && h.reachedBy(h.Revisions)
	deletions := make(map[string]time.Duration) // by object: by when the last had happened
	for i := range h.Operations {
		op := &h.Operations[i]
		if op.Subject != subject || op.Outcome == Fail {
			continue
		}
		switch op.Kind {
		case Block:
			n.add(n.call(op, op.Object, FunctionHold))
		case Pass:
			if op.Outcome == Ok { // else it says nothing
				n.add(n.call(op, op.Object, FunctionWait))
			}
		case Unblock:
			if op.Outcome != Ok && whole && h.Revisions.Covers(h.Revisions.firstAfter(op.Call), h.Revisions.Through) {
				last, looked := deletions[op.Object]
				if !looked {
					last = -1
					for _, l := range h.Revisions.Lives(h.Header.ObjectPrefix(subject, op.Object) + "/") {
						if l.Delete != 0 {
							last = max(last, h.Revisions.Latest(l.Delete))
						}
					}
					deletions[op.Object] = last
				}
				if last < op.Call {
					continue
				}
			}
			n.add(n.call(op, op.Object, FunctionLower))
		}
	}
	return n.trace()
}

// DoubleBarrierTrace returns what the clients of a double barrier were told as
// long as the rule of its model applies, that the n-th Enter of each client is
// together with the n-th of the others: of objects that as many clients work on
// as have to enter, up to the first call whose outcome is not known or whose
// client dies, or until the lease of one may have ended. A call that is under way then is of unknown outcome. One that was
// refused is left out. Positions are nanoseconds of the run.
func (h *History) DoubleBarrierTrace(subject string) *Trace {
	s, _ := h.Header.Subject(subject)
	ends := make(map[string]time.Duration)
	crashed := make(map[string]time.Duration)
	for i := range h.Events {
		if e := &h.Events[i]; e.Kind == Crashed {
			crashed[e.Client] = e.Time
		}
	}
	clients := make(map[string]map[string]bool)
	leaseEnds := h.leaseEnds()
	earlier := func(object string, t time.Duration) {
		if end, ok := ends[object]; !ok || t < end {
			ends[object] = t
		}
	}
	for i := range h.Operations {
		op := &h.Operations[i]
		if op.Subject != subject || op.Kind != Enter && op.Kind != Leave {
			continue
		}
		if clients[op.Object] == nil {
			clients[op.Object] = make(map[string]bool)
		}
		if _, seen := clients[op.Object][op.Client]; !seen {
			clients[op.Object][op.Client] = true
			if len(clients[op.Object]) > s.Permits {
				earlier(op.Object, op.Call)
			}
		}
		if op.Outcome == Info || op.Outcome == Pending {
			earlier(op.Object, op.Call)
		}
		if t, died := crashed[op.Client]; died {
			earlier(op.Object, t)
		}
		if t, ended := leaseEnds(op.Lease); ended {
			earlier(op.Object, t)
		}
	}
	n := newNumbering()
	for i := range h.Operations {
		op := &h.Operations[i]
		end, ends := ends[op.Object]
		if op.Subject != subject || op.Outcome == Fail || ends && op.Call >= end {
			continue
		}
		f := FunctionEnter
		switch op.Kind {
		case Leave:
			f = FunctionLeave
		case Enter:
		default:
			continue
		}
		c := n.call(op, op.Object, f)
		if ends && c.Return >= int64(end) {
			c.Known, c.Return = Unknown, NoReturn
		}
		n.add(c)
	}
	return n.trace()
}

// leaseEnds returns a function that tells before which time a lease surely had
// not ended, and whether there is such a time in the record. Where the log has
// gaps, or there is none, that is the beginning.
func (h *History) leaseEnds() func(lease int64) (time.Duration, bool) {
	if h.Revisions == nil || !h.Revisions.Covers(h.Revisions.Start, h.Revisions.Through) {
		return func(int64) (time.Duration, bool) { return 0, true }
	}
	reach := h.Revisions.Earliest(h.Revisions.Through + 1)
	return func(lease int64) (time.Duration, bool) {
		if e, ok := h.Revisions.LeaseEnd(lease); ok {
			return min(reach, h.Revisions.Earliest(e.Revision)), true
		}
		return reach, true
	}
}
