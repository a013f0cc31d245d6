package checker

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// The names of the properties.
const (
	Ownership    = "ownership"
	Exclusion    = "exclusion"
	Fencing      = "fencing"
	Damage       = "damage"
	Order        = "order"
	Progress     = "progress"
	Notice       = "notice"
	Observe      = "observe"
	Leftovers    = "leftovers"
	Contract     = "contract"
	Linearizable = "linearizable"
	Delivery     = "delivery"
	Passage      = "passage"
	Total        = "total"
	Durability   = "durability"
	Refusal      = "refusal"
	Lease        = "lease"
)

// PropertyInfo describes a property.
type PropertyInfo struct {
	Name, Description string
	// Reported is true for measurements that no run can fail.
	Reported bool
}

// property is a PropertyInfo with the function that judges it. The function
// returns nil where the property does not apply.
type property struct {
	PropertyInfo
	judge func(*record, *subject) *judgement
}

// properties are in the order of judgement: the later build on the lies that
// ownership finds.
func properties() []property {
	return []property{
		{PropertyInfo{Ownership, "an acquire reports success only if its client owned the object between call and return, and nobody takes it from a holder", false}, ownership},
		{PropertyInfo{Exclusion, "no two clients believe at once in holds that exclude each other", false}, exclusion},
		{PropertyInfo{Fencing, "the fenced resource accepts no token after a higher one and loses no acknowledged update", false}, fencing},
		{PropertyInfo{Damage, "acknowledged updates that the unfenced resource lost", true}, damage},
		{PropertyInfo{Order, "objects are granted in the order in which the requests' keys were created", false}, order},
		{PropertyInfo{Progress, "once all is healed every waiter finishes and a dead holder's object becomes free", false}, progress},
		{PropertyInfo{Notice, "how long after losing its lease a client was told; a promise where a limit is set", true}, notice},
		{PropertyInfo{Observe, "observers see leaders in order, no invented value, and the final leader", false}, observe},
		{PropertyInfo{Leftovers, "a release or close that reports success leaves no key behind", false}, leftovers},
		{PropertyInfo{Contract, "calls end by their deadline and do not panic, a try does not wait, and keys are below their object's prefix", false}, contract},
		{PropertyInfo{Refusal, "a try is refused only while another client may hold or want the object", false}, refusal},
		{PropertyInfo{Linearizable, "what is read of a leader value or a register, taken from a queue or let past a barrier is linearizable", false}, linearizable},
		{PropertyInfo{Delivery, "a queue gives out each item that it acknowledged once, to who asks for it, and nothing else", false}, delivery},
		{PropertyInfo{Passage, "a barrier lets nobody pass while it is closed, and a double barrier nobody in or out alone", false}, passage},
		{PropertyInfo{Total, "transfers take effect once and wholly, and audits and the store keep the whole, as far as the isolation promises", false}, total},
		{PropertyInfo{Durability, "an acknowledged write is in the store at the revision that its reply named", false}, durability},
		{PropertyInfo{Lease, "a lease lives for its whole time after it was renewed", false}, leaseLives},
	}
}

// PropertyNames lists the properties in the order in which Check judges them.
func PropertyNames() []PropertyInfo {
	var infos []PropertyInfo
	for _, p := range properties() {
		infos = append(infos, p.PropertyInfo)
	}
	return infos
}

// sessions is the name under which operations that belong to no subject, such
// as closing a session that several share, keep or break their contract.
const sessions = "sessions"

// Check judges a run by its record. It is pure and deterministic, and takes
// time in O(n log n) of the record's size for a fixed number of clients.
func Check(h *history.History, o Options) *Result {
	if o.Grace == 0 {
		o.Grace = 5 * time.Second
	}
	if o.DeadlineGrace == 0 {
		o.DeadlineGrace = 2 * time.Second
	}
	r := index(withoutFalseNames(h), o)
	result := &Result{Notes: r.notes(), Unfired: r.unfired(), Ends: r.ends()}
	all := properties()
	for _, s := range r.subjects {
		for _, p := range all {
			if !s.promises(p.Name) {
				continue
			}
			j := p.judge(r, s)
			if j == nil {
				continue
			}
			// What a script leaves out was not meant to be put to the test.
			if judged := r.property(s, p.Name, j); judged.Verdict != Vacuous || !s.Scripted {
				result.Properties = append(result.Properties, judged)
			}
			if p.Name == Notice && s.Origin == history.FromUser && j.figures["told"] == 0 && j.figures["lost_while_held"] > 1 {
				result.Notes = append(result.Notes, fmt.Sprintf("%s never told a client that it had lost its lease, though %.0f ended while they were held: who is not told goes on", s.Name, j.figures["lost_while_held"]))
			}
		}
	}
	if len(r.sessionless) > 0 {
		unowned := &subject{SubjectInfo: history.SubjectInfo{Name: sessions, Origin: history.FromEtcd}, operations: r.sessionless}
		result.Properties = append(result.Properties, r.property(unowned, Contract, contract(r, unowned)))
	}
	for _, m := range result.missing(o.Reproduces) {
		result.Notes = append(result.Notes, fmt.Sprintf("the run was to show %s on %s, and did not", m.Known, m.Subject))
	}
	for _, subject := range result.unharmed(o.Damage) {
		result.Notes = append(result.Notes, fmt.Sprintf("the run was to show that what %s protects without fencing comes to harm, and no update was lost", subject))
	}
	result.Verdict = r.overall(result)
	switch result.Verdict {
	case Holds:
		result.Exit = ExitHolds
	case Violated:
		result.Exit = ExitViolated
	default:
		result.Exit = ExitUnknown
	}
	return result
}

// promises is true if a property can be of a subject's primitive: what is not
// held has no owners.
func (s *subject) promises(property string) bool {
	switch s.Primitive {
	case history.Queue, history.PriorityQueue, history.Barrier, history.DoubleBarrier:
		return slices.Contains([]string{Progress, Leftovers, Contract, Linearizable, Delivery, Passage}, property)
	}
	return true
}

// overall is the worst verdict of the properties, and notes each one's effect; what is only reported and
// what is excused does not count. A run that is there to show something, and
// does, need not put anything else to the test.
func (r *record) overall(result *Result) Verdict {
	all := properties()
	reported := func(name string) bool {
		k := slices.IndexFunc(all, func(p property) bool { return p.Name == name })
		return k >= 0 && all[k].Reported && !(name == Notice && r.o.NoticeLimit > 0)
	}
	verdict := Holds
	if r.o.CutShort || len(r.unplayed) > 0 || r.disturbed != nil || len(r.unhealed()) > 0 || len(r.unexplained()) > 0 {
		verdict = Unknown
	} else if len(result.missing(r.o.Reproduces)) > 0 || len(result.unharmed(r.o.Damage)) > 0 || len(result.Properties) == 0 || len(r.h.Faults) > 0 && !r.anyFault() || len(r.unfired()) > 0 {
		verdict = Vacuous
	}
	for i := range result.Properties {
		p := &result.Properties[i]
		p.Effect = Holds
		switch {
		case p.Fails(r.o.Strict):
			p.Effect = Violated
		case reported(p.Property):
		case p.Verdict == Unknown || p.Undecided != "":
			p.Effect = Unknown
		case p.Verdict == Vacuous && len(r.o.Reproduces) == 0:
			p.Effect = Vacuous
		}
		verdict = worseVerdict(verdict, p.Effect)
	}
	return verdict
}

// worseVerdict is the worse of two verdicts.
func worseVerdict(a, b Verdict) Verdict {
	order := []Verdict{Holds, Vacuous, Unknown, Violated}
	return order[max(slices.Index(order, a), slices.Index(order, b))]
}

// missing are the known defects of a list that were not found.
func (r *Result) missing(list []Reproduction) []Reproduction {
	return slices.DeleteFunc(slices.Clone(list), func(want Reproduction) bool {
		return slices.ContainsFunc(r.Properties, func(p Property) bool {
			return p.Subject == want.Subject && slices.ContainsFunc(p.Violations, func(v Violation) bool { return v.Known == want.Known })
		})
	})
}

// unharmed are the subjects of a list of which no update was seen to be lost.
func (r *Result) unharmed(subjects []string) []string {
	return slices.DeleteFunc(slices.Clone(subjects), func(subject string) bool {
		return slices.ContainsFunc(r.Properties, func(p Property) bool {
			return p.Subject == subject && p.Property == Damage && p.Figures["lost"] > 0
		})
	})
}

// anyFault is true if any fault was seen to have an effect.
func (r *record) anyFault() bool {
	return slices.ContainsFunc(r.h.Faults, func(f history.Fault) bool { return f.Verified })
}

// notes say what limits the result.
func (r *record) notes() []string {
	var notes []string
	if r.o.CutShort && r.complete {
		notes = append(notes, "the run was cut short: what it would have shown later is not known")
	}
	if !r.complete {
		note := fmt.Sprintf("the record was cut short at %s: nothing is known of what came after", at(r.h.End))
		if !r.isFinal {
			note += ", and whether clients would have finished, observers caught up and keys gone was not seen"
		}
		notes = append(notes, note)
	}
	switch {
	case r.log == nil:
		notes = append(notes, "there is no revision log: what clients were told cannot be compared with what the store did")
	default:
		for _, g := range r.gaps {
			notes = append(notes, fmt.Sprintf("the revision log has a gap: nothing is known of revisions %d through %d", g.From, g.Through))
		}
		if last := r.lastReturn(); r.complete && r.reach < last {
			notes = append(notes, fmt.Sprintf("the revision log is only known to be whole until %s (rev %d), and operations returned until %s", at(r.reach), r.through, at(last)))
		}
	}
	if r.disturbed != nil {
		notes = append(notes, r.disturbance())
	}
	for _, u := range r.unplayed {
		where := ""
		if u.step != "" {
			where = fmt.Sprintf(" (it was at %q)", u.step)
		}
		notes = append(notes, fmt.Sprintf("the script of %s did not come to its end%s: what it would have shown is not known", u.subject, where))
	}
	for _, f := range r.unhealed() {
		notes = append(notes, told(f)+": what came after was under a harm that may have lasted")
	}
	for _, e := range r.unexplained() {
		notes = append(notes, r.mourned(e))
	}
	notes = append(notes, r.ineffective()...)
	for _, name := range r.unfired() {
		notes = append(notes, name+" never had its moment: the run did not do what it was meant to")
	}
	if len(r.h.Faults) > 0 && !r.anyFault() {
		notes = append(notes, "faults were planned and none was seen to have an effect: the run did not put its promises to the test it was meant to be")
	}
	return notes
}

func (r *record) lastReturn() time.Duration {
	var last time.Duration
	for i := range r.h.Operations {
		last = max(last, r.h.Operations[i].Return)
	}
	return last
}

// storedViolations is how many violations of one property are told; all are
// counted.
const storedViolations = 200

// finding is a violation whose sentence is written only if it is kept.
type finding struct {
	Violation
	tell func() string
	// clause is the cause alone, for violations that follow from this one.
	clause func() string
}

// judgement is what a property's function found out about one subject.
type judgement struct {
	findings []finding
	// holds is the sentence if nothing else is to be said; vacuous and unknown,
	// if set, say why the promise was not tested or cannot be judged.
	holds, vacuous, unknown string
	figures                 map[string]float64
}

// property is what a judgement says of a subject.
func (r *record) property(s *subject, name string, j *judgement) Property {
	r.undisturbed(j)
	p := Property{Subject: s.Name, Primitive: s.Primitive, Property: name, Verdict: Holds, Sentence: j.holds, Figures: j.figures}
	switch {
	case len(j.findings) > 0:
		p.Verdict, p.Undecided = Violated, j.unknown
	case j.unknown != "":
		p.Verdict, p.Sentence = Unknown, j.unknown
	case j.vacuous != "":
		p.Verdict, p.Sentence = Vacuous, j.vacuous
	}
	for i := range j.findings {
		r.afterRollback(&j.findings[i])
	}
	slices.SortStableFunc(j.findings, func(a, b finding) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(a.From, b.From),
			strings.Compare(a.Object, b.Object), slices.Compare(a.Witness, b.Witness))
	})
	for _, f := range j.findings[:min(len(j.findings), storedViolations)] {
		f.Sentence = f.tell()
		if n := len(f.Witness); f.Call == "" && n > 0 {
			if op := r.h.Operation(f.Witness[n-1]); op != nil {
				f.Call = op.Kind
			}
		}
		p.Violations = append(p.Violations, f.Violation)
	}
	if len(p.Violations) > 0 {
		p.Sentence = p.Violations[0].Sentence
	}
	return p
}

// rank orders violations, worst first.
func (v *Violation) rank() int {
	switch {
	case v.Known != "":
		return 1
	case v.Blame == BlameLease:
		return 2
	}
	return 0
}
