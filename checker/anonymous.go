package checker

import (
	"slices"
	"sort"

	"github.com/etcd-holdfast/holdfast/history"
)

// withoutFalseNames returns the history with the keys and tokens taken off the
// acquires and releases of those users' subjects whose tokens are no create
// revisions: a fencing token need only rise, and a counter does. Such a subject
// is then one that does not name its keys; its fenced operations keep their
// tokens. Subjects of etcd's recipes, and planted ones, are held to what they
// say, and so are programs that say what their layout is: their protocol has it
// that their tokens are create revisions then.
//
// A subject's tokens are taken for create revisions if each of them that the
// log covers is one, of a key that fits and that may have been made during the
// acquire.
func withoutFalseNames(h *history.History) *history.History {
	users := slices.ContainsFunc(h.Header.Subjects, func(s history.SubjectInfo) bool { return s.Origin == history.FromUser })
	if h.Revisions == nil || !users {
		return h
	}
	lives := h.Revisions.Lives("")
	createdAt := func(revision int64) []history.Life {
		from := sort.Search(len(lives), func(k int) bool { return lives[k].Create >= revision })
		end := from
		for end < len(lives) && lives[end].Create == revision {
			end++
		}
		return lives[from:end]
	}
	misnamed := make(map[string]bool)
	for i := range h.Operations {
		op := &h.Operations[i]
		if !op.Kind.Acquires() || op.Kind == history.Resume || op.Outcome != history.Ok || op.Token == 0 || misnamed[op.Subject] {
			continue
		}
		info, listed := h.Header.Subject(op.Subject)
		if listed && (info.Origin != history.FromUser || info.Program && info.Layout != history.NoLayout) || op.Token <= h.Revisions.Through && !h.Revisions.Covers(op.Token, op.Token) {
			continue
		}
		misnamed[op.Subject] = !slices.ContainsFunc(createdAt(op.Token), func(life history.Life) bool {
			return (op.Key == "" || op.Key == life.Key) && h.Revisions.Earliest(life.Create) <= op.Return && h.Revisions.Latest(life.Create) >= op.Call
		})
	}
	if !slices.ContainsFunc(h.Header.Subjects, func(s history.SubjectInfo) bool { return misnamed[s.Name] }) {
		return h
	}
	copied := *h
	copied.Operations = slices.Clone(h.Operations)
	for i := range copied.Operations {
		if op := &copied.Operations[i]; misnamed[op.Subject] && op.Kind != history.FencedRead && op.Kind != history.FencedWrite {
			op.Key, op.Token = "", 0
		}
	}
	return &copied
}
