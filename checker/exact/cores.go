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

// cores derives the cores of all successful acquires, by start. A release ends
// the hold that its process began last. That is the call of the release,
// whatever it returned: a release can take effect at once, and one of unknown
// outcome may have. Stray is the first release, by invocation, of a process
// that held nothing, or -1.
func cores(calls []history.Call) (all []core, stray int32) {
	stray = -1
	n := 0
	for i := range calls {
		if acquires(&calls[i]) && calls[i].Known == history.Succeeded {
			n++
		}
	}
	all = make([]core, 0, n)
	held := make(map[int32]int32) // process → index of its core
	for i := range calls {
		c := &calls[i]
		switch {
		case acquires(c) && c.Known == history.Succeeded:
			held[c.Process] = int32(len(all))
			all = append(all, core{start: c.Return, end: history.NoReturn, acquire: int32(i), release: -1, shared: c.Shared})
		case c.Function == history.FunctionRelease && c.Known != history.Refused:
			if k, ok := held[c.Process]; ok {
				delete(held, c.Process)
				all[k].end, all[k].release = max(c.Invoke, all[k].start), int32(i)
			} else if stray < 0 && c.Known == history.Succeeded {
				stray = int32(i)
			}
		}
	}
	// Calls come by invocation; acquires mostly return in about that order.
	byStart := func(a, b core) int { return cmp.Compare(a.start, b.start) }
	if !slices.IsSortedFunc(all, byStart) {
		slices.SortStableFunc(all, byStart)
	}
	return all, stray
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
