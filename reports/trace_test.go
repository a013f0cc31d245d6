package reports

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/history"
)

func part(verdict checker.Verdict, exit, witness int) TracePart {
	p := TracePart{Subject: "s", Trace: &history.Trace{Processes: []string{"c1"}, Objects: []string{"a"}},
		Result: &checker.TraceResult{Model: "mutex", Verdict: verdict, Exit: exit, Sentence: "so it is"}}
	if witness > 0 {
		v := checker.TraceViolation{Object: "a", Sentence: "so it is"}
		for i := range witness {
			v.Witness = append(v.Witness, history.Call{ID: int64(i), Invoke: int64(i), Return: history.NoReturn, Function: history.FunctionAcquire})
		}
		p.Result.Violations = []checker.TraceViolation{v}
	}
	return p
}

// TestTraceReportIsAsBadAsItsWorstPart covers every pair of verdicts.
func TestTraceReportIsAsBadAsItsWorstPart(t *testing.T) {
	parts := []TracePart{part(checker.Holds, 0, 0), part(checker.Vacuous, 2, 0), part(checker.Unknown, 2, 0), part(checker.Violated, 1, 1)}
	for i := range parts { // from best to worst
		for k := range parts {
			r := &TraceReport{Parts: []TracePart{parts[i], parts[k]}}
			want := parts[max(i, k)].Result
			if verdict, exit := r.Worst(); verdict != want.Verdict || exit != want.Exit {
				t.Errorf("%s and %s: %s, exit %d", parts[i].Result.Verdict, parts[k].Result.Verdict, verdict, exit)
			}
		}
	}
	if verdict, exit := (&TraceReport{}).Worst(); verdict != checker.Vacuous || exit != checker.ExitUnknown {
		t.Errorf("nothing: %s, exit %d", verdict, exit)
	}
}

// TestLongWitness: the text shows the calls nearest to the violation and says
// how many there are more; JSON has them all.
func TestLongWitness(t *testing.T) {
	r := &TraceReport{Source: "x.edn", Format: "a history", Parts: []TracePart{part(checker.Violated, 1, 30)}}
	var b bytes.Buffer
	if err := TraceText(&b, r); err != nil {
		t.Fatal(err)
	}
	if text := b.String(); strings.Count(text, "  process c1:") != shownCalls || !strings.Contains(text, "6 calls before, all needed") {
		t.Error(text)
	}
	content, err := TraceJSON(r)
	if err != nil {
		t.Fatal(err)
	}
	var out traceJSON
	if err := json.Unmarshal(content, &out); err != nil || len(out.Parts[0].Violations[0].Witness) != 30 || out.Exit != 1 {
		t.Errorf("%v: %s", err, content)
	}
}
