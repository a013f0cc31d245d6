package history

import (
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
}

// Compatible is true if both holds are readers: they may overlap.
func (h *Hold) Compatible(o *Hold) bool { return h.Mode == ReadMode && o.Mode == ReadMode }

// Holds derives all holds from the operations and events, ordered by Start.
func (h *History) Holds() []Hold {
	releases := make(map[int64]*Operation)
	for i := range h.Operations {
		op := &h.Operations[i]
		if !op.Kind.Releases() || op.Hold == 0 {
			continue
		}
		if first, ok := releases[op.Hold]; !ok || op.Call < first.Call {
			releases[op.Hold] = op
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
	var holds []Hold
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
		if r := releases[op.ID]; r != nil && r.Call < hold.End {
			hold.End, hold.Ended, hold.Release = max(r.Call, hold.Start), EndReleased, r.ID
		}
		times := lost[session{op.Client, op.Lease}]
		if k := sort.Search(len(times), func(k int) bool { return times[k] >= hold.Start }); k < len(times) && times[k] < hold.End {
			hold.End, hold.Ended, hold.Release = times[k], EndLost, 0
		}
		if t, ok := crashed[op.Client]; ok && t < hold.End {
			hold.End, hold.Ended, hold.Release = max(t, hold.Start), EndCrashed, 0
		}
		holds = append(holds, hold)
	}
	sort.SliceStable(holds, func(i, j int) bool { return holds[i].Start < holds[j].Start })
	return holds
}
