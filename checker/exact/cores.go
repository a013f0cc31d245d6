package exact

import (
	"cmp"
	"slices"

	"github.com/etcd-holdfast/holdfast/history"
)

// core is the closed interval in which a process surely held an object: from
// the return of its acquire to the call of its release. acquire and release
// are indexes of calls, release -1 if there was none.
type core struct {
	start, end       int64
	acquire, release int32
	shared           bool
}

// again says what an acquire means that succeeds while its process holds.
type again uint8

const (
	excludes     again = iota // another hold, which excludes the first
	nests                     // one hold more, of the same owner
	nestsReaders              // nests if both are shared, else excludes
	continues                 // the same hold goes on
)

// holds is what the calls of a lock say about who held it when.
type holds struct {
	// cores are in the order of their starts, then of their ends.
	cores []core
	// stray is the release that returned first of those by processes that held
	// nothing, not even perhaps; previous is the one before by the same
	// process. -1 is none.
	stray, previous int32
	// revived are releases that succeeded although only an acquire of unknown
	// outcome can have given their process what they freed.
	revived []revival
	// refused is true if there are refused acquires.
	refused bool
	// resumed is the position from which on a process went on after an acquire
	// of unknown outcome, or such a release that found nothing to free;
	// NoReturn if none did.
	resumed int64
	// until is the position from which on the calls cannot be told apart into
	// holds, NoReturn if they all can.
	until int64
}

// revival is a hold of which only the end is known: two indexes of calls.
type revival struct{ acquire, release int32 }

// holder is what is known of one process.
type holder struct {
	busy         int64 // until when its last call ran
	core         int32 // index in cores, where depth > 0
	depth        int32
	last         int32 // its last release, or -1
	lost         int32 // its last acquire of unknown outcome
	losses       int32 // how many of these there are
	maybe, spare bool  // it has releases of unknown outcome; one found nothing to free
}

// collect tells the holds of all processes apart. A release ends what its
// process holds at its call, whatever it returned: it can take effect at once,
// and one of unknown outcome may have. Doing that as early as possible leaves
// every process, at every position, with the least that it can have held. What
// a process does after calls of unknown outcome can leave open which of them
// took effect; where that would matter, until ends what can be told.
//
// If plain, a release frees the lock for whoever has it: until then also ends
// with the first that does not follow its own process's acquire.
func collect(calls []history.Call, when again, plain bool) *holds {
	h := &holds{stray: -1, previous: -1, resumed: history.NoReturn, until: history.NoReturn}
	n := 0
	for i := range calls {
		if acquires(&calls[i]) && calls[i].Known == history.Succeeded {
			n++
		}
	}
	h.cores = make([]core, 0, n)
	holders := newPerProcess(calls, holder{busy: -1, last: -1})
	for i := range calls {
		c := &calls[i]
		p := holders.of(c.Process)
		if p.losses > 0 || p.spare {
			h.resumed = min(h.resumed, c.Invoke)
		}
		if c.Invoke < p.busy || !h.add(calls, int32(i), p, when, plain) {
			h.until = c.Invoke
			break
		}
		if c.Known != history.Unknown {
			p.busy = c.Return
		}
	}
	sortCores(h.cores)
	return h
}

// add takes one call into account. It returns false if that leaves open what
// its process holds.
func (h *holds) add(calls []history.Call, i int32, p *holder, when again, plain bool) bool {
	c := &calls[i]
	switch {
	case acquires(c) && c.Known == history.Refused:
		h.refused = true
	case acquires(c) && c.Known == history.Unknown:
		p.lost = i
		p.losses++
	case acquires(c):
		// A release that is still to come could end this hold at any time.
		if p.spare || p.maybe && when == continues {
			return false
		}
		if p.depth > 0 {
			switch {
			case when == continues:
				return true
			case when == nests, when == nestsReaders && c.Shared && h.cores[p.core].shared:
				p.depth++
				return true
			}
		}
		p.core, p.depth = int32(len(h.cores)), 1
		h.cores = append(h.cores, core{start: c.Return, end: history.NoReturn, acquire: i, release: -1, shared: c.Shared})
	case c.Function != history.FunctionRelease:
		return false
	case c.Known == history.Refused:
		// It tells that its process did not hold: news, where that was open.
		return p.depth == 0 && !plain && !p.maybe && p.losses == 0
	case p.depth > 0:
		if p.depth--; p.depth == 0 {
			h.cores[p.core].end, h.cores[p.core].release = c.Invoke, i
		}
		p.last, p.maybe = i, p.maybe || c.Known == history.Unknown
	case plain:
		return false
	case c.Known == history.Unknown:
		p.maybe, p.spare = true, true
	case p.maybe || p.losses > 1:
		return false
	case p.losses == 1:
		h.revived = append(h.revived, revival{acquire: p.lost, release: i})
		p.losses, p.last = 0, i
	default:
		if h.stray < 0 || c.Return < calls[h.stray].Return {
			h.stray, h.previous = i, p.last
		}
		p.last = i
	}
	return true
}

// verdict turns the first violation that was found into what a check returns.
// Calls from until on cannot undo a violation before it; and refusals, unless
// they were judged too, can only make more.
func (h *holds) verdict(v *Violation, refusalsJudged bool) (*Violation, bool) {
	if v != nil && v.At < h.until {
		return v, true
	}
	return nil, h.until == history.NoReturn && (refusalsJudged || !h.refused)
}

// earlier returns the violation that is proved first.
func earlier(a, b *Violation) *Violation {
	if a == nil || b != nil && b.At < a.At {
		return b
	}
	return a
}

func acquires(c *history.Call) bool {
	return c.Function == history.FunctionAcquire || c.Function == history.FunctionTryAcquire
}

// calls returns the calls of a core: its acquire and its release if any.
func (k *core) calls(calls []history.Call) []history.Call {
	if k.release < 0 {
		return []history.Call{calls[k.acquire]}
	}
	return []history.Call{calls[k.acquire], calls[k.release]}
}

// sortCores sorts by start. Of two that begin together the shorter one comes
// first: it can be over.
func sortCores(all []core) {
	sortNearly(all, func(a, b core) int { return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.end, b.end)) })
}

// sortNearly sorts what is in order but for neighbours that changed places, as
// calls that overlap do, in linear time; anything else in O(n log n).
func sortNearly[T any](all []T, order func(a, b T) int) {
	for i, moves := 1, 0; i < len(all); i++ {
		if order(all[i-1], all[i]) <= 0 {
			continue
		}
		moved, k := all[i], i
		for ; k > 0 && order(all[k-1], moved) > 0; k-- {
			all[k] = all[k-1]
			moves++
		}
		all[k] = moved
		if moves > 8*len(all) {
			slices.SortFunc(all, order)
			return
		}
	}
}
