package reports

import (
	"unicode"
	"unicode/utf8"

	"github.com/etcd-holdfast/holdfast/checker"
)

// meaning is a word of the verdicts, explained.
type meaning struct {
	Word, Sign string
	// Class is "good", "bad" or "fair".
	Class string
	Means string
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

// What helps against mistakes of the client library.
const (
	lookAgain = "After every success, check that your own key still exists and owns the object (for a mutex, a transaction with IsOwner) before you act on it, or use a release with the fix."
	giveUp    = "After a call whose outcome is not known, close the session: whatever the call left goes with its lease. Give each holder a session of its own."
)

// libraryPrevents says by property what would have helped where lookAgain would
// not.
var libraryPrevents = map[string]string{
	checker.Leftovers:    giveUp,
	checker.Exclusion:    giveUp,
	checker.Progress:     "Choose names of which none goes on where another ends, and give every wait a deadline.",
	checker.Observe:      "When the channel of an observation is closed, ask who leads and observe again; give a resumed election its prefix with the slash.",
	checker.Linearizable: "Look again after every success: a watch that ended is no answer. Do not use the recipe where history is compacted.",
	checker.Delivery:     "Choose names of which none begins like another, and count what comes out.",
	checker.Passage:      "Look again after every success: a watch that ended is no answer. Do not use the recipe where history is compacted.",
}

var blameMeanings = []meaning{
	{
		Word:    string(checker.BlameServer),
		Means:   "The etcd servers lost or invented something: what they acknowledged is not what they kept.",
		Prevent: "No client can defend itself against this. Report it to etcd with this page and the run's directory.",
	},
	{
		Word:    string(checker.BlameLibrary),
		Means:   "The client library told its caller something that was not so in the store, or left something there of which its caller knows nothing.",
		Prevent: lookAgain,
	},
	{
		Word:    string(checker.BlameLease),
		Means:   "A client went on believing after its lease had ended. A paused or cut-off client cannot know, so every lock made of leases does this.",
		Prevent: "Fence what the lock protects: send the token (the key's create revision) with every write, and let the resource refuse any lower than it has seen.",
	},
	{
		Word:    string(checker.BlameSubject),
		Means:   "The subject's own code is wrong: the servers and the library below it kept their promises.",
		Prevent: "This one is yours to mend: the operations of the witness show the moment at which the code went wrong.",
	},
}

// blameMeaning explains the blame for breaking a property, by its mechanism if
// that is known; it is empty for one that is not known here.
func blameMeaning(property string, b checker.Blame, known string) meaning {
	m := blameInGeneral(property, b)
	if b != checker.BlameLibrary {
		return m
	}
	if prevent := libraryPrevents[property]; prevent != "" && known != "etcd#19597" && known != "etcd#16221" {
		m.Prevent = prevent
	}
	for _, issue := range checker.KnownIssues() {
		if issue.Issue == known && issue.Explanation != "" {
			first, size := utf8.DecodeRuneInString(issue.Explanation)
			m.Means = string(unicode.ToUpper(first)) + issue.Explanation[size:] + "."
		}
	}
	return m
}

func blameInGeneral(property string, b checker.Blame) meaning {
	if property == checker.Contract && (b == checker.BlameLibrary || b == checker.BlameSubject) {
		return meaning{
			Word:    string(b),
			Means:   "A call did not end when its context did, or panicked: whoever relies on its deadline waits on.",
			Prevent: "Do not build on the call's own deadline: watch the session beside it, and close the session when time is up.",
		}
	}
	for _, m := range blameMeanings {
		if m.Word == string(b) {
			return m
		}
	}
	return meaning{Word: string(b)}
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
