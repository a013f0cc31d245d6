package reports

import (
	"slices"
	"strconv"
	"strings"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/history"
)

// meaning is a word of the verdicts, explained.
type meaning struct {
	Word, Sign string
	// Class is "good", "bad" or "fair".
	Class string
	Means string
	// Who is a blame's word in plain words, and Of what the subject is.
	Who, Of string
	// Prevent is what would have prevented it, for a blame.
	Prevent string
}

// allowed is shown for what is violated and does not fail a run.
const allowed = "violated, allowed"

// measured is shown for damage that was done where nothing was fenced: holds
// would be too good a word for it.
const measured = "reported"

var verdictMeanings = []meaning{
	{Word: string(checker.Holds), Sign: "✓", Class: "good", Means: "The promise was put to the test and kept."},
	{Word: string(checker.Violated), Sign: "✗", Class: "bad", Means: "A few operations of the record, the witness, prove that the promise was broken. The run fails."},
	{Word: allowed, Sign: "!", Class: "fair", Means: "The promise was broken, but only by a known defect or by a belief that outlived its lease. The run fails by it only when judged strictly."},
	{Word: measured, Sign: "≈", Class: "fair", Means: "A measurement, not a promise: how much was lost of what no fence protects. It fails no run; without fencing a lock made of leases cannot prevent it."},
	{Word: string(checker.Unknown), Sign: "?", Class: "fair", Means: "The record does not suffice to decide. This is not a pass."},
	{Word: string(checker.Vacuous), Sign: "○", Class: "fair", Means: "The run never put the promise to the test. This is not a pass."},
}

// What helps against mistakes of the client library that are not on record.
const (
	lookAgain = "After every success, check that your own key still exists and owns the object (for a mutex, a transaction with IsOwner) before you act on it, or use a release with the fix."
	giveUp    = "After a call whose outcome is not known, close the session: whatever the call left goes with its lease."
)

var blameMeanings = []meaning{
	{
		Word: string(checker.BlameServer), Who: "the etcd servers",
		Means:   "The etcd servers lost or invented something: what they acknowledged is not what they kept.",
		Prevent: "No client can defend itself against this. Report it to etcd with this page and the run's directory.",
	},
	{
		Word: string(checker.BlameLibrary), Who: "etcd’s client library",
		Means:   "The client library told its caller something that was not so in the store, or left something there of which its caller knows nothing.",
		Prevent: lookAgain,
	},
	{
		Word: string(checker.BlameLease), Who: "nobody’s code: a lease ended",
		Means:   "A client went on believing after its lease had ended. A paused or cut-off client cannot know, so every lock made of leases does this.",
		Prevent: "Fence what the lock protects: send the token (the key's create revision) with every write, and let the resource refuse any lower than it has seen.",
	},
	{
		Word: string(checker.BlameSubject), Who: "the code under test",
		Means:   "The subject's own code is wrong: the servers and the library below it kept their promises.",
		Prevent: "This one is yours to mend: the operations of the witness show the moment at which the code went wrong.",
	},
}

// blamed explains the blame for a group of violations, by their mechanism where
// that is known; it is empty for a blame that is not known here.
func (g *group) blamed(h *history.Header) meaning {
	m := meaning{Word: string(g.Blame)}
	for _, general := range blameMeanings {
		if general.Word == string(g.Blame) {
			m = general
		}
	}
	subject, named := h.Subject(g.Subject)
	if g.Blame == checker.BlameSubject && named && subject.Origin != "" {
		m.Who = "the code of " + g.Subject
	}
	if named && g.Blame != checker.BlameLease {
		m.Of = about(&subject)
	}
	if g.Blame == checker.BlameLibrary && slices.Contains(services, g.Subject) {
		m.Who = "etcd’s service, which its servers run"
	}
	if issue, ok := checker.FindKnownIssue(g.Known); ok {
		if g.Blame == checker.BlameLease {
			m.Who = "a lease that ended, and etcd’s client library, which told of it late"
		}
		m.Means = capitalised(issue.Explanation) + "."
		m.Prevent = issue.Prevention
		return m
	}
	if g.Blame == checker.BlameSubject || g.Blame == checker.BlameLibrary {
		if a, _ := adviceOn(g.Property, g.Violations[0].Cause); a.prevent != "" {
			m.Prevent = a.prevent
			if a.prevent == askAgain && g.Primitive == history.Semaphore {
				m.Prevent = countOlder
			}
		}
	}
	return m
}

// services are the subjects that are services of etcd's, on top of its client library.
var services = []string{"v3lock", "v3election"}

// about says what a subject is, and whose.
func about(s *history.SubjectInfo) string {
	whose := ""
	switch s.Origin {
	case history.FromEtcd:
		whose = "etcd’s own"
	case history.Corrected:
		whose = "holdfast’s own, with the defects of etcd’s that are on record mended"
	case history.Broken:
		whose = "broken on purpose, to show that it is found"
	case history.FromUser:
		whose = "the user’s own"
	}
	if s.About == "" {
		return whose
	}
	if whose == "" {
		return s.About
	}
	return s.About + " (" + whose + ")"
}

// issueLink is where an issue of etcd's can be read; "" for what is only named.
func issueLink(known string) string {
	number, ok := strings.CutPrefix(known, "etcd#")
	if _, err := strconv.ParseUint(number, 10, 32); !ok || err != nil {
		return ""
	}
	return "https://github.com/etcd-io/etcd/issues/" + number
}

// verdictMeaning is how to show a property's verdict.
func verdictMeaning(p *checker.Property) meaning {
	word := string(p.Verdict)
	if p.Verdict == checker.Violated && len(p.Violations) > 0 && !p.Fails(false) {
		word = allowed
	}
	if lossy(p) {
		word = measured
	}
	for _, m := range verdictMeanings {
		if m.Word == word {
			return m
		}
	}
	return meaning{Word: word, Sign: "?", Class: "fair"}
}
