package checker

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// observeGrace is how long the final leader must have led, surely and beside
// an open observation, before the harness stopped waiting for that to be seen.
const observeGrace = time.Second

// Observe: an observation never goes back in revision or in leader, delivers
// no value that nobody wrote, does not miss a leader who stays (see unfollowed),
// and, if it is still open when the final phase begins, has delivered the final
// leader's value.
//
// The first two hold at any instant. A value counts as written if the log has
// it, or if the log does not cover it and some campaign or proclamation named
// it. The last is judged only if the leader value had surely stood for a
// second, after the heal and beside the open observation, until the final
// phase: the harness holds a last leader for that. A record that ends before
// the final phase leaves it unknown.
func observe(r *record, s *subject) *judgement {
	if s.Primitive != history.Election {
		return nil
	}
	j := &judgement{}
	applies := false
	observations, events, expected := 0, 0, 0
	for _, ob := range s.objects {
		var open []*history.Operation
		wrote := writers(ob)
		for _, op := range ob.operations {
			if op.Kind != history.Observe {
				continue
			}
			applies = true
			observations++
			if f := r.endedByItself(s, op); f != nil {
				j.findings = append(j.findings, *f)
			}
			events += len(r.observed[op.ID])
			r.backward(s, j, op)
			r.inventedValues(s, ob, j, op, wrote)
			if f := r.unfollowed(s, ob, op); f != nil {
				j.findings = append(j.findings, *f)
			}
			if _, crashed := r.crashed[op.Client]; r.isFinal && !crashed && op.Call < r.final && (!op.Completed() || op.Return > r.final) {
				open = append(open, op)
			}
		}
		j.findings = append(j.findings, r.foreignLeaders(s, ob)...)
		if len(open) == 0 {
			continue
		}
		last, since := r.finalLeader(s, ob)
		if last == nil {
			continue
		}
		for _, op := range open {
			delivered := r.delivered(op, last)
			if !delivered && max(since, op.Call, r.healed)+observeGrace > r.final {
				continue // it had too little time
			}
			expected++
			if !delivered {
				j.findings = append(j.findings, r.unseenLeader(s, ob, op, last, since))
			}
		}
	}
	if !applies && len(j.findings) == 0 {
		return nil
	}
	j.figures = map[string]float64{"observations": float64(observations), "observed": float64(events), "final_expected": float64(expected)}
	j.holds = fmt.Sprintf("%s delivered %s in order and none that was not written; the final leader was due at %d", count(observations, "observation"), count(events, "leader value"), expected)
	switch {
	case !r.isFinal:
		j.unknown = "the record ends before the final phase: whether observers saw the final leader was not seen"
	case events == 0:
		j.vacuous = "nothing was observed"
	}
	return j
}

// backward finds where one observation went back.
func (r *record) backward(s *subject, j *judgement, op *history.Operation) {
	var revision, leader *history.Event
	for _, e := range r.observed[op.ID] {
		if revision != nil && e.Revision != 0 && e.Revision < revision.Revision {
			from := revision
			j.findings = append(j.findings, observeFinding(s, op, from.Time, e.Time, "went back in revision", func() string {
				return fmt.Sprintf("%s's observation of %s went back: it delivered %q at rev %d (%s) after %q at rev %d (%s)",
					op.Client, history.Called(op.Object), e.Value, e.Revision, at(e.Time), from.Value, from.Revision, at(from.Time))
			}))
		} else if e.Revision != 0 {
			revision = e
		}
		if leader != nil && e.Token != 0 && e.Token < leader.Token {
			from := leader
			f := observeFinding(s, op, from.Time, e.Time, "went back to an older leader", func() string {
				return fmt.Sprintf("%s's observation of %s went back to an older leader: it delivered %q (key rev %d) at %s after %q (key rev %d) at %s",
					op.Client, history.Called(op.Object), e.Value, e.Token, at(e.Time), from.Value, from.Token, at(from.Time))
			})
			j.findings = append(j.findings, f)
		} else if e.Token != 0 {
			leader = e
		}
	}
}

// writers maps the values that campaigns and proclamations of an object named
// to the first of their calls, whatever came of them.
func writers(ob *object) map[string]time.Duration {
	wrote := make(map[string]time.Duration)
	for _, op := range ob.operations {
		if op.Kind != history.Campaign && op.Kind != history.Proclaim && op.Kind != history.Resume {
			continue
		}
		if _, known := wrote[op.Value]; !known {
			wrote[op.Value] = op.Call
		}
	}
	return wrote
}

// inventedValues finds what one observation delivered and nobody had written.
func (r *record) inventedValues(s *subject, ob *object, j *judgement, op *history.Operation, wrote map[string]time.Duration) {
	for _, e := range r.observed[op.ID] {
		ok, judged := r.wasPut(ob, e)
		if !judged {
			call, named := wrote[e.Value]
			ok = named && call <= e.Time
		}
		if ok || r.foreign(s, ob, e.Key) {
			continue
		}
		j.findings = append(j.findings, observeFinding(s, op, e.Time, e.Time, "value that was never put", func() string {
			key := ""
			if e.Token != 0 {
				key = fmt.Sprintf(" by key rev %d", e.Token)
			}
			return fmt.Sprintf("%s's observation of %s delivered %q at %s (rev %d), which was never put%s", op.Client, history.Called(op.Object), e.Value, at(e.Time), e.Revision, key)
		}))
	}
}

// endedByItself is an observation that ended although its context had not,
// while the history below it was compacted: before its end, for of two things at
// one instant either may have come first. Other reasons to end are the subject's
// right: it says so by ending.
func (r *record) endedByItself(s *subject, op *history.Operation) *finding {
	if op.Number != 1 || s.Origin == history.FromUser || !r.struck("compact", op.Call, op.Return-1) {
		return nil
	}
	f := observeFinding(s, op, op.Call, op.Return, "ended by itself after a compaction", func() string {
		return fmt.Sprintf("%s's observation of %s, open since %s, ended at %s by itself and without an error, after the history that it had still to tell was compacted",
			op.Client, history.Called(op.Object), at(op.Call), at(op.Return))
	})
	f.Known = r.knownAs(s, "etcd#18163")
	return &f
}

// foreign is true if a key that an election named is none of its own. Without a
// layout nobody knows which keys are.
func (r *record) foreign(s *subject, ob *object, key string) bool {
	return s.Layout != history.NoLayout && key != "" && !strings.HasPrefix(key, r.h.Header.ObjectPrefix(s.Name, ob.name)+"/")
}

// foreignLeaders finds the answers and observations that named the key of
// another election.
func (r *record) foreignLeaders(s *subject, ob *object) []finding {
	var findings []finding
	add := func(op *history.Operation, key, value string, t time.Duration) {
		f := observeFinding(s, op, op.Call, t, "named a key of another object", func() string {
			return fmt.Sprintf("%s's call of %s on %s was answered at %s with %q and the key %s, which is not a key of %s", op.Client, op.Kind, history.Called(ob.name), at(t), value, key, history.Called(ob.name))
		})
		if strings.HasPrefix(key, r.h.Header.ObjectPrefix(op.Subject, ob.name)) {
			f.Known = r.knownAs(s, "etcd#10297")
		}
		findings = append(findings, f)
	}
	for _, op := range ob.operations {
		if op.Kind == history.Leader && op.Outcome == history.Ok && r.foreign(s, ob, op.Key) {
			add(op, op.Key, op.Value, op.Return)
		}
		for _, e := range r.observed[op.ID] {
			if r.foreign(s, ob, e.Key) {
				add(op, e.Key, e.Value, e.Time)
				break
			}
		}
	}
	return findings
}

// wasPut looks an observed value up in the log; judged is false if the log
// need not have it.
func (r *record) wasPut(ob *object, e *history.Event) (ok, judged bool) {
	if r.log == nil || e.Token == 0 {
		return false, false
	}
	t, _ := ob.identified(e.Key, e.Token)
	if t != nil {
		for i := range t.Values {
			if t.Values[i].Value == e.Value {
				return e.Revision == 0 || t.Values[i].Revision <= e.Revision, true
			}
		}
	}
	if e.Revision != 0 {
		return false, r.covers(e.Token, e.Revision)
	}
	return false, r.seesAllBy(e.Token, e.Time)
}

// finalLeader returns what an observer had to see in the end, and since when
// it had surely been so; nil if that is not certain.
func (r *record) finalLeader(s *subject, ob *object) (*reign, time.Duration) {
	if s.Layout == history.OldestKey && r.log != nil {
		if !r.seesAllBy(r.log.Start, r.final) {
			return nil, 0
		}
		all := r.reigns(ob)
		for i := len(all) - 1; i > 0; i-- {
			if all[i].earliest >= r.final {
				continue
			}
			if all[i].create == 0 || all[i].latest > r.final {
				return nil, 0
			}
			return &all[i], all[i].latest
		}
		return nil, 0
	}
	// Without the log: the one leader who still believed, if no word of it is
	// in doubt, nor that its session lasted.
	var leader *history.Hold
	for i := range ob.holds {
		if h := &ob.holds[i]; h.Start < r.final && h.End >= r.final {
			if leader != nil {
				return nil, 0
			}
			leader = h
		}
	}
	if leader == nil || r.sessionEnded(leader.Client, leader.Lease, r.final) {
		return nil, 0
	}
	last := r.h.Operation(leader.Acquire)
	for _, op := range ob.operations {
		if op.Kind != history.Proclaim || op.Hold != leader.Acquire || op.Call >= r.final {
			continue
		}
		if op.Outcome != history.Fail && (op.Outcome != history.Ok || op.Return > r.final) {
			return nil, 0
		}
		if op.Outcome == history.Ok && op.Call >= last.Return {
			last = op
		}
	}
	return &reign{value: last.Value, create: leader.Token}, last.Return
}

// sessionEnded is true if by time t something had ended a client's session, or
// begun to, or told the client that it is over.
func (r *record) sessionEnded(client string, lease int64, t time.Duration) bool {
	if lease == 0 {
		return false
	}
	end, ended := r.leaseEnds[lease]
	if ended && end.earliest <= t {
		return true
	}
	before := func(told time.Duration) bool { return told <= t }
	return slices.ContainsFunc(r.lost[membership{client, lease}], before) ||
		slices.ContainsFunc(r.closings, func(op *history.Operation) bool { return op.Lease == lease && op.Call <= t })
}

func (r *record) delivered(op *history.Operation, last *reign) bool {
	for _, e := range r.observed[op.ID] {
		if e.Value == last.value && (e.Token == 0 || last.create == 0 || e.Token == last.create) {
			return true
		}
	}
	return false
}

func (r *record) unseenLeader(s *subject, ob *object, op *history.Operation, last *reign, since time.Duration) finding {
	f := observeFinding(s, op, since, r.final, "final leader not delivered", func() string {
		text := fmt.Sprintf("%s's observation of %s, open since %s, had not delivered the final leader %q at %s, which had led since %s",
			op.Client, history.Called(op.Object), at(op.Call), last.value, at(r.final), at(since))
		if events := r.observed[op.ID]; len(events) > 0 {
			text += fmt.Sprintf("; the last it delivered was %q at %s", events[len(events)-1].Value, at(events[len(events)-1].Time))
		}
		return text
	})
	for i := range ob.holds {
		if h := &ob.holds[i]; last.create != 0 && h.Token == last.create {
			f.Witness = append(f.Witness, h.Acquire)
			break
		}
	}
	return f
}

func observeFinding(s *subject, op *history.Operation, from, to time.Duration, cause string, tell func() string) finding {
	f := finding{tell: tell}
	f.Violation = Violation{Blame: s.culprit(), Call: op.Kind, Cause: cause, Witness: []int64{op.ID}, From: from, To: to, Object: op.Object}
	return f
}
