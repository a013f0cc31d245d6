package reports

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/history"
)

// words say in plain words what went wrong: of a known defect what is on record, of
// others what the promise was, and why it was broken where the cause tells.
func (g *group) words() string {
	if issue, ok := checker.FindKnownIssue(g.Known); ok {
		return issue.Title
	}
	promise, cause := plain(g.Property, g.Primitive), g.Violations[0].Cause
	a, own := adviceOn(g.Property, cause)
	because := a.because
	switch {
	case promise == "" && because == "":
		return g.Property + " is broken"
	case because == "":
		return promise
	case promise == "" || own && telling[g.Property]:
		return because
	case strings.HasPrefix(cause, afterLie) || g.Property == checker.Passage:
		return promise + ": one was told so though " + because
	}
	return promise + ": " + because
}

// telling are the properties whose causes say all that the promise says.
var telling = map[string]bool{
	checker.Fencing: true, checker.Observe: true, checker.Leftovers: true, checker.Contract: true, checker.Delivery: true,
	checker.Passage: true, checker.Linearizable: true, checker.Total: true, checker.Durability: true,
}

// plain says what a broken property means, in words that need no glossary. The
// primitive chooses among them, where one is known.
func plain(property string, p history.Primitive) string {
	leads := p == history.Election || p == history.Service
	switch property {
	case checker.Exclusion:
		switch {
		case leads:
			return "two clients led at the same time"
		case p == history.RWMutex:
			return "a writer and another client held the lock at the same time"
		case p == history.Semaphore:
			return "more clients were let in than there are permits"
		}
		return "two clients held the lock at the same time"
	case checker.Ownership:
		if leads {
			return "a client was told that it leads, and it did not"
		}
		return "a client was told that it holds the lock, and it did not"
	case checker.Linearizable:
		if leads {
			return "no order of events explains who was said to lead"
		}
		return "no order of the calls explains their answers"
	case checker.Progress:
		return "a client that waited was never let in"
	}
	return plainWords[property]
}

// plainWords are for the properties that mean the same of every primitive.
var plainWords = map[string]string{
	checker.Fencing:    "what is protected by tokens took an old one, or lost an update",
	checker.Damage:     "updates that were acknowledged are lost",
	checker.Order:      "a client was let in before one that had asked earlier",
	checker.Notice:     "a client was told too late that it had lost",
	checker.Observe:    "who watched the leader was misled",
	checker.Refusal:    "a client was refused although nobody was in its way",
	checker.Leftovers:  "something that was given up stayed behind",
	checker.Contract:   "a call did what no call may do",
	checker.Delivery:   "a queue lost an item, or gave it out wrongly",
	checker.Passage:    "a barrier let a client through",
	checker.Total:      "an amount was made or lost",
	checker.Lease:      "etcd ended a lease before its time",
	checker.Durability: "the store lost what it had acknowledged",
}

// capitalised begins with a capital letter, as a sentence does.
func capitalised(words string) string {
	first, size := utf8.DecodeRuneInString(words)
	return string(unicode.ToUpper(first)) + words[size:]
}
