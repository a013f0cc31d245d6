package holdfast

import (
	"strings"
	"testing"

	"github.com/etcd-holdfast/holdfast/workloads/pipe/conform"
)

// A check says what is wrong where it is, with advice for just that, and does not
// go on with a program that fails the same way again.
func TestCheckOfBrokenPrograms(t *testing.T) {
	t.Parallel()
	need(t, "python3")
	if testing.Short() {
		t.Skip("programs that hang are waited for")
	}
	for name, want := range map[string][]string{
		"hanger": {
			"ok hello without a cluster: ", "FAIL take and give back: it has not answered acquire | does it flush | flush it",
			"FAIL what a grant tells: it hung", "skipped the rest: in the same way twice: it hung",
		},
		"dier": {
			"ok hello without a cluster: ", "FAIL take and give back: it died | the program has a bug | mend what its log tells of",
			"FAIL what a grant tells: it died", "skipped the rest: it died",
		},
		"greeter": {
			`FAIL hello without a cluster: it wrote "Welcome to my lock" | one JSON object a line`, "ok take and give back: 3 times", "ok what a grant tells: ",
			"ok two at once: ", "ok waiting: ", "ok a deadline while waiting: ", "ok rising tokens: ", "ok try-acquire: ", "skipped readers and writers: ",
			"skipped leader and proclaim: ", "skipped observe: ", "ok work: ", "ok loss: ", "ok death of a holder: ", "ok the end: ",
		},
		"ReadsBesideWriters": {
			"ok hello without a cluster: ", "ok take and give back: 3 times", "ok what a grant tells: ", "ok two at once: ", "ok waiting: ",
			"ok a deadline while waiting: ", "ok rising tokens: ", "skipped try-acquire: ", "FAIL readers and writers: is kept out while one writes | both hold",
		},
		"KeepsKeys": {"ok hello without a cluster: ", "FAIL take and give back: is still there | delete it, and answer then"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var steps []conform.Step
			well, err := CheckPipe(t.Context(), "python3 workloads/pipe/testdata/broken.py "+name, func(s conform.Step) { steps = append(steps, s) })
			if err != nil || well {
				t.Errorf("well: %v, error %v", well, err)
			}
			if more := strings.HasPrefix(want[len(want)-1], "FAIL"); len(steps) < len(want) || !more && len(steps) > len(want) {
				t.Fatalf("%d steps: %+v", len(steps), steps)
			}
			for i, want := range want {
				head, words, _ := strings.Cut(want, ": ")
				if got := steps[i].Outcome + " " + steps[i].Name; got != head {
					t.Errorf("step %d is %s: %s; want %s", i, got, steps[i].Text, head)
				}
				for word := range strings.SplitSeq(words, " | ") {
					if !strings.Contains(steps[i].Text, word) {
						t.Errorf("step %d, %s: %s; it lacks %q", i, head, steps[i].Text, word)
					}
				}
			}
		})
	}
}
