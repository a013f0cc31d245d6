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
	deaths            []*history.Event // of clients that the run did not kill
	sessions          map[int64]*history.Event
	lost              map[membership][]time.Duration
	resumed           map[int64]bool
	lives             []history.Life
	homes             []*subject             // by life: whose object it is of, or nil
	leased            map[int64]*leasedLives // by lease
	leaseEnds         map[int64]leaseEnd
	back              *rollback                  // if the store went back
	renewals          map[int64][]*history.Event // by lease
	subjects          []*subject
	objects           map[objectID]*object
	sessionless       []*history.Operation // operations of no subject
	closings          []*history.Operation
	closed            map[int64]*history.Operation // by lease, once it was asked; see closingOf
	observed          map[int64][]*history.Event   // by operation
	holds             []history.Hold
	sharers           map[int64]bool                  // leases that several clients used, once it was asked
	releases          map[string][]*history.Operation // by key, once it was asked
	disturbed         *history.Event                  // if somebody else took away what the run has
	unplayed          []unplayed                      // subjects whose script did not come to its end
	objectAt          []*object                       // by place of the operation: its object, or nil
	uses              []use                           // by place of the acquire, once it was asked; see useOf
	holdAt            []int32                         // by place of the acquire: the place of its hold, plus one
	pauses            map[string][]standstill         // by client, once it was asked
	written           map[string]int64                // by value, once it was asked: the first revision that wrote it
}

type membership struct {
	client string
	lease  int64
}

// leasedLives are the lives of the keys of a lease, in the order of creation; seen
// is the last revision at which it took one.
type leasedLives struct {
	lives []leasedLife
	seen  int64
}

// leasedLife is a life of a key attached to a lease. By revision deletedBy it
// and all lives before it in its list were over.
type leasedLife struct {
	index     int
	deletedBy int64
}

// livesOf returns the lives of the keys of a lease.
func (r *record) livesOf(lease int64) []leasedLife {
	if l := r.leased[lease]; l != nil {
		return l.lives
	}
	return nil
}

// leaseSeen is the last revision at which a lease took a key, or zero.
func (r *record) leaseSeen(lease int64) int64 {
	if l := r.leased[lease]; l != nil {
		return l.seen
	}
	return 0
}

type objectID struct{ subject, object string }

// subject is one subject with all that was asked of it.
type subject struct {
	history.SubjectInfo
	operations []*history.Operation
	asked      int // how many operations it has
	objects    []*object
	// lies are the false successes that the ownership property found, by the
	// ID of the acquire; other properties inherit their blame.
	lies map[int64]*finding
}

// object is one lock, election or resource of a subject.
type object struct {
	name       string
	subject    *subject
	operations []*history.Operation
	acquires   []*history.Operation // those that acquire
	holds      []history.Hold       // by Start
	tenures    []tenure             // by Create
	// failed is true if an acquire on a session did not succeed.
	failed bool
	// asked is how many operations it has, and requested how many that acquire;
	// begun is how many holds, which stand from place first on.
	// keys is how many lives its keys have.
	asked, requested, begun, first, keys int

	makers  map[int64]*makers // by lease, once it was asked; see makersOf
	claimed map[int64]time.Duration
	reigned []reign // once it was asked; see reigns
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
		r.back = r.rolledBack()
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
			if e.Detail != "" {
				r.deaths = append(r.deaths, e)
			}
		case history.Renewed:
			if r.renewals == nil {
				r.renewals = make(map[int64][]*history.Event)
			}
			r.renewals[e.Lease] = append(r.renewals[e.Lease], e)
		case history.Disturbed:
			if r.disturbed == nil {
				r.disturbed = e
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
	named := make(map[string]*subject, len(r.h.Header.Subjects))
	for _, info := range r.h.Header.Subjects {
		if named[info.Name] == nil {
			s := &subject{SubjectInfo: info}
			named[info.Name] = s
			r.subjects = append(r.subjects, s)
		}
	}
	known := len(r.subjects)
	// Each operation's object first, so that no list of operations has to grow.
	r.objectAt = make([]*object, len(r.h.Operations))
	subjectAt := make([]*subject, len(r.h.Operations))
	s := &subject{}
	for i := range r.h.Operations {
		op := &r.h.Operations[i]
		if op.Subject == "" {
			continue
		}
		if s.Name != op.Subject {
			if s = named[op.Subject]; s == nil {
				s = &subject{SubjectInfo: history.SubjectInfo{Name: op.Subject, Primitive: history.Mutex, Origin: history.FromUser}}
				named[op.Subject] = s
				r.subjects = append(r.subjects, s)
			}
		}
		subjectAt[i] = s
		s.asked++
		if op.Object == "" {
			continue
		}
		ob := r.objectOr(s, op.Object)
		r.objectAt[i] = ob
		ob.asked++
		if op.Kind.Acquires() {
			ob.requested++
		}
	}
	for i := range r.h.Operations {
		op, s, ob := &r.h.Operations[i], subjectAt[i], r.objectAt[i]
		if op.Kind == history.CloseSession {
			r.closings = append(r.closings, op)
		}
		if op.Kind == history.Resume {
			r.resumed[op.Lease] = true
		}
		if s == nil {
			r.sessionless = append(r.sessionless, op)
			continue
		}
		if s.operations == nil {
			s.operations = make([]*history.Operation, 0, s.asked)
		}
		s.operations = append(s.operations, op)
		if ob == nil {
			continue
		}
		if ob.operations == nil {
			ob.operations, ob.acquires = make([]*history.Operation, 0, ob.asked), make([]*history.Operation, 0, ob.requested)
		}
		ob.operations = append(ob.operations, op)
		if op.Kind.Acquires() {
			ob.acquires = append(ob.acquires, op)
			ob.failed = ob.failed || op.Lease != 0 && op.Outcome != history.Ok
		}
	}
	unlisted := r.subjects[known:]
	sort.Slice(unlisted, func(i, j int) bool { return unlisted[i].Name < unlisted[j].Name })
	for _, s := range r.subjects {
		sort.Slice(s.objects, func(i, j int) bool { return s.objects[i].name < s.objects[j].name })
	}
}

// objectOr returns a subject's object, which is made if there is none yet.
func (r *record) objectOr(s *subject, name string) *object {
	const few = 8 // are looked through faster than looked up
	if len(s.objects) <= few {
		for _, ob := range s.objects {
			if ob.name == name {
				return ob
			}
		}
	} else if ob := r.objects[objectID{s.Name, name}]; ob != nil {
		return ob
	}
	ob := &object{name: name, subject: s}
	r.objects[objectID{s.Name, name}] = ob
	s.objects = append(s.objects, ob)
	return ob
}

// indexHolds gives every object its holds, but for leaderships that had been
// given up.
func (r *record) indexHolds() {
	holds := r.h.Holds()
	// Each object's holds stand together, those given up after the others.
	of := make([]*object, len(holds))
	for i := range holds {
		if k, ok := r.h.Place(holds[i].Acquire); ok {
			of[i] = r.objectAt[k]
		}
		if of[i] != nil && !holds[i].GivenUp {
			of[i].begun++
		}
	}
	r.holds, r.holdAt = make([]history.Hold, len(holds)), make([]int32, len(r.h.Operations))
	next := 0
	for _, s := range r.subjects {
		for _, ob := range s.objects {
			ob.first = next
			ob.holds = r.holds[next : next : next+ob.begun]
			next += ob.begun
		}
	}
	for i := range holds {
		h, ob := &holds[i], of[i]
		place := next
		if ob != nil && !h.GivenUp {
			place = ob.first + len(ob.holds)
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

// use is what was done on an object under a hold of it.
type use struct {
	// fenced is the first fenced call that named a token, released the last
	// release that succeeded.
	fenced, released *history.Operation
}

// useOf returns what was done under the hold that an acquire began.
func (r *record) useOf(acquire int64) use {
	if r.uses == nil {
		r.uses = make([]use, len(r.h.Operations))
		for i := range r.h.Operations {
			op := &r.h.Operations[i]
			if op.Hold == 0 {
				continue
			}
			k, ok := r.h.Place(op.Hold)
			if !ok || r.objectAt[k] != r.objectAt[i] {
				continue
			}
			switch {
			case op.Token != 0 && (op.Kind == history.FencedRead || op.Kind == history.FencedWrite):
				if r.uses[k].fenced == nil {
					r.uses[k].fenced = op
				}
			case op.Kind.Releases() && op.Outcome == history.Ok:
				r.uses[k].released = op
			}
		}
	}
	if k, ok := r.h.Place(acquire); ok {
		return r.uses[k]
	}
	return use{}
}
