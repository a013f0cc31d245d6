package exact

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/etcd-holdfast/holdfast/history"
)

// queueCalls are enqueues and dequeues of values in the order of their calls, which
// follow one another.
func queueCalls(of ...history.Call) []history.Call {
	for i := range of {
		of[i].ID, of[i].Invoke, of[i].Return, of[i].Known, of[i].Process = int64(i+1), int64(10*i), int64(10*i+5), history.Succeeded, int32(i)
	}
	return of
}

func enqueued(v history.Value) history.Call {
	return history.Call{Function: history.FunctionEnqueue, Value: v}
}

func dequeued(v history.Value) history.Call {
	return history.Call{Function: history.FunctionDequeue, Value: v}
}

func TestLongestOrder(t *testing.T) {
	m, _ := ModelNamed("queue")
	calls := queueCalls(enqueued(1), enqueued(2), dequeued(1), dequeued(1), dequeued(2))
	o, ok := m.LongestOrder(calls, Parameters{}, 1000)
	if !ok || !slices.Equal(o.Longest, []int{0, 1, 2}) || o.Stuck != 3 {
		t.Errorf("the longest order of a queue that delivers twice: %v, then not %d (%v)", o.Longest, o.Stuck, ok)
	}
	// The second dequeue may come before the first, which explains both.
	calls[3].Value, calls[3].Invoke, calls[2].Return = 2, 20, 40
	if o, ok := m.LongestOrder(calls[:4], Parameters{}, 1000); ok {
		t.Errorf("a legal history has an order that ends at %d: %v", o.Stuck, o.Longest)
	}
	calls[2].Value, calls[3].Value = 2, 1
	if o, ok := m.LongestOrder(calls[:4], Parameters{}, 1000); ok {
		t.Errorf("a legal history has an order that ends at %d: %v", o.Stuck, o.Longest)
	}
}

// TestLongestOrderIsBounded: of a hard history there is no answer once the steps are
// used up, and with enough of them it is the same each time.
func TestLongestOrderIsBounded(t *testing.T) {
	m, _ := ModelNamed("queue")
	var calls []history.Call
	for i := range history.Value(9) {
		calls = append(calls, enqueued(i+1))
	}
	calls = queueCalls(append(calls, dequeued(77))...)
	for i := range calls[:9] { // all at once: there are 9! orders
		calls[i].Invoke, calls[i].Return = int64(i), 80
	}
	if _, ok := m.LongestOrder(calls, Parameters{}, 5000); ok {
		t.Error("5000 steps were enough for 9! orders")
	}
	for range 3 {
		o, ok := m.LongestOrder(calls[3:], Parameters{}, 200_000)
		if !ok || !slices.Equal(o.Longest, []int{0, 1, 2, 3, 4, 5}) || o.Stuck != 6 {
			t.Errorf("the longest order is %v, then not %d (%v)", o.Longest, o.Stuck, ok)
		}
	}
}

// TestLongestOrderIsOne: what it finds in random histories is an order, and it finds
// one exactly where porcupine finds the history illegal.
func TestLongestOrderIsOne(t *testing.T) {
	for _, name := range []string{"owner-mutex", "rwmutex", "register"} {
		m, _ := ModelNamed(name)
		random := rand.New(rand.NewPCG(1, 2))
		stuck := 0
		for range 300 {
			calls := drawn(random, &m, Parameters{})
			if len(calls) > 10 {
				continue
			}
			o, ok := m.LongestOrder(calls, Parameters{}, 1_000_000)
			oracle := m.SecondOpinion(calls, Parameters{})
			if ok != (oracle == "Illegal") {
				t.Fatalf("%s: an order that ends: %v, porcupine: %s\n%s", name, ok, oracle, listing(calls))
			}
			if !ok {
				continue
			}
			stuck++
			var prefix []history.Call
			for k, i := range o.Longest {
				c := calls[i]
				for _, later := range o.Longest[k+1:] {
					if calls[later].Return < c.Invoke {
						t.Fatalf("%s: %v is not an order of\n%s", name, o.Longest, listing(calls))
					}
				}
				prefix = append(prefix, c)
			}
			slices.SortFunc(prefix, func(a, b history.Call) int { return int(a.Invoke - b.Invoke) })
			if again := m.SecondOpinion(prefix, Parameters{}); again != "Ok" {
				t.Fatalf("%s: the calls of the longest order %v are %s\n%s", name, o.Longest, again, listing(calls))
			}
		}
		if stuck < 10 {
			t.Errorf("%s: %d histories were illegal", name, stuck)
		}
	}
}
