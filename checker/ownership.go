package checker

import (
	"fmt"
	"sort"
	"strconv"

	"github.com/etcd-holdfast/holdfast/history"
)

// Ownership: an acquire that reported success owned its object at some
// revision between its call and its return. A success that was never true is
// found here without any overlap: it is the lie itself.
//
// The subject's layout says which key owns the object at a revision: the
// oldest one (etcd's own recipes queue by create revision; see the clientv3
// concurrency and recipes packages). For the key that the acquire names, the
// log gives the first revision at which it may have owned, and the one at
// which it was deleted. Both are dated within bounds. The success is false if
// there is no revision between the two, if the first cannot have happened by
// the return, or if the second had surely happened before the call (a session
// may reuse its key). In every other case some assignment of times within the
// bounds makes it true, and it is not reported. So with bounds of zero width
// the check is exact, and never a false alarm with wider ones.
//
// It assumes that the log began before the first key of the run. A subject
// that cannot name its key is judged by the keys that its lease may have taken
// during the call: if any of them could have owned in time, the success is
// taken for true, and if there are none it is not judged.
//
// A proclaim that reported success was one of who led, see falseProclaim; and
// nobody takes what a client holds, see taken. Both are judged without a layout
// too, of acquires that name their keys, and there is no such row otherwise.
func ownership(r *record, s *subject) *judgement {
	if !s.holding() {
		return nil
	}
	if s.Layout == history.NoLayout {
		return r.ownershipByNames(s)
	}
	s.lies = make(map[int64]*finding)
	j := &judgement{}
	judged, unjudged := 0, 0
	for _, ob := range s.objects {
		for _, op := range ob.operations {
			if !op.Kind.Acquires() || op.Outcome != history.Ok {
				continue
			}
			lie, ok := r.ownedInTime(s, ob, op)
			switch {
			case lie != nil:
				judged++
				j.findings = append(j.findings, *lie)
				s.lies[op.ID] = lie
			case ok:
				judged++
			default:
				unjudged++
			}
		}
		j.findings = append(j.findings, r.falseProclaims(s, ob)...)
	}
	lies := len(j.findings)
	for _, ob := range s.objects {
		j.findings = append(j.findings, r.taken(s, ob)...)
	}
	known := 0
	for i := range j.findings {
		if j.findings[i].Known != "" {
			known++
		}
	}
	j.figures = map[string]float64{
		"acquired": float64(judged + unjudged), "false": float64(lies),
		"false_known": float64(known), "unjudged": float64(unjudged),
	}
	j.holds = fmt.Sprintf("each of %s was true when it was told", count(judged, "success"))
	if unjudged > 0 {
		j.unknown = fmt.Sprintf("%d of %s cannot be judged: the revision log does not cover the keys", unjudged, count(judged+unjudged, "success"))
	}
	if judged+unjudged == 0 {
		j.vacuous = "no acquire succeeded"
	}
	return j
}

// ownershipByNames judges a subject whose layout is not known by the keys that it
// names, or returns nil if nothing is wrong with them.
func (r *record) ownershipByNames(s *subject) *judgement {
	j := &judgement{}
	for _, ob := range s.objects {
		j.findings = append(append(j.findings, r.falseProclaims(s, ob)...), r.taken(s, ob)...)
	}
	if len(j.findings) == 0 {
		return nil
	}
	return j
}

// ownedInTime judges one success: it returns what is false about it, or
// whether the log shows that it was true.
func (r *record) ownedInTime(s *subject, ob *object, op *history.Operation) (*finding, bool) {
	if r.log == nil {
		return nil, false
	}
	t, named := ob.identified(op.Key, op.Token)
	if !named {
		return r.ownedByLease(s, ob, op)
	}
	if t == nil {
		if !r.covers(op.Token, op.Token) {
			return nil, false
		}
		return r.invented(s, op), true
	}
	f, possible := r.judgeTenure(s, ob, op, t)
	if f != nil || !possible {
		return f, false
	}
	return nil, r.covers(r.log.Start, t.owns)
}

// judgeTenure judges a success by its key. Possible is false if the key
// cannot have owned but the reason is not known yet.
func (r *record) judgeTenure(s *subject, ob *object, op *history.Operation, t *tenure) (f *finding, possible bool) {
	var clause func() string
	var cause string
	switch {
	case t.neverOwned():
		if r.deletedBy(t.Life) == causeUnknown {
			return nil, false
		}
		cause = r.lossOf(t.Life) + " while waiting"
		if r.log.Latest(t.Delete) < op.Call {
			cause = r.lossOf(t.Life) + " before the call"
		}
		clause = func() string {
			return fmt.Sprintf("its key %s, %s", r.deletion(t.Life), r.turn(ob, t))
		}
	case r.log.Earliest(t.owns) > op.Return:
		cause = "told before its turn"
		if t.behind < 0 {
			cause = "told before its key was made"
		}
		clause = func() string {
			if t.behind < 0 {
				return fmt.Sprintf("its key was created only at %s, not before %s", r.revision(t.Create), at(r.log.Earliest(t.Create)))
			}
			return fmt.Sprintf("its turn cannot have come before %s, %s", at(r.log.Earliest(t.owns)), r.turn(ob, t))
		}
	case t.Delete != 0 && r.log.Latest(t.Delete) < op.Call:
		cause = r.lossOf(t.Life) + " before the call"
		clause = func() string {
			return fmt.Sprintf("its key %s, before the call", r.deletion(t.Life))
		}
	default:
		return nil, true
	}
	return r.lie(s, op, t, s.culprit(), cause, clause), true
}

// turn writes what a tenure had to wait for, as the end of a sentence.
func (r *record) turn(ob *object, t *tenure) string {
	if t.behind < 0 {
		return fmt.Sprintf("before it came to own at rev %d", t.owns)
	}
	ahead := &ob.tenures[t.behind]
	if ahead.Delete == 0 {
		return fmt.Sprintf("while %s was still there at rev %d, where the log ends", r.ahead(ahead), r.log.Through)
	}
	return fmt.Sprintf("before %s went at %s", r.ahead(ahead), r.revision(ahead.Delete))
}

func (r *record) ahead(t *tenure) string {
	if c := r.owner(t.Lease); c != "" {
		return fmt.Sprintf("%s's older key (rev %d)", c, t.Create)
	}
	return fmt.Sprintf("the older key %s (rev %d)", t.Key, t.Create)
}

// ownedByLease judges a success whose key is not known by its create revision:
// one of the keys that its lease may have taken during the call must have owned
// in time; if the key is named, any life of it.
func (r *record) ownedByLease(s *subject, ob *object, op *history.Operation) (*finding, bool) {
	if op.Lease == 0 || !r.seesAllBy(r.log.Start, op.Return) {
		return nil, false
	}
	var lie *finding
	lives := r.livesOf(op.Lease)
	last := sort.Search(len(lives), func(k int) bool { return r.log.Earliest(r.lives[lives[k].index].Create) > op.Return }) - 1
	for ; last >= 0 && r.log.Latest(lives[last].deletedBy) >= op.Call; last-- {
		life := &r.lives[lives[last].index]
		created := ob.createdAt(life.Create)
		for k := range created {
			t := &created[k]
			if t.Key != life.Key || (t.mode == history.ReadMode) != (op.Mode == history.ReadMode) ||
				op.Key == "" && op.Kind != history.Resume && r.log.Latest(t.Create) < op.Call || op.Key != "" && t.Key != op.Key {
				continue
			}
			f, _ := r.judgeTenure(s, ob, op, t)
			if f == nil {
				return nil, true
			}
			lie = f
		}
	}
	return lie, false
}

// slashless names the defect of etcd's by which a resumed election, which adds no
// "/" to its prefix, campaigns with a key beside those of its object; or "".
func (r *record) slashless(s *subject, object string, life *history.Life) string {
	if s.Primitive != history.Election || life.Key != r.h.Header.ObjectPrefix(s.Name, object)+strconv.FormatInt(life.Lease, 16) {
		return ""
	}
	return r.knownAs(s, "etcd#10297")
}

// invented is a success that names a key which never was one of its object's.
func (r *record) invented(s *subject, op *history.Operation) *finding {
	if life := r.lifeOf(op.Key, op.Token); life != nil && r.objectOf(s, life) == nil {
		f := r.lie(s, op, nil, s.culprit(), "its key is not below its object's prefix", func() string {
			return fmt.Sprintf("its key %s is not below the prefix of %s", op.Key, history.Called(op.Object))
		})
		f.Known = r.slashless(s, op.Object, life)
		return f
	}
	blame := BlameServer
	if s.Origin == history.Broken || s.Program { // whose word weighs less than the log's
		blame = BlameSubject
	}
	return r.lie(s, op, nil, blame, "key not in the log", func() string {
		return fmt.Sprintf("the revision log, which covers rev %d, has no such key of %s", op.Token, history.Called(op.Object))
	})
}

func (r *record) lie(s *subject, op *history.Operation, t *tenure, blame Blame, cause string, clause func() string) *finding {
	f := &finding{clause: clause}
	f.Violation = Violation{Blame: blame, Cause: cause, Call: op.Kind, Witness: []int64{op.ID}, From: op.Call, To: op.Return, Object: op.Object}
	if blame == BlameLibrary {
		f.Known = r.known(s, Ownership, op, t)
	}
	key := ""
	switch {
	case op.Token != 0:
		key = fmt.Sprintf(", key rev %d", op.Token)
	case t != nil:
		key = fmt.Sprintf(", key rev %d", t.Create)
	}
	f.tell = func() string {
		return fmt.Sprintf("%s was told at %s that it %s (%s called at %s%s), but %s",
			op.Client, at(op.Return), belief(op), op.Kind, at(op.Call), key, clause())
	}
	return f
}
