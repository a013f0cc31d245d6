package workloads

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// Rounds are written-down decisions, by client: lines as ParseDecision reads
// them. A client that is not there makes no round before the heal. Nil is no
// such thing: then decisions are drawn.
type Rounds map[string][]string

// IsZero keeps Rounds of nobody in a scenario's YAML: they are not the same as
// none.
func (r Rounds) IsZero() bool { return r == nil }

// Planned returns the function that gives the decisions of client, one a round:
// those that the traffic has written down, until there are no more, or else
// those that Decisions draws.
func Planned(seed int64, client string, t *Traffic) func() (d Decision, more bool) {
	if t.Rounds == nil {
		draw := Decisions(seed, client, t)
		return func() (Decision, bool) { return draw(), true }
	}
	lines := t.Rounds[client]
	return func() (Decision, bool) {
		if len(lines) == 0 {
			return Decision{}, false
		}
		d, err := ParseDecision(lines[0])
		if err != nil { // validated
			panic(err)
		}
		lines = lines[1:]
		if len(d.Objects) > 0 {
			d.Patience = cmp.Or(d.Patience, t.Patience.Max)
		}
		return d, true
	}
}

// String writes the decision as ParseDecision reads it: the objects and what is
// not zero.
func (d Decision) String() string {
	var b strings.Builder
	if len(d.Objects) == 0 {
		b.WriteByte('-')
	}
	for i, object := range d.Objects {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(object))
	}
	word := func(set bool, words ...string) {
		if set {
			for _, w := range words {
				b.WriteByte(' ')
				b.WriteString(w)
			}
		}
	}
	float := func(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }
	word(d.Mode == history.ReadMode, "read")
	word(d.Try, "try")
	word(d.Hold != 0, "hold", d.Hold.String())
	word(d.Guard, "guard")
	word(d.Proclaims != 0, "proclaims", strconv.Itoa(d.Proclaims))
	word(d.Resume, "resume")
	word(d.Draw != 0, "draw", float(d.Draw))
	word(d.Choice != 0, "choice", float(d.Choice))
	word(d.Think != 0, "think", d.Think.String())
	word(d.Patience != 0, "patience", d.Patience.String())
	word(d.Impatience != 0, "impatient", d.Impatience.String())
	word(d.Cancel, "cancel")
	word(d.Keep, "keep")
	return b.String()
}

// ParseDecision reads what a client is to do in one round:
//
//	OBJECT[,OBJECT] [read] [try] [hold DURATION] [guard] [proclaims N] [resume] [draw NUMBER] [choice NUMBER]
//	[think DURATION] [patience DURATION] [impatient DURATION] [cancel] [keep]
//
// Objects are numbers from 0, in rising order. The rest, in any order, are the
// fields of Decision, zero where they are left out; the mode is to write unless
// it says read. In place of a round there can be a pause:
//
//   - think DURATION
func ParseDecision(line string) (Decision, error) {
	d := Decision{Mode: history.WriteMode}
	words := strings.Fields(line)
	if len(words) == 0 {
		return d, errors.New("the round is empty; it begins with an object, as in: 0 hold 120ms")
	}
	if words[0] == "-" {
		if len(words) != 3 || words[1] != "think" {
			return d, fmt.Errorf("%q is no pause, which is written: - think 500ms", line)
		}
		err := d.set(words[1], words[2])
		return d, err
	}
	for text := range strings.SplitSeq(words[0], ",") {
		object, err := strconv.Atoi(text)
		if err != nil || object < 0 {
			return d, fmt.Errorf("%q is not a list of objects, which are numbers from 0; a round begins with it, as in: 0 hold 120ms", words[0])
		}
		if n := len(d.Objects); n > 0 && d.Objects[n-1] >= object {
			return d, fmt.Errorf("the objects %s do not rise: two clients could each wait for the other", words[0])
		}
		d.Objects = append(d.Objects, object)
	}
	seen := make(map[string]bool)
	for words = words[1:]; len(words) > 0; {
		word := words[0]
		words = words[1:]
		if seen[word] {
			return d, fmt.Errorf("%s is there twice", word)
		}
		seen[word] = true
		if d.flag(word) {
			continue
		}
		if !slices.Contains(valued, word) {
			return d, fmt.Errorf("%q is nothing that a round can say; these are: %s", word, strings.Join(slices.Concat(flags, valued), ", "))
		}
		if len(words) == 0 {
			return d, fmt.Errorf("%s needs a value", word)
		}
		if err := d.set(word, words[0]); err != nil {
			return d, err
		}
		words = words[1:]
	}
	return d, nil
}

var (
	flags  = []string{"read", "try", "guard", "resume", "cancel", "keep"}
	valued = []string{"hold", "proclaims", "draw", "choice", "think", "patience", "impatient"}
)

// flag takes a word that stands alone; it returns false for others.
func (d *Decision) flag(word string) bool {
	switch word {
	case "read":
		d.Mode = history.ReadMode
	case "try":
		d.Try = true
	case "guard":
		d.Guard = true
	case "resume":
		d.Resume = true
	case "cancel":
		d.Cancel = true
	case "keep":
		d.Keep = true
	default:
		return false
	}
	return true
}

// set takes a word with a value.
func (d *Decision) set(word, value string) (err error) {
	switch word {
	case "proclaims":
		d.Proclaims, err = strconv.Atoi(value)
		if err != nil || d.Proclaims < 0 || d.Proclaims > 1000 {
			return fmt.Errorf("%s %q is not a number from 0 to 1000", word, value)
		}
	case "draw", "choice":
		field := &d.Draw
		if word == "choice" {
			field = &d.Choice
		}
		*field, err = strconv.ParseFloat(value, 64)
		if err != nil || !(*field >= 0 && *field < 1) {
			return fmt.Errorf("%s %q is not a number from 0 to less than 1", word, value)
		}
	default:
		field := map[string]*time.Duration{"hold": &d.Hold, "think": &d.Think, "patience": &d.Patience, "impatient": &d.Impatience}[word]
		*field, err = time.ParseDuration(value)
		if err != nil || *field < 0 {
			return fmt.Errorf("%s %q is not a duration such as 500ms or 2s", word, value)
		}
	}
	return nil
}

// roundMistakes returns what is wrong with the rounds that are written down,
// but for the names of clients.
func (t *Traffic) roundMistakes() []Mistake {
	var mistakes []Mistake
	if t.Rounds != nil && len(t.Script) > 0 {
		mistakes = append(mistakes, Mistake{"rounds", errors.New("there is a script; clients do one or the other")})
	}
	for _, client := range slices.Sorted(maps.Keys(t.Rounds)) {
		for i, line := range t.Rounds[client] {
			d, err := ParseDecision(line)
			if err == nil && len(d.Objects) > 0 && d.Objects[len(d.Objects)-1] >= t.Objects {
				err = fmt.Errorf("there is no object %d: the workload has keys: %d, and they are numbered from 0", d.Objects[len(d.Objects)-1], t.Objects)
			}
			if err != nil {
				mistakes = append(mistakes, Mistake{fmt.Sprintf("rounds.%s[%d]", client, i), err})
			}
		}
	}
	return mistakes
}
