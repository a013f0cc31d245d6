package checker

import (
	"slices"
	"testing"
)

// Whatever a violation can be known as is described, once.
func TestEveryKnownIssueIsDescribed(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range KnownIssues() {
		if seen[k.Issue] || k.Issue == "" || k.Title == "" || k.Explanation == "" || k.Prevention == "" {
			t.Errorf("%+v", k)
		}
		seen[k.Issue] = true
		if found, ok := FindKnownIssue(k.Issue); !ok || found != k {
			t.Errorf("%s is found as %+v", k.Issue, found)
		}
	}
	for _, m := range mechanisms() {
		if !seen[m.issue] {
			t.Errorf("the mechanism %s is not described", m.issue)
		}
	}
	if _, ok := FindKnownIssue("etcd#0"); ok {
		t.Error("etcd#0 is known")
	}
	some := KnownIssues()
	some[0].Issue = "changed"
	if slices.ContainsFunc(KnownIssues(), func(k KnownIssue) bool { return k.Issue == "changed" }) {
		t.Error("callers can change the list")
	}
}
