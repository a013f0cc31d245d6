package reports

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// span is one bar: a wait, from the call of an acquire to its return, or the
// core of a hold.
type span struct {
	from, to  time.Duration
	operation *history.Operation // of a wait
	hold      *history.Hold      // of a hold
}

// lane is what one client did with one object.
type lane struct {
	client string
	waits  []span
	holds  []span
}

// object is everything about one lock or election.
type object struct {
	subject, name string
	lanes         []*lane
	byClient      map[string]*lane
}

func (o *object) lane(client string) *lane {
	l := o.byClient[client]
	if l == nil {
		l = &lane{client: client}
		o.byClient[client] = l
		o.lanes = append(o.lanes, l)
	}
	return l
}

type objectKey struct{ subject, object string }

// index is the history by object.
type index struct {
	objects []*object // by subject, in the header's order, then by name
	byKey   map[objectKey]*object
	clients map[string]bool
	crashed map[string]time.Duration
	leases  map[int64]string // the client that opened a session on it
	lost    map[string][]*history.Event
	renewed map[string][]*history.Event
	holds   map[int64]*history.Hold // by the acquire's ID
}

func (x *index) object(subject, name string) *object {
	key := objectKey{subject, name}
	o := x.byKey[key]
	if o == nil {
		o = &object{subject: subject, name: name, byClient: map[string]*lane{}}
		x.byKey[key] = o
		x.objects = append(x.objects, o)
	}
	return o
}

func newIndex(h *history.History) *index {
	x := &index{
		byKey: map[objectKey]*object{}, clients: map[string]bool{}, crashed: map[string]time.Duration{}, leases: map[int64]string{},
		lost: map[string][]*history.Event{}, renewed: map[string][]*history.Event{},
	}
	for i := range h.Events {
		e := &h.Events[i]
		switch e.Kind {
		case history.SessionOpened:
			x.leases[e.Lease] = e.Client
			x.clients[e.Client] = true
		case history.Renewed:
			x.renewed[e.Client] = append(x.renewed[e.Client], e)
		case history.Lost:
			x.lost[e.Client] = append(x.lost[e.Client], e)
		case history.Crashed:
			if _, ok := x.crashed[e.Client]; !ok {
				x.crashed[e.Client] = e.Time
			}
		}
	}
	for i := range h.Operations {
		op := &h.Operations[i]
		if !op.Kind.Acquires() {
			continue
		}
		end := op.Return
		if !op.Completed() {
			end = h.End
			if t, ok := x.crashed[op.Client]; ok {
				end = t
			}
		}
		l := x.object(op.Subject, op.Object).lane(op.Client)
		x.clients[op.Client] = true
		l.waits = append(l.waits, span{from: op.Call, to: max(end, op.Call), operation: op})
	}
	holds := h.Holds()
	x.holds = make(map[int64]*history.Hold, len(holds))
	for i := range holds {
		hold := &holds[i]
		x.holds[hold.Acquire] = hold
		l := x.object(hold.Subject, hold.Object).lane(hold.Client)
		l.holds = append(l.holds, span{from: hold.Start, to: hold.End, hold: hold})
	}
	x.sort(h)
	return x
}

// renewedBefore is the last renewal of a client's lease of which it was told by
// then, or nil.
func (x *index) renewedBefore(client string, lease int64, then time.Duration) *history.Event {
	for _, e := range slices.Backward(x.renewed[client]) {
		if e.Lease == lease && e.Time <= then {
			return e
		}
	}
	return nil
}

// sort puts objects and lanes into the order in which people look for them.
func (x *index) sort(h *history.History) {
	order := map[string]int{}
	for i, s := range h.Header.Subjects {
		order[s.Name] = i - len(h.Header.Subjects)
	}
	slices.SortStableFunc(x.objects, func(a, b *object) int {
		return cmp.Or(cmp.Compare(order[a.subject], order[b.subject]), strings.Compare(a.subject, b.subject), natural(a.name, b.name))
	})
	for _, o := range x.objects {
		slices.SortStableFunc(o.lanes, func(a, b *lane) int { return natural(a.client, b.client) })
	}
}

// natural compares names so that c9 comes before c10.
func natural(a, b string) int {
	prefixA, prefixB := strings.TrimRight(a, "0123456789"), strings.TrimRight(b, "0123456789")
	digitsA, digitsB := strings.TrimLeft(a[len(prefixA):], "0"), strings.TrimLeft(b[len(prefixB):], "0")
	return cmp.Or(
		strings.Compare(prefixA, prefixB), cmp.Compare(len(digitsA), len(digitsB)), strings.Compare(digitsA, digitsB), strings.Compare(a, b))
}
