package checker

import (
	"math"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// record is a history, indexed once for all properties.
type record struct {
	h   *history.History
	o   Options
	log *history.RevisionLog
	// through is the last revision of which every change is surely in the log,
	// gaps apart, and reach a time before which no later one can have happened.
	through int64
	reach   time.Duration
	gaps    []history.Gap

	complete          bool
	healed, final     time.Duration
	isHealed, isFinal bool
	crashed           map[string]time.Duration
	sessions          map[int64]*history.Event
	lost              map[membership][]time.Duration
	resumed           map[int64]bool
	lives             []history.Life
	livesOf           map[int64][]leasedLife // by lease, in the order of creation
	leaseEnds         map[int64]leaseEnd
	lifeAt            map[lifeID]int
	leaseSeen         map[int64]int64 // the last revision at which the lease took a key
	subjects          []*subject
	objects           map[objectID]*object
	sessionless       []*history.Operation // operations of no subject
	closings          []*history.Operation
	observed          map[int64][]*history.Event // by operation
	holdsByAcquire    map[int64]*history.Hold
}

type membership struct {
	client string
	lease  int64
}

// leasedLife is a life of a key attached to a lease. By revision deletedBy it
// and all lives before it in its list were over.
type leasedLife struct {
	index     int
	deletedBy int64
}

type lifeID struct {
	key    string
	create int64
}

type objectID struct{ subject, object string }

// subject is one subject with all that was asked of it.
type subject struct {
	history.SubjectInfo
	operations []*history.Operation
	objects    []*object
	// lies are the false successes that the ownership property found, by the
	// ID of the acquire; other properties inherit their blame.
	lies map[int64]*finding
}

// object is one lock, election or resource of a subject.
type object struct {
	name       string
	operations []*history.Operation
	holds      []history.Hold // by Start
	tenures    []tenure       // by Create
	byCreate   map[int64][]int
}

// tenure is one life of one of an object's keys and its turn at owning it.
type tenure struct {
	*history.Life
	mode history.Mode
	// gone is the first revision at which the key may have been gone: the
	// revision of its deletion, or the first one after which nothing is known.
	gone int64
	// owns is the first revision at which the key may have owned the object:
	// no key that comes before it was surely alive. It never owned if the key
	// had been deleted by then.
	owns int64
	// behind is the index of the tenure that it had to wait for last, or -1.
	behind int
}

// neverOwned is true if the key was surely gone before its turn came.
func (t *tenure) neverOwned() bool { return t.Delete != 0 && t.owns >= t.Delete }

func index(h *history.History, o Options) *record {
	r := &record{
		h: h, o: o, log: h.Revisions, complete: h.Complete(),
		crashed:  make(map[string]time.Duration),
		sessions: make(map[int64]*history.Event),
		lost:     make(map[membership][]time.Duration),
		resumed:  make(map[int64]bool),
		objects:  make(map[objectID]*object),
		observed: make(map[int64][]*history.Event),
	}
	r.healed, r.isHealed = h.Phase(history.PhaseHealed)
	r.final, r.isFinal = h.Phase(history.PhaseFinal)
	r.indexEvents()
	r.indexOperations()
	r.indexHolds()
	if r.log != nil {
		r.indexLog()
	}
	return r
}

func (r *record) indexEvents() {
	for i := range r.h.Events {
		e := &r.h.Events[i]
		switch e.Kind {
		case history.SessionOpened:
			if _, known := r.sessions[e.Lease]; !known {
				r.sessions[e.Lease] = e
			}
		case history.Crashed:
			if _, known := r.crashed[e.Client]; !known {
				r.crashed[e.Client] = e.Time
			}
		case history.Lost:
			m := membership{e.Client, e.Lease}
			r.lost[m] = append(r.lost[m], e.Time)
		case history.Observed:
			r.observed[e.Operation] = append(r.observed[e.Operation], e)
		}
	}
}

func (r *record) indexOperations() {
	named := make(map[string]*subject)
	for _, info := range r.h.Header.Subjects {
		if named[info.Name] == nil {
			s := &subject{SubjectInfo: info}
			named[info.Name] = s
			r.subjects = append(r.subjects, s)
		}
	}
	known := len(r.subjects)
	for i := range r.h.Operations {
		op := &r.h.Operations[i]
		if op.Kind == history.CloseSession {
			r.closings = append(r.closings, op)
		}
		if op.Kind == history.Resume {
			r.resumed[op.Lease] = true
		}
		if op.Subject == "" {
			r.sessionless = append(r.sessionless, op)
			continue
		}
		s := named[op.Subject]
		if s == nil {
			s = &subject{SubjectInfo: history.SubjectInfo{Name: op.Subject, Primitive: history.Mutex, Origin: history.FromUser}}
			named[op.Subject] = s
			r.subjects = append(r.subjects, s)
		}
		s.operations = append(s.operations, op)
		if op.Object == "" {
			continue
		}
		id := objectID{op.Subject, op.Object}
		ob := r.objects[id]
		if ob == nil {
			ob = &object{name: op.Object, byCreate: make(map[int64][]int)}
			r.objects[id] = ob
			s.objects = append(s.objects, ob)
		}
		ob.operations = append(ob.operations, op)
	}
	unlisted := r.subjects[known:]
	sort.Slice(unlisted, func(i, j int) bool { return unlisted[i].Name < unlisted[j].Name })
	for _, s := range r.subjects {
		sort.Slice(s.objects, func(i, j int) bool { return s.objects[i].name < s.objects[j].name })
	}
}

// indexHolds gives every object its holds. A resumed leadership whose
// predecessor had already called resign is none: by that call the leadership
// was given up, and the resignation of the dead may still be on its way.
func (r *record) indexHolds() {
	holds := r.h.Holds()
	type leadership struct {
		subject, object string
		lease           int64
	}
	givenUp := make(map[leadership]time.Duration)
	for i := range r.h.Operations {
		op := &r.h.Operations[i]
		if _, died := r.crashed[op.Client]; died && op.Kind == history.Resign && !op.Completed() {
			givenUp[leadership{op.Subject, op.Object, op.Lease}] = op.Call
		}
	}
	r.holdsByAcquire = make(map[int64]*history.Hold, len(holds))
	for i := range holds {
		r.holdsByAcquire[holds[i].Acquire] = &holds[i]
		h := &holds[i]
		if call, ok := givenUp[leadership{h.Subject, h.Object, h.Lease}]; ok && call < h.Start && r.h.Operation(h.Acquire).Kind == history.Resume {
			continue
		}
		if ob := r.objects[objectID{h.Subject, h.Object}]; ob != nil {
			ob.holds = append(ob.holds, *h)
		}
	}
}

func (r *record) indexLog() {
	r.through = r.log.Through
	// One revision can change several keys, and a record may be cut between
	// two of them: the last revision of a cut log may be seen in part.
	if n := len(r.log.Changes); !r.complete && n > 0 && r.log.Changes[n-1].Revision == r.through {
		r.through--
	}
	r.reach = r.log.Earliest(r.through + 1)
	r.gaps = slices.Clone(r.log.Gaps)
	sort.Slice(r.gaps, func(i, j int) bool { return r.gaps[i].From < r.gaps[j].From })

	r.lives = r.log.Lives("")
	r.livesOf = make(map[int64][]leasedLife)
	r.lifeAt = make(map[lifeID]int, len(r.lives))
	r.leaseSeen = make(map[int64]int64)
	prefixes := make(map[string][]*object)
	layouts := make(map[*object]history.Layout)
	for _, s := range r.subjects {
		for _, ob := range s.objects {
			p := r.h.Header.ObjectPrefix(s.Name, ob.name) + "/"
			prefixes[p] = append(prefixes[p], ob)
			layouts[ob] = s.Layout
		}
	}
	for i := range r.lives {
		life := &r.lives[i]
		r.lifeAt[lifeID{life.Key, life.Create}] = i
		if life.Lease != 0 {
			leased := leasedLife{i, life.Delete}
			if life.Delete == 0 {
				leased.deletedBy = math.MaxInt64
			}
			if before := r.livesOf[life.Lease]; len(before) > 0 {
				leased.deletedBy = max(leased.deletedBy, before[len(before)-1].deletedBy)
			}
			r.livesOf[life.Lease] = append(r.livesOf[life.Lease], leased)
			last := life.Values[len(life.Values)-1].Revision
			r.leaseSeen[life.Lease] = max(r.leaseSeen[life.Lease], last)
		}
		for at, c := range life.Key {
			if c != '/' {
				continue
			}
			for _, ob := range prefixes[life.Key[:at+1]] {
				t := tenure{Life: life, gone: r.gone(life), behind: -1}
				if layouts[ob] == history.ReadWriteKeys {
					t.mode = directory(life.Key[at+1:])
				}
				ob.byCreate[life.Create] = append(ob.byCreate[life.Create], len(ob.tenures))
				ob.tenures = append(ob.tenures, t)
			}
		}
	}
	for _, s := range r.subjects {
		for _, ob := range s.objects {
			ob.queue()
		}
	}
	r.indexLeaseEnds()
}

// indexLeaseEnds dates the ends of leases. The revision of a lease's end
// counts only if a key went with it: nothing dates it otherwise but the time
// at which it was seen.
func (r *record) indexLeaseEnds() {
	r.leaseEnds = make(map[int64]leaseEnd, len(r.log.LeaseEnds))
	for _, seen := range r.log.LeaseEnds {
		if _, done := r.leaseEnds[seen.Lease]; done {
			continue
		}
		e, _ := r.log.LeaseEnd(seen.Lease)
		end := leaseEnd{earliest: r.log.Earliest(r.leaseSeen[e.Lease]), latest: e.Time}
		for _, l := range r.livesOf[e.Lease] {
			if r.lives[l.index].Delete == e.Revision {
				end = leaseEnd{e.Revision, r.log.Earliest(e.Revision), min(e.Time, r.log.Latest(e.Revision))}
			}
		}
		r.leaseEnds[e.Lease] = end
	}
}

// directory tells from a key's name below its object's prefix who made it.
func directory(rest string) history.Mode {
	if strings.HasPrefix(rest, "read/") {
		return history.ReadMode
	}
	return history.WriteMode
}

// queue computes for every tenure when its turn may have come: a key waits for
// every older key of its object, a reader's key for the writers' only.
func (ob *object) queue() {
	var anyGone, writeGone int64
	lastAny, lastWrite := -1, -1
	for i := 0; i < len(ob.tenures); {
		end := i
		for ; end < len(ob.tenures) && ob.tenures[end].Create == ob.tenures[i].Create; end++ {
			t := &ob.tenures[end]
			before, last := anyGone, lastAny
			if t.mode == history.ReadMode {
				before, last = writeGone, lastWrite
			}
			t.owns = t.Create
			if before > t.Create {
				t.owns, t.behind = before, last
			}
		}
		for ; i < end; i++ {
			t := &ob.tenures[i]
			if t.gone > anyGone {
				anyGone, lastAny = t.gone, i
			}
			if t.mode != history.ReadMode && t.gone > writeGone {
				writeGone, lastWrite = t.gone, i
			}
		}
	}
}

// gone is the first revision at which a life may have been over.
func (r *record) gone(life *history.Life) int64 {
	last := life.Values[len(life.Values)-1].Revision
	end := life.Delete
	if end == 0 {
		end = max(r.through, last) + 1
	}
	for _, g := range r.gaps {
		if g.Through > last && g.From < end {
			return max(g.From, last+1)
		}
	}
	return end
}

// covers is true if every change from revision from through revision through
// is surely in the log.
func (r *record) covers(from, through int64) bool {
	return r.log != nil && through <= r.through && r.log.Covers(from, through)
}

// seesAllBy is true if every change that happened since revision from and by
// time t is surely in the log.
func (r *record) seesAllBy(from int64, t time.Duration) bool {
	return r.reach > t && (from > r.through || r.covers(from, r.through))
}

// cause is why a key went away.
type cause int

const (
	causeUnknown cause = iota
	causeLease
	causeOther
)

// deletedBy tells why a life ended. A lease's end may be recorded a little
// after the deletions that it caused: in a record that was cut in between,
// the cause is not known yet.
func (r *record) deletedBy(life *history.Life) cause {
	if life.Delete == 0 {
		return causeUnknown
	}
	if life.ByLease {
		return causeLease
	}
	if _, recreated := r.lifeAt[lifeID{life.Key, life.Delete}]; recreated {
		return causeUnknown // its deletion fell into a gap
	}
	if _, ended := r.log.LeaseEnd(life.Lease); ended || life.Lease == 0 || r.complete || r.leaseSeen[life.Lease] > life.Delete {
		return causeOther
	}
	return causeUnknown
}

// leaseEnd bounds the time at which a lease ended.
type leaseEnd struct {
	revision         int64 // zero if no key shows it
	earliest, latest time.Duration
}

// leaseAlive is true if the lease surely had not ended at time t.
func (r *record) leaseAlive(lease int64, t time.Duration) bool {
	if lease == 0 {
		return true
	}
	if e, ended := r.leaseEnds[lease]; ended {
		return e.earliest > t
	}
	if seen := r.leaseSeen[lease]; seen > 0 && r.log.Earliest(seen) > t {
		return true
	}
	return r.complete && r.seesAllBy(max(r.leaseSeen[lease], r.log.Start), t)
}

// identified returns the tenure that an acquire says it owns. Known is false
// if it does not say.
func (ob *object) identified(key string, token int64) (t *tenure, known bool) {
	if token == 0 {
		return nil, false
	}
	for _, i := range ob.byCreate[token] {
		if key == "" || ob.tenures[i].Key == key {
			return &ob.tenures[i], true
		}
	}
	return nil, true
}

// ended is the time at which an operation was surely over, or the last time at
// which it was seen running.
func (r *record) ended(op *history.Operation) time.Duration {
	if op.Completed() {
		return op.Return
	}
	if t, dead := r.crashed[op.Client]; dead {
		return max(t, op.Call)
	}
	return max(r.h.End, op.Call)
}

// culprit is whom a false answer blames.
func (s *subject) culprit() Blame {
	if s.Origin == history.FromEtcd {
		return BlameLibrary
	}
	return BlameSubject
}

// owner names the client whose session a lease was.
func (r *record) owner(lease int64) string {
	if e := r.sessions[lease]; e != nil {
		return e.Client
	}
	return ""
}
