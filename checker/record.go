package checker

import (
	"sort"
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
