package checker

import (
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
	homes             []*subject             // by life: whose object it is of, or nil
	livesOf           map[int64][]leasedLife // by lease, in the order of creation
	leaseEnds         map[int64]leaseEnd
	leaseSeen         map[int64]int64 // the last revision at which the lease took a key
	subjects          []*subject
	objects           map[objectID]*object
	sessionless       []*history.Operation // operations of no subject
	closings          []*history.Operation
	observed          map[int64][]*history.Event // by operation
	holds             []history.Hold
	sharers           map[int64]bool                  // leases that several clients used, once it was asked
	releases          map[string][]*history.Operation // by key, once it was asked
	unplayed          []unplayed                      // subjects whose script did not come to its end
	holdAt            []int32                         // by place of the acquire: the place of its hold, plus one
	pauses            map[string][]standstill         // by client, once it was asked
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
}

// createdAt returns the tenures of the keys that were created at a revision.
func (ob *object) createdAt(revision int64) []tenure {
	from := sort.Search(len(ob.tenures), func(k int) bool { return ob.tenures[k].Create >= revision })
	end := from
	for end < len(ob.tenures) && ob.tenures[end].Create == revision {
		end++
	}
	return ob.tenures[from:end]
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
	r.indexScripts()
	r.indexEvents()
	r.indexOperations()
	r.indexHolds()
	if r.log != nil {
		r.indexLog()
	}
	return r
}

// unplayed is a subject whose script did not come to its end, and the step at
// which it was, or "" if that is not known.
type unplayed struct{ subject, step string }

func (r *record) indexScripts() {
	played, cut := make(map[string]bool), make(map[string]string)
	for i := range r.h.Events {
		e := &r.h.Events[i]
		if e.Kind != history.Signalled {
			continue
		}
		if step, ok := strings.CutPrefix(e.Detail, history.ScriptCut); ok {
			cut[e.Subject] = step
		}
		played[e.Subject] = played[e.Subject] || e.Detail == history.ScriptEnd
	}
	for _, s := range r.h.Header.Subjects {
		if s.Scripted && !played[s.Name] {
			r.unplayed = append(r.unplayed, unplayed{s.Name, cut[s.Name]})
		}
	}
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
	bySubject, byObject := r.countOperations()
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
		if s.operations == nil {
			s.operations = make([]*history.Operation, 0, bySubject[op.Subject])
		}
		s.operations = append(s.operations, op)
		if op.Object == "" {
			continue
		}
		id := objectID{op.Subject, op.Object}
		ob := r.objects[id]
		if ob == nil {
			ob = &object{name: op.Object, operations: make([]*history.Operation, 0, byObject[id])}
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

// countOperations counts by subject and by object, so that no list of them has
// to grow: they are many.
func (r *record) countOperations() (bySubject map[string]int, byObject map[objectID]int) {
	bySubject, byObject = make(map[string]int), make(map[objectID]int)
	var last objectID
	n := 0 // of last, not yet in the maps
	flush := func() {
		bySubject[last.subject] += n
		byObject[last] += n
		n = 0
	}
	for i := range r.h.Operations {
		op := &r.h.Operations[i]
		if id := (objectID{op.Subject, op.Object}); id != last {
			flush()
			last = id
		}
		n++
	}
	flush()
	return bySubject, byObject
}

// indexHolds gives every object its holds, but for leaderships that had been
// given up.
func (r *record) indexHolds() {
	holds := r.h.Holds()
	// Each object's holds stand together, those given up after the others.
	begun := make(map[*object]int)
	for i := range holds {
		if h := &holds[i]; !h.GivenUp {
			begun[r.objects[objectID{h.Subject, h.Object}]]++
		}
	}
	r.holds, r.holdAt = make([]history.Hold, len(holds)), make([]int32, len(r.h.Operations))
	firsts := make(map[*object]int)
	next := 0
	for _, s := range r.subjects {
		for _, ob := range s.objects {
			firsts[ob] = next
			ob.holds = r.holds[next : next : next+begun[ob]]
			next += begun[ob]
		}
	}
	for i := range holds {
		h := &holds[i]
		ob := r.objects[objectID{h.Subject, h.Object}]
		place := next
		if ob != nil && !h.GivenUp {
			place = firsts[ob] + len(ob.holds)
			ob.holds = append(ob.holds, *h)
		} else {
			r.holds[next] = *h
			next++
		}
		if k, ok := r.h.Place(h.Acquire); ok {
			r.holdAt[k] = int32(place) + 1
		}
	}
}

// holdOf returns the hold that an acquire began, or nil.
func (r *record) holdOf(acquire int64) *history.Hold {
	if k, ok := r.h.Place(acquire); ok && r.holdAt[k] != 0 {
		return &r.holds[r.holdAt[k]-1]
	}
	return nil
}

// identified returns the tenure that an acquire says it owns. Known is false
// if it does not say.
func (ob *object) identified(key string, token int64) (t *tenure, known bool) {
	if token == 0 {
		return nil, false
	}
	created := ob.createdAt(token)
	for i := range created {
		if key == "" || created[i].Key == key {
			return &created[i], true
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

// holding is true if what the subject's clients are told is that they hold
// something.
func (s *subject) holding() bool {
	switch s.Primitive {
	case history.Bank, history.Register:
		return false
	}
	return true
}

// permits is how many may hold one of the subject's objects at once.
func (s *subject) permits() int {
	if s.Primitive == history.Semaphore {
		return max(s.Permits, 1)
	}
	return 1
}

// shared is true if calls of several clients were made on a lease.
func (r *record) shared(lease int64) bool {
	if r.sharers == nil {
		r.sharers = make(map[int64]bool)
		users := make(map[int64]string)
		for i := range r.h.Operations {
			op := &r.h.Operations[i]
			if op.Lease == 0 {
				continue
			}
			if user, used := users[op.Lease]; !used {
				users[op.Lease] = op.Client
			} else if user != op.Client {
				r.sharers[op.Lease] = true
			}
		}
	}
	return r.sharers[lease]
}

// releasesOf returns the releases of holds whose key had a name.
func (r *record) releasesOf(key string) []*history.Operation {
	if r.releases == nil {
		r.releases = make(map[string][]*history.Operation)
		for i := range r.h.Operations {
			if op := &r.h.Operations[i]; op.Kind.Releases() && op.Key != "" {
				r.releases[op.Key] = append(r.releases[op.Key], op)
			}
		}
	}
	return r.releases[key]
}
