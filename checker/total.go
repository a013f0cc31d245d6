package checker

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// Total: transfers between accounts take effect once and wholly, and nothing is
// made or lost: every audit, and the store at every revision, has the whole.
//
// The revision log is replayed. A transfer is known by the unique name that it
// writes into both accounts. It took effect at the one revision that has its
// name: there both accounts changed, and each by the amount, from what it was
// right before. So a transfer that was built on an old balance, one that came
// twice, one that was refused and came all the same, and one that was
// acknowledged and never came are each found where they happened, without any
// search; what came of transfers of unknown outcome is in the log. An audit must
// have read balances that the accounts had together at one revision, which
// cannot have been made after its return.
//
// What is judged is what the isolation promises (concurrency/stm.go):
//
//   - serializable-snapshot and serializable: all of that, and an audit is not
//     older than its call: it commits by a linearizable transaction.
//   - repeatable-reads: the same but for age. All that a transaction read is
//     compared when it commits, so that it is serializable as long as no
//     accounts come or go; but the commit of one that only reads is answered by
//     one member, from a state that may be old.
//   - read-committed: nothing is compared. Transfers still take effect once and
//     wholly, and each balance read is one that was committed. Lost updates and
//     sums that are off are what the level permits: they are counted, and no
//     violation.
//
// A subject without a layout is judged by the sums of its audits alone.
func total(r *record, s *subject) *judgement {
	if s.Primitive != history.Bank {
		return nil
	}
	j := &judgement{}
	b := &bank{record: r, subject: s, j: j, weak: s.Promise == history.ReadCommitted}
	for _, ob := range s.objects {
		b.judge(ob)
	}
	j.figures = map[string]float64{
		"transfers": float64(b.acknowledged), "audits": float64(b.audits), "at_once": float64(b.atOnce),
		"unknown_happened": float64(b.happened), "unknown_never": float64(b.never), "unjudged": float64(b.unjudged),
		"lost_updates": float64(b.lostUpdates), "audits_off": float64(b.off), "audits_old": float64(b.old), "off_max": float64(b.offMax),
	}
	j.holds = fmt.Sprintf("each of %s took effect once and wholly, and %s found the whole of %d", count(b.acknowledged, "transfer"), count(b.audits, "audit"), s.Whole)
	if b.weak {
		j.holds = fmt.Sprintf("each of %s took effect once; %s and %s that were off, by up to %d of %d, are what %s permits",
			count(b.acknowledged, "transfer"), count(b.lostUpdates, "lost update"), count(b.off, "audit"), b.offMax, s.Whole, s.Promise)
	}
	if b.unjudged > 0 {
		j.unknown = fmt.Sprintf("%s cannot be judged: the revision log does not cover them", count(b.unjudged, "call"))
	}
	switch {
	case b.acknowledged == 0:
		j.vacuous = "no transfer was acknowledged"
	case b.atOnce == 0:
		j.vacuous = "no two transfers of different clients ran at once: nothing was put to the test"
	}
	return j
}

// bank is the judgement of one bank under way.
type bank struct {
	*record
	subject *subject
	j       *judgement
	weak    bool

	acknowledged, audits, atOnce, happened, never, unjudged, lostUpdates, off, old int
	offMax                                                                         int64
}

// moved is a transfer as its operation describes it.
type moved struct {
	op       *history.Operation
	from, to string
	made     []int64 // the revisions that have its name
}

// books are one object's accounts at one revision after another.
type books struct {
	prefix   string
	balances map[string]int64
	names    []string // of all accounts, once they are known
	// since and states are the revisions at which the balances changed, and what
	// they were then, "" while some account is not known.
	since  []int64
	states []string
	by     map[string][]int // by state: its places
	each   map[string]map[int64]int64
	blind  int // how many gaps were passed
}

func (b *bank) judge(ob *object) {
	transfers := make(map[string]*moved)
	for _, op := range ob.operations {
		if op.Kind != history.Transfer {
			continue
		}
		words := strings.Fields(op.Value)
		if len(words) == 3 {
			transfers[words[2]] = &moved{op: op, from: words[0], to: words[1]}
		}
		if op.Outcome == history.Ok {
			b.acknowledged++
		}
	}
	b.countAtOnce(ob)
	layout := b.subject.Layout == history.AccountKeys
	var k *books
	if layout && b.log != nil {
		k = b.replay(ob, transfers)
		for _, name := range slices.Sorted(maps.Keys(transfers)) {
			b.judgeTransfer(ob, transfers[name])
		}
	} else if layout && b.acknowledged > 0 {
		b.unjudged += b.acknowledged
	}
	for _, op := range ob.operations {
		if op.Kind == history.Audit && op.Outcome == history.Ok {
			b.audits++
			b.judgeAudit(ob, op, k)
		}
	}
}

// countAtOnce counts the transfers during which another client's ran.
func (b *bank) countAtOnce(ob *object) {
	var running []*history.Operation
	for _, op := range ob.operations {
		if op.Kind != history.Transfer {
			continue
		}
		running = slices.DeleteFunc(running, func(o *history.Operation) bool { return b.ended(o) < op.Call })
		if slices.ContainsFunc(running, func(o *history.Operation) bool { return o.Client != op.Client }) {
			b.atOnce++
		}
		running = append(running, op)
	}
}

// found adds a violation.
func (b *bank) found(ob *object, blame Blame, cause string, ops []*history.Operation, from, to time.Duration, tell func() string) {
	f := finding{tell: tell}
	f.Violation = Violation{Blame: blame, Cause: cause, From: from, To: min(to, b.h.End), Object: ob.name}
	for _, op := range ops {
		f.Witness = append(f.Witness, op.ID)
		if f.From == 0 && f.To == 0 {
			f.From, f.To = op.Call, b.ended(op)
		}
	}
	b.j.findings = append(b.j.findings, f)
}

// replay follows the accounts through the log, and judges each revision by the
// transfer whose name it has.
func (b *bank) replay(ob *object, transfers map[string]*moved) *books {
	k := &books{
		prefix: b.h.Header.ObjectPrefix(b.subject.Name, ob.name) + "/", balances: make(map[string]int64),
		by: make(map[string][]int), each: make(map[string]map[int64]int64),
	}
	var at []*history.Change // of one revision
	for i := range b.log.Changes {
		c := &b.log.Changes[i]
		if c.Revision > b.through {
			break
		}
		if !strings.HasPrefix(c.Key, k.prefix) {
			continue
		}
		if len(at) > 0 && at[0].Revision != c.Revision {
			b.revise(ob, k, transfers, at)
			at = at[:0]
		}
		at = append(at, c)
	}
	if len(at) > 0 {
		b.revise(ob, k, transfers, at)
	}
	return k
}

// revise judges the changes of one revision and makes them.
func (b *bank) revise(ob *object, k *books, transfers map[string]*moved, changes []*history.Change) {
	revision := changes[0].Revision
	if blind := b.gapsBefore(revision); blind != k.blind { // what changed meanwhile is not known
		k.blind = blind
		clear(k.balances)
	}
	before := maps.Clone(k.balances)
	var name string
	after := make(map[string]int64)
	for _, c := range changes {
		account := c.Key[len(k.prefix):]
		text, by, _ := strings.Cut(c.Value, " ")
		balance, err := strconv.ParseInt(text, 10, 64)
		switch {
		case c.Deleted:
			balance = 0
		case err != nil:
			b.found(ob, b.subject.culprit(), "a balance that is none", nil, b.log.Earliest(revision), b.log.Latest(revision), func() string {
				return fmt.Sprintf("account %s of %s had %q at %s, which is no balance", account, history.Called(ob.name), c.Value, b.revision(revision))
			})
		}
		if by != "" {
			name = by
		}
		after[account], k.balances[account] = balance, balance
	}
	if k.names == nil {
		k.names = slices.Sorted(maps.Keys(k.balances))
	}
	m := transfers[name]
	wrong := false
	switch {
	case m == nil && name != "":
		wrong = true
		b.found(ob, b.subject.culprit(), "changed by what nobody asked for", nil, b.log.Earliest(revision), b.log.Latest(revision), func() string {
			return fmt.Sprintf("the accounts of %s were changed at %s by %q, which no client asked for", history.Called(ob.name), b.revision(revision), name)
		})
	case m == nil && len(before) > 0:
		wrong = true
		b.found(ob, b.subject.culprit(), "changed by no transfer", nil, b.log.Earliest(revision), b.log.Latest(revision), func() string {
			return fmt.Sprintf("the accounts of %s were changed at %s by no transfer", history.Called(ob.name), b.revision(revision))
		})
	case m != nil:
		m.made = append(m.made, revision)
		if len(m.made) == 1 {
			wrong = b.applied(ob, k, m, revision, before, after)
		}
	}
	b.remember(k, revision, after)
	if sum, known := k.sum(); known && !wrong && !b.weak && sum != b.subject.Whole && (len(before) < len(k.names) || sumOf(before) == b.subject.Whole) {
		b.found(ob, b.subject.culprit(), "the accounts have not the whole", nil, b.log.Earliest(revision), b.log.Latest(revision), func() string {
			return fmt.Sprintf("the accounts of %s had %d together at %s, and %d is the whole", history.Called(ob.name), sum, b.revision(revision), b.subject.Whole)
		})
	}
}

func sumOf(balances map[string]int64) int64 {
	sum := int64(0)
	for _, v := range balances {
		sum += v
	}
	return sum
}

// sum is what all accounts have, and whether all are known.
func (k *books) sum() (int64, bool) {
	return sumOf(k.balances), len(k.balances) >= len(k.names)
}

// remember notes the balances after a revision.
func (b *bank) remember(k *books, revision int64, after map[string]int64) {
	for account, balance := range after {
		if k.each[account] == nil {
			k.each[account] = make(map[int64]int64)
		}
		if _, there := k.each[account][balance]; !there {
			k.each[account][balance] = revision
		}
	}
	state := ""
	if len(k.balances) >= len(k.names) {
		var texts []string
		for _, name := range k.names {
			texts = append(texts, strconv.FormatInt(k.balances[name], 10))
		}
		state = strings.Join(texts, " ")
	}
	k.by[state] = append(k.by[state], len(k.since))
	k.since, k.states = append(k.since, revision), append(k.states, state)
}

func (b *bank) gapsBefore(revision int64) int {
	n := 0
	for _, g := range b.gaps {
		if g.From <= revision {
			n++
		}
	}
	return n
}

// applied judges what a transfer did at its revision. It returns true if it was
// wrong.
func (b *bank) applied(ob *object, k *books, m *moved, revision int64, before, after map[string]int64) bool {
	_, from := after[m.from]
	_, to := after[m.to]
	if !from || !to || len(after) != 2 {
		b.found(ob, b.subject.culprit(), "not wholly, or more than that", []*history.Operation{m.op}, 0, 0, func() string {
			return fmt.Sprintf("%s's transfer of %d from %s to %s, called at %s, changed the accounts %s at %s: it did not take effect wholly, or did more",
				m.op.Client, m.op.Number, m.from, m.to, at(m.op.Call), strings.Join(slices.Sorted(maps.Keys(after)), ", "), b.revision(revision))
		})
		return true
	}
	wrong := false
	for _, side := range []struct {
		account string
		change  int64
	}{{m.from, -m.op.Number}, {m.to, m.op.Number}} {
		had, known := before[side.account]
		has := after[side.account]
		if !known || has == had+side.change {
			if has < 0 && !b.weak && known && had >= 0 {
				wrong = true
				b.found(ob, b.subject.culprit(), "more than the account held", []*history.Operation{m.op}, 0, 0, func() string {
					return fmt.Sprintf("%s's transfer of %d left account %s with %d at %s, although it held too little", m.op.Client, m.op.Number, side.account, has, b.revision(revision))
				})
			}
			continue
		}
		base := has - side.change
		_, committed := k.each[side.account][base]
		if b.weak && (committed || len(b.gaps) > 0) {
			b.lostUpdates++
			continue
		}
		wrong = true
		cause := "built on a balance that never was"
		if committed {
			cause = "built on an older balance"
		}
		b.found(ob, b.subject.culprit(), cause, []*history.Operation{m.op}, 0, 0, func() string {
			text := fmt.Sprintf("%s's transfer of %d from %s to %s, called at %s, wrote %d into account %s at %s, which had %d",
				m.op.Client, m.op.Number, m.from, m.to, at(m.op.Call), has, side.account, b.revision(revision), had)
			if committed {
				return text + ": it was built on an older balance, and an update between them is lost"
			}
			return text + ": it was built on a balance that the account never had"
		})
	}
	return wrong
}

// judgeTransfer compares what a client was told of a transfer with the log.
func (b *bank) judgeTransfer(ob *object, m *moved) {
	op := m.op
	what := func() string {
		return fmt.Sprintf("%s's transfer of %d from %s to %s, called at %s", op.Client, op.Number, m.from, m.to, at(op.Call))
	}
	tell := func(blame Blame, cause string, how func() string) {
		b.found(ob, blame, cause, []*history.Operation{op}, 0, 0, func() string { return what() + ", " + how() })
	}
	switch {
	case len(m.made) == 0 && op.Outcome == history.Ok:
		if op.Revision != 0 && b.covers(op.Revision, op.Revision) || b.seesAllBy(b.log.Start, op.Return) && len(b.gaps) == 0 {
			blame := BlameServer
			if b.subject.Origin != history.FromEtcd {
				blame = BlameSubject
			}
			tell(blame, "acknowledged, and not in the log", func() string {
				return fmt.Sprintf("was acknowledged at %s and is not in the revision log, which covers it: it never took effect", at(op.Return))
			})
		} else {
			b.unjudged++
		}
		return
	case len(m.made) == 0:
		if op.Outcome != history.Fail {
			b.never++
		}
		return
	case op.Outcome == history.Fail:
		tell(b.subject.culprit(), "refused, and took effect", func() string {
			return fmt.Sprintf("was told at %s that nothing was moved, and took effect at %s", at(op.Return), b.revision(m.made[0]))
		})
		return
	case op.Outcome != history.Ok:
		b.happened++
	}
	first := m.made[0]
	switch {
	case len(m.made) > 1:
		tell(b.subject.culprit(), "took effect more than once", func() string {
			return fmt.Sprintf("took effect %d times, at %s and %s", len(m.made), b.revision(first), b.revision(m.made[1]))
		})
	case b.log.Latest(first) < op.Call, op.Outcome == history.Ok && b.log.Earliest(first) > op.Return:
		tell(b.subject.culprit(), "took effect outside of its call", func() string {
			return fmt.Sprintf("and acknowledged at %s, took effect outside of its call, at %s", at(op.Return), b.revision(first))
		})
	case op.Outcome == history.Ok && op.Revision != 0 && op.Revision != first:
		tell(b.subject.culprit(), "told of another revision", func() string {
			return fmt.Sprintf("was told that it made rev %d, and took effect at %s", op.Revision, b.revision(first))
		})
	}
}

// judgeAudit judges one audit; without books, by its sum alone.
func (b *bank) judgeAudit(ob *object, op *history.Operation, k *books) {
	blame := b.subject.culprit()
	if op.Number != b.subject.Whole {
		b.off++
		b.offMax = max(b.offMax, op.Number-b.subject.Whole, b.subject.Whole-op.Number)
		if !b.weak {
			b.found(ob, blame, "found more or less than the whole", []*history.Operation{op}, 0, 0, func() string {
				return fmt.Sprintf("%s's audit of %s, called at %s, found %d together at %s, and %d is the whole: %s",
					op.Client, history.Called(ob.name), at(op.Call), op.Number, at(op.Return), b.subject.Whole, op.Value)
			})
			return
		}
	}
	if k == nil || op.Value == "" {
		return
	}
	if b.weak {
		b.judgeEach(ob, op, k)
		return
	}
	young, was := false, false
	for _, place := range k.by[op.Value] {
		if b.log.Earliest(k.since[place]) > op.Return {
			continue
		}
		was = true
		if place+1 == len(k.since) || b.log.Latest(k.since[place+1]) >= op.Call || b.gapsBefore(k.since[place+1]) > b.gapsBefore(k.since[place]) {
			young = true
		}
	}
	mayBeOld := b.subject.Promise == history.RepeatableReads
	switch {
	case young:
	case was && mayBeOld:
		b.old++
	case was:
		b.found(ob, blame, "read balances that were over", []*history.Operation{op}, 0, 0, func() string {
			return fmt.Sprintf("%s's audit of %s, called at %s, returned balances that were over by then: %s", op.Client, history.Called(ob.name), at(op.Call), op.Value)
		})
	case len(b.gaps) > 0 || !b.seesAllBy(b.log.Start, op.Return):
		b.unjudged++
	default:
		b.found(ob, blame, "read balances that never were together", []*history.Operation{op}, 0, 0, func() string {
			return fmt.Sprintf("%s's audit of %s, called at %s, returned balances at %s that the accounts never had together by then: %s",
				op.Client, history.Called(ob.name), at(op.Call), at(op.Return), op.Value)
		})
	}
}

// judgeEach judges the balances of an audit one by one: each was committed.
func (b *bank) judgeEach(ob *object, op *history.Operation, k *books) {
	for i, text := range strings.Fields(op.Value) {
		balance, err := strconv.ParseInt(text, 10, 64)
		if err != nil || i >= len(k.names) {
			continue
		}
		account := k.names[i]
		if since, there := k.each[account][balance]; there && b.log.Earliest(since) <= op.Return {
			continue
		}
		if len(b.gaps) > 0 || !b.seesAllBy(b.log.Start, op.Return) {
			b.unjudged++
			return
		}
		b.found(ob, b.subject.culprit(), "read a balance that never was", []*history.Operation{op}, 0, 0, func() string {
			return fmt.Sprintf("%s's audit of %s, called at %s, found %d in account %s at %s, which it never had by then",
				op.Client, history.Called(ob.name), at(op.Call), balance, account, at(op.Return))
		})
		return
	}
}
