package reports

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"math"
	"strconv"
	"time"

	"github.com/etcd-holdfast/holdfast/checker"
)

// verdictJSON is verdict.json. Nothing in it depends on when or where the
// verdict was reached: judging the same run again gives the same bytes.
type verdictJSON struct {
	Verdict    checker.Verdict `json:"verdict"`
	Exit       int             `json:"exit"`
	Seed       int64           `json:"seed"`
	Scenario   string          `json:"scenario"`
	Properties []propertyJSON  `json:"properties"`
	Faults     []faultJSON     `json:"faults"`
	Unfired    []string        `json:"unfired"`
	Ended      []endedJSON     `json:"ended"`
	Notes      []string        `json:"notes"`
}

// propertyJSON tells of the property's worst violation; Count is how many
// there are.
type propertyJSON struct {
	Subject  string             `json:"subject"`
	Property string             `json:"property"`
	Verdict  checker.Verdict    `json:"verdict"`
	Effect   checker.Verdict    `json:"effect"`
	Blame    checker.Blame      `json:"blame"`
	Known    string             `json:"known"`
	Count    int                `json:"count"`
	Sentence string             `json:"sentence"`
	Witness  []int64            `json:"witness"`
	Figures  map[string]float64 `json:"figures"`
}

type faultJSON struct {
	Fault    string  `json:"fault"`
	Target   string  `json:"target"`
	From     seconds `json:"from"`
	To       seconds `json:"to"`
	Verified bool    `json:"verified"`
	Evidence string  `json:"evidence"`
	// Unfired, Uninjected and Unhealed are why it did no harm, or more than it should.
	When       string `json:"when"`
	Unfired    bool   `json:"unfired"`
	Uninjected bool   `json:"uninjected"`
	Unhealed   string `json:"unhealed"`
}

// endedJSON is the end of a member that nobody had ended.
type endedJSON struct {
	Member string  `json:"member"`
	At     seconds `json:"at"`
	How    string  `json:"how"`
	Fault  string  `json:"fault"`
}

// seconds is written as the exact decimal number: 1.25 for 1.25 s.
type seconds time.Duration

func (s seconds) MarshalJSON() ([]byte, error) {
	whole, rest := int64(s)/int64(time.Second), int64(s)%int64(time.Second)
	if rest == 0 {
		return strconv.AppendInt(nil, whole, 10), nil
	}
	sign := ""
	if s < 0 {
		sign, whole, rest = "-", -whole, -rest
	}
	fraction := strconv.FormatInt(rest+int64(time.Second), 10)[1:]
	return []byte(sign + strconv.FormatInt(whole, 10) + "." + string(bytes.TrimRight([]byte(fraction), "0"))), nil
}

//go:embed verdict.schema.json
var verdictSchema []byte

// VerdictSchema is the JSON schema (2020-12) of verdict.json.
func VerdictSchema() []byte { return bytes.Clone(verdictSchema) }

// JSON is verdict.json: an indented object that ends in a newline, with these
// keys, all of them always there:
//
//	verdict, exit, seed, scenario
//	properties: subject, property, verdict, effect, blame, known, count,
//	            sentence, witness, figures
//	faults:     fault, target, from, to, verified, evidence, when, unfired,
//	            uninjected, unhealed
//	ended:      member, at, how, fault
//	unfired, notes: sentences
//
// Effect is the verdict that the property alone would give the run: holds for what
// is only reported or allowed. Unfired are the entries of planned faults whose moment
// never came; a fault says so of itself, when it was to come, whether it was tried in
// vain (uninjected), and why it could not be healed (unhealed, "" if it could). Ended
// are the members that died though the run had not ended them, with the fault that
// explains it or "". Notes are what else limits the result. [VerdictSchema] is its JSON schema.
// Blame, known, witness (operation IDs) and sentence are those of the
// property's worst violation; count is how many violations there are. Blame
// and known are "" where there is none, witness and figures then are empty.
// From and to are decimal seconds since the start of the run on the run's
// clock; to is 0 if the fault was never healed. A figure that is not a finite
// number is left out, since JSON has none.
func JSON(r *Report) ([]byte, error) {
	result := r.result()
	out := verdictJSON{
		Verdict: result.Verdict, Exit: result.Exit, Seed: r.Seed, Scenario: r.Scenario,
		Properties: make([]propertyJSON, 0, len(result.Properties)), Faults: []faultJSON{},
		Ended: []endedJSON{}, Unfired: append([]string{}, result.Unfired...), Notes: append([]string{}, result.Notes...),
	}
	for i := range result.Properties {
		out.Properties = append(out.Properties, propertyOf(&result.Properties[i]))
	}
	for _, f := range r.history().Faults {
		out.Faults = append(out.Faults, faultJSON{
			Fault: f.Kind, Target: f.Target, From: seconds(f.From), To: seconds(f.To), Verified: f.Verified, Evidence: f.Evidence,
			When: f.When, Unfired: f.Unfired, Uninjected: f.Uninjected, Unhealed: f.Error,
		})
	}
	for _, e := range result.Ends {
		out.Ended = append(out.Ended, endedJSON{Member: e.Member, At: seconds(e.At), How: e.How, Fault: e.Fault})
	}
	return indented(out)
}

// indented is a value as JSON for people, with a final newline.
func indented(value any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func propertyOf(p *checker.Property) propertyJSON {
	out := propertyJSON{
		Subject: p.Subject, Property: p.Property, Verdict: p.Verdict, Effect: p.Effect, Count: len(p.Violations),
		Sentence: p.Sentence, Witness: []int64{}, Figures: make(map[string]float64, len(p.Figures)),
	}
	for name, value := range p.Figures {
		if !math.IsNaN(value) && !math.IsInf(value, 0) {
			out.Figures[name] = value
		}
	}
	if len(p.Violations) > 0 {
		worst := &p.Violations[0]
		out.Blame, out.Known = worst.Blame, worst.Known
		out.Witness = append(out.Witness, worst.Witness...)
		if worst.Sentence != "" {
			out.Sentence = worst.Sentence
		}
	}
	return out
}
