package reports

import (
	"github.com/etcd-holdfast/holdfast/history"
)

const (
	// maxExact is up to how many operations a page has every one for its scripts.
	maxExact = 250_000
	// maxChosen is how many operations of a longer run it has: those around the
	// violations. Of the others it has how densely they fill the time.
	maxChosen = 20_000
	// maxTexts is up to how many operations the page has their values, too.
	maxTexts = 30_000
	// maxCells bounds the numbers that tell densities; maxMoments those of a lane.
	maxCells   = 1_500_000
	maxMoments = 2000
	// rateMoments is of how many moments the rate of calls is told.
	rateMoments = 1000
)

// explored is the head of what the page's scripts work on. Times are in
// microseconds on the run's clock; strings are harmless as text only.
type explored struct {
	End      int64
	Total    int // operations of the run
	Listed   int // of which the columns have these
	Clients  []string
	Places   [][2]string // subject and object
	Kinds    []string
	Outcomes []string
	Texts    []string
	// Windows are the times of which every operation is listed; nil is all.
	Windows [][2]int64
	Faults  []exploredFault
	Members []exploredMember
	Phases  []exploredMark
	Told    []exploredMark // by client: told that its session is over
	Crashes []exploredMark
	// Violations are those that the page tells of.
	Violations []exploredViolation
	Witnesses  []int64
	Owners     int // spans of ownership in the columns
	Rates      int // moments of which the columns have the calls
	// Moments is how many parts the run is cut into for Lanes, of which the
	// columns say how densely they are filled; zero if all operations are listed.
	Moments int
	Lanes   [][2]int // place and client
}

type exploredFault struct {
	ID, From, To   int64
	Label, Details string
	Verified       bool
	Clients        []int `json:",omitempty"` // whom it hit; none if it hit members
}

type exploredMember struct {
	Name   string
	States []exploredState
	Ends   []exploredMark `json:",omitempty"` // it died, and nobody had killed it
}

type exploredState struct {
	From, To int64
	State    string
}

type exploredMark struct {
	At     int64
	Client int
	Text   string
}

type exploredViolation struct {
	From, To int64
	Place    int
	Title    string
}

// explorer gathers what the scripts need of a history.
type explorer struct {
	history *history.History
	index   *index
	groups  []*group
	head    explored
	columns numbers
	clients names
	texts   names
	kinds   names
	ends    names
	places  map[objectKey]int
	order   []objectKey
}

// names numbers strings in the order in which they come.
type names struct {
	places map[string]int
	list   []string
}

func (n *names) place(s string) int {
	i, ok := n.places[s]
	if !ok {
		if n.places == nil {
			n.places = map[string]int{}
		}
		i = len(n.list)
		n.places[s] = i
		n.list = append(n.list, s)
	}
	return i
}

func newExplorer(h *history.History, x *index, all []*group) *explorer {
	e := &explorer{history: h, index: x, groups: all, places: map[objectKey]int{}}
	for _, o := range x.objects {
		e.place(objectKey{o.subject, o.name})
	}
	return e
}

func (e *explorer) place(key objectKey) int {
	i, ok := e.places[key]
	if !ok {
		i = len(e.order)
		e.places[key] = i
		e.order = append(e.order, key)
	}
	return i
}

// placeOf is the place of the object on which a violation shows, or -1.
func (e *explorer) placeOf(o *object) int {
	if o == nil {
		return -1
	}
	return e.place(objectKey{o.subject, o.name})
}

// pack returns the data in at most room bytes, or "" if it does not fit.
func (e *explorer) pack(room int) (string, error) {
	exact := len(e.history.Operations) <= maxExact
	for moments := maxMoments; moments >= 50; moments /= 2 {
		*e = *newExplorer(e.history, e.index, e.groups)
		e.events()
		e.violations()
		var chosen []int
		if !exact {
			chosen = e.choose()
		}
		e.operations(chosen, exact)
		e.owners(exact)
		e.rates()
		if !exact {
			e.density(moments)
		}
		e.head.Clients, e.head.Texts, e.head.Kinds, e.head.Outcomes = e.clients.list, e.texts.list, e.kinds.list, e.ends.list
		for _, key := range e.order {
			e.head.Places = append(e.head.Places, [2]string{label(subjectName(key.subject), 60), label(key.object, 60)})
		}
		text, err := packed(&e.head, &e.columns)
		if err != nil || len(text) <= room {
			return text, err
		}
		if exact {
			exact, moments = false, 2*maxMoments
		}
	}
	return "", nil
}

func label(s string, width int) string { return shorten(oneLine(s), width) }

func (e *explorer) client(name string) int { return e.clients.place(label(name, 40)) }

// operations adds those chosen, or all.
func (e *explorer) operations(chosen []int, all bool) {
	h := e.history
	n := len(chosen)
	if all {
		n = len(h.Operations)
	}
	e.head.Listed = n
	each := func(column func(*history.Operation)) {
		for k := range n {
			if all {
				column(&h.Operations[k])
			} else {
				column(&h.Operations[chosen[k]])
			}
		}
	}
	c := &e.columns
	last := int64(0)
	each(func(op *history.Operation) { c.signed(op.ID - last); last = op.ID })
	last = 0
	each(func(op *history.Operation) { c.signed(micros(op.Call) - last); last = micros(op.Call) })
	each(func(op *history.Operation) { // how long it took, and one; or nothing
		if op.Completed() {
			c.number(micros(op.Return) - micros(op.Call) + 1)
		} else {
			c.number(0)
		}
	})
	each(func(op *history.Operation) { c.number(int64(e.client(op.Client))) })
	each(func(op *history.Operation) { c.number(int64(e.place(objectKey{op.Subject, op.Object}))) })
	each(func(op *history.Operation) { c.number(int64(e.kind(op))) })
	each(func(op *history.Operation) { c.number(int64(e.ends.place(outcome(op)))) })
	last = 0
	each(func(op *history.Operation) {
		if c.signed(op.Token - last); op.Token != 0 {
			last = op.Token
		}
	})
	each(func(op *history.Operation) { // how long what it began was held, and how that ended
		if hold := e.index.holds[op.ID]; hold != nil {
			c.number(4*(micros(hold.End)-micros(hold.Start)) + endings[hold.Ended] + 4)
		} else {
			c.number(0)
		}
	})
	each(func(op *history.Operation) { c.number(int64(e.texts.place(e.text(op, n)))) })
}

// endings are numbers for how a hold ended; data.js has the words.
var endings = map[history.HoldEnd]int64{history.EndReleased: 0, history.EndLost: 1, history.EndCrashed: 2, history.EndOfRecord: 3}

// kind is a number whose lowest bit says that the operation is an acquire.
func (e *explorer) kind(op *history.Operation) int {
	name := label(string(op.Kind), 24)
	if op.Mode != "" {
		name += " (" + label(string(op.Mode), 12) + ")"
	}
	k := 2 * e.kinds.place(name)
	if op.Kind.Acquires() {
		k++
	}
	return k
}

func outcome(op *history.Operation) string {
	if !op.Completed() {
		return "pending"
	}
	return label(string(op.Outcome), 20)
}

// text is what else there is to say of one of n operations.
func (e *explorer) text(op *history.Operation, n int) string {
	text := ""
	if n <= maxTexts && op.Value != "" {
		text = "value " + label(op.Value, 40)
	}
	if op.Error != "" && (n <= maxTexts || len(e.texts.list) < maxTexts) {
		if text != "" {
			text += "; "
		}
		text += label(op.Error, 140)
	}
	return text
}

// owners adds who owned each object, by the revision log.
func (e *explorer) owners(exact bool) {
	if !exact {
		return
	}
	c := &e.columns
	for k, o := range e.index.objects {
		for _, t := range tenures(e.history, e.index, o) {
			if t.owns == history.Never {
				continue
			}
			e.head.Owners++
			c.number(int64(k))
			c.number(int64(e.client(t.client)))
			c.time(t.owns)
			c.number(micros(t.deleted) - micros(t.owns))
			c.number(t.life.Create)
			ended := int64(0)
			if t.life.ByLease {
				ended = 1
			}
			c.number(ended)
		}
	}
}

// rates adds how many calls were made in each moment: of those that went well,
// and of the others.
func (e *explorer) rates() {
	var good, other [rateMoments]int64
	for i := range e.history.Operations {
		op := &e.history.Operations[i]
		m := min(max(micros(op.Call), 0), e.head.End-1) * rateMoments / e.head.End
		if op.Outcome == history.Ok {
			good[m]++
		} else {
			other[m]++
		}
	}
	e.head.Rates = rateMoments
	for _, counts := range [][rateMoments]int64{good, other} {
		for _, n := range counts {
			e.columns.number(n)
		}
	}
}
