package exact

import (
	"fmt"
	"math"
	"slices"
	"sort"

	"github.com/etcd-holdfast/holdfast/history"
)

// Register judges a register that is read and written, whose value is initial
// at first. It decides where every value is written at most once, initial
// never, and no comparison counts; decided is false elsewhere, and the general
// search is needed. So it is if a compare-and-set succeeded or was refused, or
// one of unknown outcome has a value that was read.
//
// It is exact. The write of a value and the reads that returned it are a
// cluster, which no other cluster's calls can come between. A cluster must
// precede another if one of its calls returned before one of the other's was
// made: if the first return f of the one is before the last call s of the
// other. An order of all clusters exists unless that relation has a cycle, and
// if it has one it has a cycle of two, those with the latest s and the one
// before it: f < s' and f' < s. So it is enough to compare the zones between f
// and s: forward zones (f < s) must not overlap, and no other zone may lie
// within a forward one. Besides, a read must not return before its write was
// made. A write of unknown outcome that was read did take effect, before the
// first of its readers returned; one that was not read is left out, and so is a
// read of unknown outcome. Sorting the zones takes O(n log n).
//
// Source: Gibbons and Korach, "Testing shared memories" (SIAM J. Comput. 26, 1997).
func Register(calls []history.Call, initial history.Value) (v *Violation, decided bool) {
	r, ok := newRegister(calls, initial)
	if !ok {
		return nil, false
	}
	f := r.find(wholeHistory)
	if f == nil {
		return nil, true
	}
	last := lastReturn(pick(calls, f.indexes()))
	at := earliest(calls, last, last, func(through int64) bool { return r.find(through) != nil })
	witness := shrink(pick(calls, r.find(at).indexes()), func(some []history.Call) bool {
		part, ok := newRegister(some, initial)
		return ok && part.find(wholeHistory) != nil
	})
	few, _ := newRegister(witness, initial)
	return &Violation{At: at, Witness: witness, tell: few.tell(few.find(wholeHistory))}, true
}

// register is a history by clusters.
type register struct {
	calls    []history.Call
	clusters []cluster // the first is that of the initial value
	of       []int32   // by call: its cluster, or -1
	order    []int32   // clusters by their first return
	forward  []int32   // of the last find, by first return
}

// cluster is a write, or none, and its reads. first is the call that returned
// first and last the one that was made last, as far as known; -1 is none.
type cluster struct {
	write       int32
	first, last int32
	f, s        int64
}

// clash is what find finds: a read without its write (second nil), or two
// clusters of which each must precede the other.
type clash struct {
	read          int32
	first, second *cluster
}

func newRegister(calls []history.Call, initial history.Value) (*register, bool) {
	r := &register{calls: calls, of: make([]int32, len(calls)), clusters: make([]cluster, 1, len(calls)/2+2)}
	r.clusters[0].write = -1
	known := newNumbers(calls, func(c *history.Call) bool {
		return c.Function == history.FunctionWrite || c.Function == history.FunctionCompareAndSet
	})
	for i := range calls {
		c := &calls[i]
		r.of[i] = -1
		switch {
		case c.Function == history.FunctionRead && c.Known != history.Refused:
		case c.Function == history.FunctionWrite && c.Known != history.Refused,
			c.Function == history.FunctionCompareAndSet && c.Known == history.Unknown:
			if c.Value == initial || known.of(c.Value) >= 0 {
				return nil, false
			}
			r.of[i] = int32(len(r.clusters))
			known.set(c.Value, r.of[i])
			r.clusters = append(r.clusters, cluster{write: int32(i)})
		default:
			return nil, false
		}
	}
	for i := range calls {
		c := &calls[i]
		if c.Function != history.FunctionRead || c.Known == history.Unknown {
			continue
		}
		switch k := known.of(c.Value); {
		case c.Value == initial:
			r.of[i] = 0
		case k < 0: // nobody wrote it: a cluster without a write
			r.of[i] = int32(len(r.clusters))
			r.clusters = append(r.clusters, cluster{write: -1})
		case calls[r.clusters[k].write].Function == history.FunctionCompareAndSet:
			return nil, false
		default:
			r.of[i] = k
		}
	}
	r.gather(wholeHistory)
	r.order = make([]int32, len(r.clusters))
	for k := range r.order {
		r.order[k] = int32(k)
	}
	// A cut leaves the first return as it is, or makes it unknown, so that this
	// order serves for every cut.
	byFirst := func(a, b int32) int {
		x, y := r.clusters[a].f, r.clusters[b].f
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	}
	if !slices.IsSortedFunc(r.order, byFirst) {
		slices.SortFunc(r.order, byFirst)
	}
	return r, true
}

// gather computes the zones of the history that is known by a position. It
// returns the first read, by invocation, that returned before its write was
// made, or -1.
func (r *register) gather(through int64) int32 {
	for k := range r.clusters {
		c := &r.clusters[k]
		c.first, c.last, c.f, c.s = -1, -1, history.NoReturn, math.MinInt64
	}
	r.clusters[0].f = math.MinInt64 // it was written before everything
	early := int32(-1)
	for i := range r.calls {
		call := &r.calls[i]
		if call.Invoke > through {
			break
		}
		k := r.of[i]
		if k < 0 {
			continue
		}
		c := &r.clusters[k]
		known := knownBy(call, through)
		if call.Function == history.FunctionRead {
			if !known {
				continue
			}
			if early < 0 && k > 0 && (c.write < 0 || r.calls[c.write].Invoke > call.Return) {
				early = int32(i)
			}
		}
		if known && call.Return < c.f {
			c.f, c.first = call.Return, int32(i)
		}
		if call.Invoke > c.s || c.last < 0 {
			c.s, c.last = call.Invoke, int32(i)
		}
	}
	return early
}

// find returns a violation of the history that is known by a position, or nil.
func (r *register) find(through int64) *clash {
	if read := r.gather(through); read >= 0 {
		return &clash{read: read, first: &r.clusters[r.of[read]]}
	}
	r.forward = r.forward[:0]
	for _, k := range r.order {
		c := &r.clusters[k]
		if c.f >= c.s {
			continue
		}
		if n := len(r.forward); n > 0 {
			if before := &r.clusters[r.forward[n-1]]; c.f < before.s {
				return &clash{read: -1, first: before, second: c}
			}
		}
		r.forward = append(r.forward, k)
	}
	if len(r.forward) == 0 {
		return nil
	}
	for k := range r.clusters {
		c := &r.clusters[k]
		if c.f < c.s || c.f == history.NoReturn || c.f == math.MinInt64 {
			continue
		}
		n := sort.Search(len(r.forward), func(i int) bool { return r.clusters[r.forward[i]].f >= c.s })
		if n == 0 {
			continue
		}
		if around := &r.clusters[r.forward[n-1]]; c.f < around.s {
			return &clash{read: -1, first: around, second: c}
		}
	}
	return nil
}

// indexes returns the calls that make a clash.
func (f *clash) indexes() []int32 {
	if f.second == nil {
		return []int32{f.read, f.first.write}
	}
	return []int32{
		f.first.write, f.first.first, f.first.last,
		f.second.write, f.second.first, f.second.last,
	}
}

func (r *register) tell(f *clash) func(t *history.Trace) string {
	if f.second == nil {
		read := r.calls[f.read]
		return func(t *history.Trace) string {
			return fmt.Sprintf("%s read %s from %s at %s, which nobody had begun to write by then",
				t.Called(read.Process), t.Text(read.Value), object(t, read.Object), t.At(read.Return))
		}
	}
	a, b := *f.first, *f.second
	// Of the initial value no write is known to have returned: it was there.
	var calls [4]history.Call
	for i, k := range [4]int32{a.first, b.last, b.first, a.last} {
		if k >= 0 {
			calls[i] = r.calls[k]
		}
	}
	return func(t *history.Trace) string {
		did := func(c *history.Call) string {
			if c.Function == history.FunctionRead {
				return fmt.Sprintf("%s's read of %s", t.Called(c.Process), t.Text(c.Value))
			}
			return fmt.Sprintf("%s's write of %s", t.Called(c.Process), t.Text(c.Value))
		}
		second := fmt.Sprintf("%s returned at %s, before %s was called at %s",
			did(&calls[2]), t.At(calls[2].Return), did(&calls[3]), t.At(calls[3].Invoke))
		if a.first < 0 {
			return fmt.Sprintf("%s, although %s was only what %s held at first", second, t.Text(calls[3].Value), object(t, calls[3].Object))
		}
		return fmt.Sprintf("%s returned at %s, before %s was called at %s, and %s: %s would have had to hold one value again",
			did(&calls[0]), t.At(calls[0].Return), did(&calls[1]), t.At(calls[1].Invoke), second, object(t, calls[0].Object))
	}
}
