package checker

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// unfollowed finds an observation that did not show a leader although it was open
// for longer than the grace while that one led, and at the end of that time, for
// as long as the grace, its client was awake and nothing was harmed. It is a
// watch that has missed something: nobody can tell it from a leader who stays.
// A user's subject may look at its own pace.
func (r *record) unfollowed(s *subject, ob *object, op *history.Operation) *finding {
	if r.log == nil || s.Layout != history.OldestKey || s.Origin == history.FromUser {
		return nil
	}
	end := r.ended(op)
	if !r.seesAllBy(r.log.Start, end) {
		return nil
	}
	all := r.reigns(ob)
	for i := 1; i < len(all); i++ {
		g, to := &all[i], end
		if i+1 < len(all) {
			to = min(to, all[i+1].earliest)
		}
		from := max(g.latest, op.Call)
		if g.create == 0 || to-from <= r.o.Grace || r.awake(op.Client, to-r.o.Grace, to) < r.o.Grace || r.harmed(op.Client, to-r.o.Grace, to) || r.showed(op, g, to) {
			continue
		}
		return r.unseen(s, op, g, from, to)
	}
	return nil
}

// showed is true if an observation delivered a leader, or anything later, by t.
func (r *record) showed(op *history.Operation, g *reign, t time.Duration) bool {
	return slices.ContainsFunc(r.observed[op.ID], func(e *history.Event) bool {
		return e.Time <= t && (e.Revision >= g.from || e.Token > g.create || e.Token == g.create && e.Value == g.value || e.Token == 0 && e.Value == g.value)
	})
}

func (r *record) unseen(s *subject, op *history.Operation, g *reign, from, to time.Duration) *finding {
	var last *history.Event
	for _, e := range r.observed[op.ID] {
		if e.Time <= to {
			last = e
		}
	}
	missed, known := int64(0), ""
	if last != nil {
		missed, known = r.compactedEnd(s, op, last)
	}
	f := observeFinding(s, op, from, to, "a leader who stayed was not delivered", func() string {
		text := fmt.Sprintf("%s's observation of %s, open since %s, had not delivered the leader %q at %s, which had led since %s",
			op.Client, history.Called(op.Object), at(op.Call), g.value, at(to), at(from))
		if last != nil {
			text += fmt.Sprintf("; the last it delivered was %q at %s", last.Value, at(last.Time))
		}
		if missed != 0 {
			text += fmt.Sprintf(", whose key was deleted at rev %d, and up to there, with that revision left, the history was compacted: its watch was not told", missed)
		}
		return text
	})
	if missed != 0 {
		f.Blame, f.Cause, f.Known = BlameServer, "not told of a deletion at the compacted revision", known
	}
	return &f
}

// compactedEnd is the revision at which the key of a leader who was observed was
// deleted, if the history was compacted to just that revision while the
// observation was open, and the issue that describes it: etcd has to keep what
// happened there. Else it is zero.
func (r *record) compactedEnd(s *subject, op *history.Operation, e *history.Event) (revision int64, issue string) {
	ob := r.objects[objectID{op.Subject, op.Object}]
	t, _ := ob.identified(e.Key, e.Token)
	if t == nil || t.Delete == 0 {
		return 0, ""
	}
	for i := range r.h.Faults {
		f := &r.h.Faults[i]
		if f.Kind != "compact-here" || !f.Verified || f.From < op.Call || f.Target != fmt.Sprintf("revision %d", t.Delete) {
			continue
		}
		// Over a restart it is another way in which the deletion is lost.
		restarted := slices.ContainsFunc(r.h.Faults, func(later history.Fault) bool {
			return later.Verified && later.From >= f.From && later.From <= r.ended(op) && strings.Contains(later.Kind, "member") && later.Kind != "stall-member"
		})
		if restarted {
			return t.Delete, r.knownAs(s, "etcd#19179")
		}
		return t.Delete, r.knownAs(s, "etcd#18089")
	}
	return 0, ""
}
