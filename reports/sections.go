package reports

import (
	"fmt"
	"html/template"
	"slices"
	"strings"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/history"
)

const (
	maxSections = 60      // groups shown
	maxZooms    = 1 << 20 // bytes of zoomed timelines on the page
	maxWitness  = 12      // operations of one witness in its table
)

// exclusion is the property whose violations are overlaps.
const exclusion = "exclusion"

// section is one group of violations on the page.
type section struct {
	ID, Title string
	Plain     string // what it means, in words that need no glossary
	Cause     string
	meaning
	Blame      meaning
	Known      string
	Count      int
	Violations []shown
	Rest       string // what the violations not shown come to
}

// shown is one violation in full.
type shown struct {
	Number   int
	From, To string // in seconds, for scripts
	Place    int    // of the object among all, for scripts; -1 is none
	Object   string
	Sentence string
	Witness  []witnessLine
	Unlisted int
	Picture  template.HTML
	Missing  int // clients that the picture leaves out
	Legend   template.HTML
	Order    *ordered
	Without  string // why there is no Order, where there could be one
	Export   string // the command that makes porcupine's picture, or ""
}

// witnessLine is one operation of a witness.
type witnessLine struct {
	ID                                                                    int64
	Client, Kind, Object, Call, Return, Outcome, Key, Token, Lease, Error string
}

func sections(h *history.History, x *index, all []*group) (out []*section, left int) {
	m := &magnifier{history: h, index: x, truths: map[objectKey][]tenure{}}
	drawn := 0
	for i, g := range all {
		if i == maxSections {
			return out, len(all) - maxSections
		}
		s := &section{
			ID: groupID(i), Title: title(g.Subject, g.Property), Plain: g.plainly(), Cause: g.Violations[0].Cause, Blame: g.blamed(&h.Header), Known: g.Known, Count: len(g.Violations),
			meaning: verdictMeaning(&checker.Property{Verdict: checker.Violated, Violations: []checker.Violation{*g.Violations[0]}}),
		}
		full := g.full()
		for k, v := range g.Violations[:min(full, len(g.Violations))] {
			one := shown{Number: k + 1, Object: v.Object, Sentence: v.Sentence}
			from := min(max(v.From, 0), h.End)
			one.From, one.To = number6(from), number6(min(max(v.To, from), h.End))
			one.Place = slices.Index(x.objects, concerned(h, x, g.Subject, v))
			one.Export = export(g, v)
			one.Witness, one.Unlisted = witness(h, v)
			if drawn < maxZooms {
				one.Picture, one.Legend, one.Missing = m.zoom(g, v).draw()
				one.Order, one.Without = m.orderOf(g, v)
				drawn += len(one.Picture)
				if one.Order != nil {
					drawn += len(one.Order.Picture)
				}
			}
			s.Violations = append(s.Violations, one)
		}
		s.Rest = rest(g, full)
		out = append(out, s)
	}
	return out, 0
}

// magnifier makes the pictures of violations, and keeps what several of them need.
type magnifier struct {
	history *history.History
	index   *index
	truths  map[objectKey][]tenure
	calls   map[objectKey][]int32 // nil as long as nobody asked
}

func (m *magnifier) truth(o *object) []tenure {
	key := objectKey{o.subject, o.name}
	if _, ok := m.truths[key]; !ok {
		m.truths[key] = tenures(m.history, m.index, o)
	}
	return m.truths[key]
}

// maxZoomObjects is of how many objects that nobody holds a picture shows the keys.
const maxZoomObjects = 4

func (m *magnifier) zoom(g *group, v *checker.Violation) *zoom {
	z := &zoom{history: m.history, index: m.index, object: concerned(m.history, m.index, g.Subject, v), view: v, property: g.Property, overlap: g.Property == exclusion}
	if z.object != nil {
		z.subject, _ = m.history.Header.Subject(z.object.subject)
		z.truth = m.truth(z.object)
		return z
	}
	if z.subject, _ = m.history.Header.Subject(g.Subject); !unheld(z.subject.Primitive) {
		return z
	}
	if m.calls == nil {
		m.calls = callsOn(m.history)
	}
	objects := []string{v.Object}
	for _, id := range v.Witness {
		if op := m.history.Operation(id); op != nil && op.Subject == g.Subject && !slices.Contains(objects, op.Object) && len(objects) < maxZoomObjects {
			objects = append(objects, op.Object)
		}
	}
	for _, name := range objects {
		if places := m.calls[objectKey{g.Subject, name}]; places != nil {
			z.objects = append(z.objects, name)
			z.places = append(z.places, places...)
			z.truth = append(z.truth, m.truth(&object{subject: g.Subject, name: name})...)
		}
	}
	slices.Sort(z.places)
	return z
}

// export is the command that makes porcupine's picture of the calls of a violation
// that only their order shows; "" for others, and where a name would need quoting.
func export(g *group, v *checker.Violation) string {
	plain := func(s string) bool {
		return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./") == "" && s[0] != '-'
	}
	if g.Property != checker.Linearizable && g.Property != exclusion || !plain(g.Subject) || !plain(v.Object) {
		return ""
	}
	return "holdfast export . --format porcupine --subject " + g.Subject + " --object " + v.Object
}

// concerned is the object on which a violation shows, by its name or else by
// its witness; nil if there is none.
func concerned(h *history.History, x *index, subject string, v *checker.Violation) *object {
	if o := x.byKey[objectKey{subject, v.Object}]; o != nil {
		return o
	}
	for _, id := range v.Witness {
		if op := h.Operation(id); op != nil {
			return x.byKey[objectKey{op.Subject, op.Object}]
		}
	}
	return nil
}

// rest sums up the violations that are not shown.
func rest(g *group, shown int) string {
	if len(g.Violations) <= shown {
		return ""
	}
	left := g.Violations[shown:]
	from, to := left[0].From, left[0].To
	objects := map[string]bool{}
	for _, v := range left {
		from, to = min(from, v.From), max(to, v.To)
		objects[v.Object] = true
	}
	return fmt.Sprintf("%d more of this kind on %s between %s and %s.", len(left), plural(len(objects), "object"), at(from), at(to))
}

func witness(h *history.History, v *checker.Violation) (out []witnessLine, left int) {
	for _, id := range v.Witness {
		op := h.Operation(id)
		if op == nil {
			continue
		}
		if len(out) == maxWitness {
			left++
			continue
		}
		out = append(out, newWitnessLine(h, op))
	}
	return out, left
}

func newWitnessLine(h *history.History, op *history.Operation) witnessLine {
	line := witnessLine{
		ID: op.ID, Client: op.Client, Kind: string(op.Kind), Object: op.Object, Call: at(op.Call), Return: "–",
		Outcome: string(op.Outcome), Key: strings.TrimPrefix(op.Key, h.Header.ObjectPrefix(op.Subject, op.Object)+"/"), Error: op.Error,
	}
	if op.Mode != "" {
		line.Kind += " (" + string(op.Mode) + ")"
	}
	if op.Value != "" {
		line.Kind += ", value " + shorten(op.Value, 40)
	}
	if op.Prior != "" {
		line.Kind += " on " + shorten(op.Prior, 40)
	}
	if op.Completed() {
		line.Return = at(op.Return)
	} else {
		line.Outcome = "pending"
	}
	if op.Panicked {
		line.Outcome += ", panicked"
	}
	if op.Token != 0 {
		line.Token = fmt.Sprint(op.Token)
	}
	if op.Lease != 0 {
		line.Lease = fmt.Sprintf("%x", op.Lease)
	}
	return line
}
