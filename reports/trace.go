package reports

import (
	"bytes"
	"fmt"
	"io"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/checker/exact"
	"github.com/etcd-holdfast/holdfast/history"
)

// TraceReport is the judgement of a history file, which may tell of several
// subjects.
type TraceReport struct {
	// Source names the file, Format says what it is, for example "Jepsen EDN".
	Source, Format string
	Parts          []TracePart
}

// TracePart is the judgement of one subject's calls. Subject is "" where the
// file knows only one.
type TracePart struct {
	Subject string
	Trace   *history.Trace
	Result  *checker.TraceResult
}

// Worst is the verdict and the exit code of all parts together.
func (r *TraceReport) Worst() (checker.Verdict, int) {
	verdict, exit := checker.Holds, checker.ExitHolds
	for _, p := range r.Parts {
		switch {
		case exit == checker.ExitViolated:
		case p.Result.Exit == checker.ExitViolated, exit == checker.ExitHolds:
			verdict, exit = p.Result.Verdict, p.Result.Exit
		case p.Result.Verdict == checker.Unknown:
			verdict = checker.Unknown
		}
	}
	if len(r.Parts) == 0 {
		return checker.Vacuous, checker.ExitUnknown
	}
	return verdict, exit
}

// shownViolations is how many objects' violations are told in text, and
// shownCalls how many calls of each: those called last, which are nearest.
const (
	shownViolations = 20
	shownCalls      = 24
)

// TraceText writes the judgement for a terminal: what was read, then for each
// subject the verdict, and for each violation its sentence and its witness.
func TraceText(w io.Writer, r *TraceReport) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s: %s\n", oneLine(r.Source), r.Format)
	for _, p := range r.Parts {
		name := p.Result.Model
		if p.Subject != "" {
			name = oneLine(p.Subject) + " as " + name
		}
		fmt.Fprintf(&b, "\n%s: %s, of %s on %s\n%s: %s\n", name, plural(len(p.Trace.Calls), "call"),
			processes(p.Trace), plural(len(p.Trace.Objects), "object"), p.Result.Verdict, oneLine(p.Result.Sentence))
		for i, v := range p.Result.Violations {
			if i == shownViolations {
				fmt.Fprintf(&b, "  … and %s more\n", plural(len(p.Result.Violations)-i, "object"))
				break
			}
			if i > 0 {
				fmt.Fprintf(&b, "%s\n", oneLine(v.Sentence))
			}
			hidden := max(0, len(v.Witness)-shownCalls)
			if hidden > 0 {
				fmt.Fprintf(&b, "  %s before, all needed for the proof (--json has them)\n", plural(hidden, "call"))
			}
			for k := hidden; k < len(v.Witness); k++ {
				b.WriteString("  " + callLine(p.Trace, &v.Witness[k]) + "\n")
			}
		}
		for i, text := range p.Result.Unknown {
			if i > 0 || p.Result.Verdict != checker.Unknown {
				fmt.Fprintf(&b, "unknown: %s\n", oneLine(text))
			}
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

// processes counts them: "8 processes".
func processes(t *history.Trace) string {
	names := make(map[string]bool, len(t.Processes))
	for _, name := range t.Processes {
		names[name] = true
	}
	if len(names) == 1 {
		return "1 process"
	}
	return fmt.Sprint(len(names), " processes")
}

// callLine tells one call of a witness.
func callLine(t *history.Trace, c *history.Call) string {
	end := "and never returned"
	if c.Return != history.NoReturn {
		end = "returned at " + t.At(c.Return)
	}
	return oneLine(fmt.Sprintf("process %s: %s, called at %s, %s", t.Processes[c.Process], exact.Describe(t, c), t.At(c.Invoke), end))
}

type traceJSON struct {
	Verdict checker.Verdict `json:"verdict"`
	Exit    int             `json:"exit"`
	Source  string          `json:"source"`
	Format  string          `json:"format"`
	Parts   []partJSON      `json:"parts"`
}

type partJSON struct {
	Subject    string               `json:"subject"`
	Model      string               `json:"model"`
	Verdict    checker.Verdict      `json:"verdict"`
	Sentence   string               `json:"sentence"`
	Calls      int                  `json:"calls"`
	Objects    int                  `json:"objects"`
	Violations []traceViolationJSON `json:"violations"`
	Unknown    []string             `json:"unknown"`
}

type traceViolationJSON struct {
	Object   string     `json:"object"`
	Sentence string     `json:"sentence"`
	Witness  []callJSON `json:"witness"`
}

// callJSON is a call; ID is its operation or the line of its invocation, Known
// one of succeeded, refused and unknown.
type callJSON struct {
	ID      int64  `json:"id"`
	Process string `json:"process"`
	Call    string `json:"call"`
	From    string `json:"from"`
	To      string `json:"to"`
	Known   string `json:"known"`
}

// TraceJSON is the judgement as an indented JSON object with a final newline:
//
//	verdict, exit, source, format
//	parts: subject, model, verdict, sentence, calls, objects, unknown
//	  violations: object, sentence
//	    witness:  id, process, call, from, to, known
func TraceJSON(r *TraceReport) ([]byte, error) {
	out := traceJSON{Source: r.Source, Format: r.Format, Parts: []partJSON{}}
	out.Verdict, out.Exit = r.Worst()
	for _, p := range r.Parts {
		part := partJSON{
			Subject: p.Subject, Model: p.Result.Model, Verdict: p.Result.Verdict, Sentence: p.Result.Sentence,
			Calls: len(p.Trace.Calls), Objects: len(p.Trace.Objects),
			Violations: []traceViolationJSON{}, Unknown: append([]string{}, p.Result.Unknown...),
		}
		for _, v := range p.Result.Violations {
			violation := traceViolationJSON{Object: v.Object, Sentence: v.Sentence, Witness: []callJSON{}}
			for k := range v.Witness {
				c := &v.Witness[k]
				known := map[history.Known]string{history.Succeeded: "succeeded", history.Refused: "refused"}[c.Known]
				if known == "" {
					known = "unknown"
				}
				violation.Witness = append(violation.Witness, callJSON{
					ID: c.ID, Process: p.Trace.Processes[c.Process], Call: exact.Describe(p.Trace, c), From: p.Trace.At(c.Invoke), To: p.Trace.At(c.Return), Known: known,
				})
			}
			part.Violations = append(part.Violations, violation)
		}
		out.Parts = append(out.Parts, part)
	}
	return indented(out)
}
