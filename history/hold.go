package history

import (
	"cmp"
	"sort"
	"time"
)

// HoldEnd says why a client's belief ended.
type HoldEnd string

// The ends of a hold.
const (
	// EndReleased: the client called release or resign.
	EndReleased HoldEnd = "released"
	// EndLost: the client was told that its session is over, and heeded it.
	EndLost HoldEnd = "lost"
	// EndCrashed: the client died.
	EndCrashed HoldEnd = "crashed"
	// EndOfRecord: the client believed until the record ended.
	EndOfRecord HoldEnd = "open"
)

// Hold is what a client believed: from the acknowledgement of an acquire to
// the call of its release, or the moment at which it heeded a loss, or its
// crash. The closed interval [Start, End] is the hold's core.
type Hold struct {
	// Acquire is the ID of the operation that began the hold.
	Acquire int64
	// Release is the ID of the operation whose call ended it, or zero.
	Release int64
	Client  string
	Subject string
	Object  string
	Mode    Mode
	Lease   int64
	Key     string
	Token   int64
	Start   time.Duration
	End     time.Duration
	Ended   HoldEnd
	// GivenUp is true for a resumed leadership whose predecessor had called
	// resign and died: by that call it was given up, and the resignation of the
	// dead may still be on its way. It excludes nobody.
	GivenUp bool
}

// Compatible is true if both holds are readers: they may overlap.
func (h *Hold) Compatible(o *Hold) bool { return h.Mode == ReadMode && o.Mode == ReadMode }

// Holds derives all holds from the operations and events, ordered by Start.
func (h *History) Holds() []Hold {
	begun := 0
	for i := range h.Operations {
		if op := &h.Operations[i]; op.Kind.Acquires() && op.Outcome == Ok {
			begun++
		}
	}
	if begun == 0 {
		return nil
	}
	// By place of the acquire: the place of its first release, plus one.
	releases := make([]int32, len(h.Operations))
	for i := range h.Operations {
		op := &h.Operations[i]
		if !op.Kind.Releases() || op.Hold == 0 {
			continue
		}
		if k, ok := h.Place(op.Hold); ok && (releases[k] == 0 || op.Call < h.Operations[releases[k]-1].Call) {
			releases[k] = int32(i) + 1
		}
	}
	type session struct {
		client string
		lease  int64
	}
	lost := make(map[session][]time.Duration)
	crashed := make(map[string]time.Duration)
	for i := range h.Events {
		e := &h.Events[i]
		switch {
		case e.Kind == Lost && e.Heeded:
			s := session{e.Client, e.Lease}
			lost[s] = append(lost[s], e.Time)
		case e.Kind == Crashed:
			if _, ok := crashed[e.Client]; !ok {
				crashed[e.Client] = e.Time
			}
		}
	}
	type leadership struct {
		subject, object string
		lease           int64
	}
	// One session may lead, die and be resumed more than once.
	givenUp := make(map[leadership][]*Operation)
	for i := range h.Operations {
		op := &h.Operations[i]
		if _, died := crashed[op.Client]; died && op.Kind == Resign && !op.Completed() {
			l := leadership{op.Subject, op.Object, op.Lease}
			givenUp[l] = append(givenUp[l], op)
		}
	}
	holds := make([]Hold, 0, begun)
	for i := range h.Operations {
		op := &h.Operations[i]
		if !op.Kind.Acquires() || op.Outcome != Ok {
			continue
		}
		hold := Hold{
			Acquire: op.ID, Client: op.Client, Subject: op.Subject, Object: op.Object, Mode: op.Mode,
			Lease: op.Lease, Key: op.Key, Token: op.Token,
			Start: op.Return, End: max(h.End, op.Return), Ended: EndOfRecord,
		}
		if releases[i] != 0 {
			if r := &h.Operations[releases[i]-1]; r.Call < hold.End {
				hold.End, hold.Ended, hold.Release = max(r.Call, hold.Start), EndReleased, r.ID
			}
		}
		times := lost[session{op.Client, op.Lease}]
		if k := sort.Search(len(times), func(k int) bool { return times[k] >= hold.Start }); k < len(times) && times[k] < hold.End {
			hold.End, hold.Ended, hold.Release = times[k], EndLost, 0
		}
		if t, ok := crashed[op.Client]; ok && t < hold.End {
			hold.End, hold.Ended, hold.Release = max(t, hold.Start), EndCrashed, 0
		}
		if op.Kind == Resume {
			for _, resign := range givenUp[leadership{op.Subject, op.Object, op.Lease}] {
				same := resign.Token == op.Token || resign.Token == 0 || op.Token == 0
				hold.GivenUp = hold.GivenUp || same && resign.Call < hold.Start
			}
		}
		holds = append(holds, hold)
	}
	inOrder(holds, func(a, b *Hold) int { return cmp.Compare(a.Start, b.Start) })
	return holds
}
