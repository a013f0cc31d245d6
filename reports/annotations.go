package reports

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/etcd-holdfast/holdfast/checker"
)

// annotationLimit is how many annotations of one level GitHub shows of a step.
const annotationLimit = 10

// Annotations are workflow commands of GitHub Actions, a line each: an error for what
// fails the run, a warning for what is unknown or vacuous, and a notice for what is
// violated and allowed; ten of each at most.
func Annotations(r *Report) []byte {
	result := r.result()
	var b bytes.Buffer
	written := map[string]int{}
	annotate := func(level, title, text string) {
		if written[level]++; written[level] <= annotationLimit {
			fmt.Fprintf(&b, "::%s title=%s::%s\n", level, workflowProperty("holdfast: "+title), workflowData(text))
		}
	}
	for i := range result.Properties {
		p := &result.Properties[i]
		switch name := title(p.Subject, p.Property); {
		case p.Effect == checker.Violated:
			annotate("error", name, sentence(p)+" To see it again: "+r.Command)
		case p.Effect == checker.Unknown || p.Effect == checker.Vacuous:
			annotate("warning", name, string(p.Effect)+": "+sentence(p))
		case p.Verdict == checker.Violated:
			annotate("notice", name, sentence(p))
		}
	}
	if result.Verdict != checker.Holds && written["error"]+written["warning"] == 0 {
		annotate("warning", "run", overall(result)+"; "+strings.Join(result.Notes, "; "))
	}
	return b.Bytes()
}

// workflowData and workflowProperty escape what a workflow command says, and what
// its parameters are: https://github.com/actions/toolkit/blob/main/docs/commands.md
func workflowData(text string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(oneLine(text))
}

func workflowProperty(text string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(workflowData(text))
}
