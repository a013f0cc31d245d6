package reports

import (
	"testing"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/history"
)

func TestUnbroken(t *testing.T) {
	for _, test := range []struct{ command, want string }{
		{"holdfast run quick --seed 7 --strict", `<span class="word">holdfast</span> <span class="word">run</span> <span class="word">quick</span> <span class="word">--seed 7</span> <span class="word">--strict</span>`},
		{"a --b=c <d>", `<span class="word">a</span> <span class="word">--b=c</span> <span class="word">&lt;d&gt;</span>`},
		{"--a  b", `<span class="word">--a </span> <span class="word">b</span>`},
	} {
		if got := string(unbroken(test.command)); got != test.want {
			t.Errorf("%q:\n%s\nand not\n%s", test.command, got, test.want)
		}
	}
}

// What a run does to a build is said, and whether all that failed was to fail.
func TestFate(t *testing.T) {
	failing := func(subject string) checker.Property {
		return checker.Property{Subject: subject, Property: checker.Exclusion, Verdict: checker.Violated, Effect: checker.Violated, Violations: []checker.Violation{{Blame: checker.BlameSubject}}}
	}
	known := checker.Property{Subject: "mine", Property: checker.Exclusion, Verdict: checker.Violated, Effect: checker.Violated, Violations: []checker.Violation{{Blame: checker.BlameLibrary, Known: "etcd#22082"}}}
	h := &history.History{Header: history.Header{Subjects: []history.SubjectInfo{{Name: "planted", Origin: history.Broken}, {Name: "mine", Origin: history.FromUser}}}}
	for _, test := range []struct {
		result checker.Result
		want   string
	}{
		{checker.Result{Verdict: checker.Holds, Properties: []checker.Property{{Verdict: checker.Holds}}}, "The build passes (exit 0)"},
		{checker.Result{Verdict: checker.Vacuous, Exit: 2}, "The build fails (exit 2)"},
		{checker.Result{Verdict: checker.Violated, Exit: 1, Properties: []checker.Property{failing("mine")}}, "The build fails (exit 1)"},
		{checker.Result{Verdict: checker.Violated, Exit: 1, Properties: []checker.Property{failing("planted"), failing("mine")}}, "The build fails (exit 1)"},
		{checker.Result{Verdict: checker.Violated, Exit: 1, Properties: []checker.Property{failing("planted")}}, "The build fails (exit 1), as it should: only what is broken on purpose did fail"},
		{checker.Result{Verdict: checker.Violated, Exit: 1, Properties: []checker.Property{known}}, "The build fails (exit 1)"}, // judged strictly
		{checker.Result{Verdict: checker.Violated, Exit: 1, Properties: []checker.Property{failing("planted"), known}}, "The build fails (exit 1)"},
	} {
		if got := newHeadline(&Report{History: h, Result: &test.result}, groups(&test.result)).Fate; got != test.want {
			t.Errorf("%q and not %q", got, test.want)
		}
	}
}

// The first screen names one group of each other subject, the worst of it, and counts
// the subjects that are left.
func TestOthers(t *testing.T) {
	result := &checker.Result{Verdict: checker.Violated, Exit: 1}
	for _, subject := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i"} {
		for _, property := range []string{checker.Order, checker.Exclusion} {
			result.Properties = append(result.Properties, checker.Property{Subject: subject, Property: property, Verdict: checker.Violated, Violations: []checker.Violation{{Blame: checker.BlameSubject}}})
		}
	}
	result.Properties = append(result.Properties, checker.Property{Subject: "known", Property: checker.Exclusion, Verdict: checker.Violated, Violations: []checker.Violation{{Blame: checker.BlameLibrary, Known: "etcd#22082"}}})
	h := newHeadline(&Report{Result: result}, groups(result))
	if h.Subject != "a" || h.Where != "a · exclusion" {
		t.Errorf("the worst is %s", h.Where)
	}
	if len(h.Others) != maxOthers || h.Unnamed != 2 || h.Others[0].Title != "b: two clients held the lock at the same time" || h.Others[0].Link != groupID(1) {
		t.Errorf("%+v and %d more", h.Others, h.Unnamed)
	}
}

func TestTight(t *testing.T) {
	if got, want := tight("from 12.526 s to 3 ms, 5 µs, rev 7 set"), "from 12.526\u00a0s to 3\u00a0ms, 5\u00a0µs, rev 7 set"; got != want {
		t.Errorf("%q and not %q", got, want)
	}
}
