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
	Truth    bool
	Members  bool
	Ended    bool // one of them, by itself
	Renewals bool
	Export   string // the command that makes porcupine's picture, or ""
}

// witnessLine is one operation of a witness.
type witnessLine struct {
	ID                                                                    int64
	Client, Kind, Object, Call, Return, Outcome, Key, Token, Lease, Error string
}

func sections(h *history.History, x *index, all []*group) (out []*section, left int) {
	truths := map[*object][]tenure{}
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
				o := concerned(h, x, g.Subject, v)
				if _, ok := truths[o]; !ok && o != nil {
					truths[o] = tenures(h, x, o)
				}
				z := &zoom{history: h, index: x, object: o, truth: truths[o], view: v, overlap: g.Property == exclusion}
				one.Picture, one.Missing = z.draw()
				one.Truth, one.Members, one.Renewals = len(z.truth) > 0, z.members, z.renewals
				one.Ended = z.members && endsWithin(h, z.scale)
				drawn += len(one.Picture)
			}
			s.Violations = append(s.Violations, one)
		}
		s.Rest = rest(g, full)
		out = append(out, s)
	}
	return out, 0
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
