package checker

import (
	"fmt"
	"sort"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// A stray is a key on a client's living session that the client does not know
// of: the only call that can have made it did not report success. While its
// session lives, etcd keeps it; when its turn comes it owns the object, and
// nobody can give it up. A later acquire of the session may take it over: it is a
// stray until then.
//
// Calls of one session on one object come one after another in random rounds,
// and where a script makes them run at once, every one of them that may have
// made the key is asked: the key is a stray only if none succeeded.

// stray is such a key and the call that left it.
type stray struct {
	*tenure
	maker *history.Operation
	// until is when it may have been gone, or taken over.
	until time.Duration
}

// strays finds the keys of an object that failed calls left on living sessions.
func (r *record) strays(ob *object) []stray { return r.straysBy(ob, history.Never) }

// straysBy finds those whose calls had failed by time t. Who had not been answered
// by then has made one key at the most: of several that can be its own it is the
// newest, or it would not wait for the others.
func (r *record) straysBy(ob *object, by time.Duration) []stray {
	if r.log == nil || !ob.failed {
		return nil
	}
	leases, claimed := makersOf(ob)
	newest := make(map[int64]int64) // keys, by lease
	for i := range ob.tenures {
		newest[ob.tenures[i].Lease] = ob.tenures[i].Create
	}
	var found []stray
	for i := range ob.tenures {
		t := &ob.tenures[i]
		m := leases[t.Lease]
		if m == nil || m.nameless || !m.failed {
			continue
		}
		made := func(op *history.Operation) bool {
			return by == history.Never || op.Completed() && op.Return <= by || t.Create == newest[t.Lease]
		}
		maker, _ := r.maker(t, m, made)
		if maker == nil || maker.Return > by {
			continue
		}
		until := r.log.Earliest(t.gone)
		if call, taken := claimed[t.Create]; taken {
			until = min(until, call)
		}
		found = append(found, stray{t, maker, until})
	}
	return found
}

// makersOf sorts the acquires of an object by lease; claimed says by create
// revision when the first acquire was called that says it owns the key.
func makersOf(ob *object) (leases map[int64]*makers, claimed map[int64]time.Duration) {
	if ob.makers != nil {
		return ob.makers, ob.claimed
	}
	leases, claimed = make(map[int64]*makers), make(map[int64]time.Duration)
	ob.makers, ob.claimed = leases, claimed
	for _, op := range ob.acquires {
		if op.Lease == 0 {
			continue
		}
		m := leases[op.Lease]
		if m == nil {
			m = &makers{}
			leases[op.Lease] = m
		}
		m.add(op)
		if op.Outcome == history.Ok && op.Token != 0 {
			if call, taken := claimed[op.Token]; !taken || op.Call < call {
				claimed[op.Token] = op.Call
			}
		}
	}
	return leases, claimed
}

// makers are the acquires of one object on one lease, by their calls.
type makers struct {
	// known returned with success or without effect. The others may take effect
	// after they returned.
	known   []made
	unknown []*history.Operation
	// nameless is true if one succeeded and did not say which key it owns, and
	// failed if one did not succeed.
	nameless, failed bool
}

// made is a call that returned; by is the latest return up to it.
type made struct {
	*history.Operation
	by time.Duration
}

func (m *makers) add(op *history.Operation) {
	m.nameless = m.nameless || op.Outcome == history.Ok && op.Token == 0
	m.failed = m.failed || op.Outcome != history.Ok
	if op.Outcome != history.Ok && op.Outcome != history.Fail {
		m.unknown = append(m.unknown, op)
		return
	}
	last := op.Return
	if n := len(m.known); n > 0 {
		last = max(last, m.known[n-1].by)
	}
	m.known = append(m.known, made{op, last})
}

// maker returns the call that made a key and reported no success, or nil if one
// that succeeded may have made it: one that says which key it owns has made that
// one, and then sole is false. Of a call that runs, or that a crash cut off,
// nothing was told. Of several of one client whose outcome is not known it is the
// last that may have made the key, and sole is false, too; of several clients'
// that share a session nobody knows whose it is. Of these only those count that
// counts says.
func (r *record) maker(t *tenure, m *makers, counts func(*history.Operation) bool) (maker *history.Operation, sole bool) {
	earliest, latest := r.log.Earliest(t.Create), r.log.Latest(t.Create)
	sole = true
	for _, op := range m.unknown {
		switch {
		case op.Call > latest || !counts(op):
			continue
		case !op.Completed() || maker != nil && maker.Client != op.Client:
			return nil, false
		}
		sole = maker == nil
		maker = op
	}
	last := sort.Search(len(m.known), func(k int) bool { return m.known[k].Call > latest }) - 1
	for ; last >= 0 && m.known[last].by >= earliest; last-- {
		op := m.known[last].Operation
		if op.Return < earliest {
			continue
		}
		if op.Outcome == history.Ok && op.Token != t.Create {
			sole = false
			continue
		}
		if op.Outcome == history.Ok || maker != nil {
			return nil, false
		}
		maker = op
	}
	return maker, sole
}

// mayHaveMade is true if a call may have made a key. Of one whose outcome is not
// known it may have been after its return.
func (r *record) mayHaveMade(op *history.Operation, t *tenure) bool {
	known := op.Outcome == history.Ok || op.Outcome == history.Fail
	return op.Call <= r.log.Latest(t.Create) && !(known && op.Return < r.log.Earliest(t.Create))
}

// left judges what the strays of an object did: a release or resignation that
// was told there is nothing to give up, or that all was given up, while the key
// stood there; a proclamation that was told its client does not lead while its
// key led; and requests of others that ran out of patience behind a key that
// nobody believed in. Only what the stray's own client did without a hold was
// about that key.
func (r *record) left(s *subject, ob *object) []finding {
	var findings []finding
	for _, stray := range r.strays(ob) {
		told := false
		after := sort.Search(len(ob.operations), func(k int) bool { return ob.operations[k].Call > stray.maker.Return })
		for _, op := range ob.operations[after:] {
			if op.Call >= stray.until {
				break
			}
			if op.Lease != stray.Lease || op.Client != stray.maker.Client || r.holdOf(op.Hold) != nil || op.Call <= stray.maker.Return || !op.Completed() || op.Outcome == history.Info ||
				r.log.Latest(stray.Create) >= op.Call || stray.until <= op.Return {
				continue
			}
			switch {
			case op.Kind.Releases():
				told = true
				findings = append(findings, r.toldNothingLeft(s, ob, stray, op))
			case op.Kind == history.Proclaim && op.Outcome == history.Fail && r.log.Latest(stray.owns) < op.Call:
				findings = append(findings, r.toldNotLeading(s, ob, stray, op))
			}
		}
		if waiter := r.keptOut(ob, stray); waiter != nil && !told {
			findings = append(findings, r.ghost(s, ob, stray, waiter))
		}
	}
	return findings
}

// keptOut returns a request of another session that waited in vain for a while
// behind a stray that owned the object, and to which nothing happened that would
// have ended it. A client that a fault kept from etcd could not clean up.
func (r *record) keptOut(ob *object, g stray) *history.Operation {
	const least = 500 * time.Millisecond // and the log's bounds are closer than that
	from := max(g.maker.Return, r.log.Latest(g.owns))
	if g.until-least < from || !r.sessionLives(g.Lease, from) {
		return nil
	}
	for _, op := range ob.operations {
		gone := min(g.until, op.Return)
		if op.Deadline == 0 && r.keptLong(op, g, from, gone) {
			return op
		}
		if op.Kind != history.Acquire && op.Kind != history.Campaign || op.Lease == g.Lease || g.mode == history.ReadMode && op.Mode == history.ReadMode || !op.Completed() || op.Outcome == history.Ok ||
			max(from, op.Call) > gone-least || gone < op.Return-least || op.Deadline == 0 || op.Return < op.Deadline {
			continue
		}
		if r.sessionLives(g.Lease, op.Return) && r.couldCleanUp(g.maker.Client, gone-least) {
			return op
		}
	}
	return nil
}

// keptLong is true of a call that cannot end by itself and waited behind a stray
// for longer than a dead holder could have kept it waiting, from its session's
// death to the lease's end and a grace.
func (r *record) keptLong(op *history.Operation, g stray, from, gone time.Duration) bool {
	session := r.sessions[g.Lease]
	return op.Kind.Acquires() && op.Completed() && op.Lease != g.Lease && !(g.mode == history.ReadMode && op.Mode == history.ReadMode) &&
		session != nil && session.TTL > 0 && gone-max(from, op.Call) > session.TTL+r.o.Grace &&
		r.sessionLives(g.Lease, max(from, op.Call)+r.o.Grace) && r.couldCleanUp(g.maker.Client, max(from, op.Call)+r.o.Grace)
}

// reconnecting is how long a client may take to be back after a fault.
const reconnecting = 2 * time.Second

// couldCleanUp is true if by time t no fault had kept a client from etcd for a
// while.
func (r *record) couldCleanUp(client string, t time.Duration) bool {
	return !r.harmed(client, t-reconnecting, t)
}

// sessionLives is true if until time t nothing had ended the session on a
// lease, or begun to.
func (r *record) sessionLives(lease int64, t time.Duration) bool {
	session := r.sessions[lease]
	if session == nil {
		return false
	}
	if died, dead := r.crashed[session.Client]; dead && died <= t {
		return false
	}
	for _, told := range r.lost[membership{session.Client, lease}] {
		if told <= t {
			return false
		}
	}
	for _, op := range r.closings {
		if op.Lease == lease && op.Call <= t {
			return false
		}
	}
	return true
}

func (r *record) strayFinding(s *subject, ob *object, g stray, op *history.Operation, known, cause string) finding {
	f := finding{}
	f.Violation = Violation{Blame: s.culprit(), Call: op.Kind, Cause: fmt.Sprintf("%s a key left by a failed %s", cause, g.maker.Kind), Witness: []int64{g.maker.ID, op.ID}, From: op.Call, To: op.Return, Object: ob.name}
	f.Known = r.knownAs(s, known)
	return f
}

// origin tells how the stray came to be.
func (r *record) origin(g stray) string {
	return fmt.Sprintf("%s's %s of %s, called at %s, had failed at %s and left its key, %s",
		g.maker.Client, g.maker.Kind, history.Called(g.maker.Object), at(g.maker.Call), at(g.maker.Return), r.revision(g.Create))
}

// blockedBy returns a stray for which a request waits that had not succeeded by
// time t, or for which another waits that goes before it: one that was there
// before the request's key, or its call if it has none, and until then.
func (r *record) blockedBy(ob *object, op *history.Operation, t time.Duration) *stray {
	if r.log == nil {
		return nil
	}
	var own *tenure
	for i := range ob.tenures {
		if k := &ob.tenures[i]; k.Lease == op.Lease && r.log.Earliest(k.Create) >= op.Call && r.log.Latest(k.Create) <= r.ended(op) {
			own = k
		}
	}
	excludes := func(a, b history.Mode) bool { return a != history.ReadMode || b != history.ReadMode }
	stays := func(k *tenure) bool {
		before := r.log.Latest(k.Create) < op.Call
		if own != nil {
			before = k.Create < own.Create
		}
		return before && r.log.Earliest(k.gone) >= t
	}
	strays := r.straysBy(ob, t)
	for i := range strays {
		g := &strays[i]
		if g.maker == op || g.until < t || !stays(g.tenure) {
			continue
		}
		if excludes(g.mode, op.Mode) {
			return g
		}
		for k := range ob.tenures {
			if between := &ob.tenures[k]; between.Create > g.Create && excludes(between.mode, op.Mode) && stays(between) {
				return g
			}
		}
	}
	return nil
}

func (r *record) toldNothingLeft(s *subject, ob *object, g stray, op *history.Operation) finding {
	f := r.strayFinding(s, ob, g, op, r.lostAcquire(s, g), "told of nothing to give up beside")
	f.To = max(op.Return, min(r.log.Earliest(g.gone), r.h.End))
	f.tell = func() string {
		what := "that there was nothing to give up"
		if op.Outcome == history.Ok {
			what = "that all was well"
		}
		return fmt.Sprintf("%s; its %s was told at %s %s, and the key was still there at %s",
			r.origin(g), op.Kind, at(op.Return), what, at(r.log.Earliest(g.gone)))
	}
	return f
}

func (r *record) toldNotLeading(s *subject, ob *object, g stray, op *history.Operation) finding {
	f := r.strayFinding(s, ob, g, op, "proclaim-after-lost-answer", "told that it does not lead by")
	f.From = min(op.Call, r.log.Latest(g.owns))
	f.tell = func() string {
		return fmt.Sprintf("%s; its proclaim was told at %s that it does not lead, and its key had led since %s",
			r.origin(g), at(op.Return), r.revision(g.owns))
	}
	return f
}

func (r *record) ghost(s *subject, ob *object, g stray, waiter *history.Operation) finding {
	f := r.strayFinding(s, ob, g, waiter, r.lostAcquire(s, g), "kept out by")
	f.From = max(waiter.Call, r.log.Earliest(g.owns))
	f.tell = func() string {
		until := "until it gave up"
		if waiter.Deadline == 0 {
			until = "and returned"
		}
		return fmt.Sprintf("%s; that key owned %s from %s on, nobody believed in it, and %s's %s, called at %s, waited behind it %s at %s",
			r.origin(g), history.Called(ob.name), r.revision(g.owns), waiter.Client, waiter.Kind, at(waiter.Call), until, at(waiter.Return))
	}
	return f
}

// lostAcquire names the defect of etcd's that left a stray, or "".
func (r *record) lostAcquire(s *subject, g stray) string {
	created := r.log.Earliest(g.Create)
	switch {
	case g.maker.Kind == history.Campaign && r.struck("compact", created, g.maker.Return) && g.maker.Return < g.maker.Deadline:
		return "etcd#21128"
	case !r.harmed(g.maker.Client, g.maker.Call, g.maker.Return) && !r.unanswered(g):
		return ""
	case g.maker.Kind == history.Campaign:
		return "lost-campaign-keeps-key"
	case g.maker.Kind == history.TryAcquire && s.Primitive == history.Mutex:
		return "try-lock-ghost"
	case g.maker.Kind == history.Acquire && s.Primitive == history.Mutex:
		return "lost-lock-keeps-key"
	case g.maker.Kind == history.Acquire && s.Primitive == history.RWMutex:
		return "lost-rwlock-keeps-key"
	}
	return ""
}

// unanswered is true if the call that left a stray ended with its context before
// it had gone on to a second request, and so soon after the key was made that the
// answer to its first one may have been on its way: it was lost without a fault.
func (r *record) unanswered(g stray) bool {
	m := g.maker
	return m.Requests == 1 && m.Deadline != 0 && m.Return >= m.Deadline && r.log.Latest(g.Create)+settled > m.Deadline
}

// struck is true if a fault of a kind had its effect within an interval.
func (r *record) struck(kind string, from, to time.Duration) bool {
	for i := range r.h.Faults {
		if f := &r.h.Faults[i]; f.Kind == kind && f.Verified && f.From <= to && f.To >= from {
			return true
		}
	}
	return false
}
