package answers

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/quantity"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// asked is a request that arrived as the nth; times are milliseconds.
func asked(mode history.Mode, n int64, call, granted, released int) request {
	return request{mode, n, time.Duration(call) * time.Millisecond, time.Duration(granted) * time.Millisecond, time.Duration(released) * time.Millisecond}
}

const r, w = history.ReadMode, history.WriteMode

func TestOvertakingIsCounted(t *testing.T) {
	for name, test := range map[string]struct {
		requests                    []request
		readChances, readOvertook   int
		writeChances, writeOvertook int
		behind, waited, together    int
	}{
		"nobody waits": {requests: []request{asked(r, 1, 0, 1, 2), asked(w, 2, 3, 4, 5)}, together: 1},
		// The writer waits for the first reader, the second reader for the writer.
		"in order": {
			requests:    []request{asked(r, 1, 0, 1, 20), asked(w, 2, 2, 21, 30), asked(r, 3, 3, 31, 40)},
			readChances: 1, behind: 1, waited: 1, together: 1,
		},
		// The second reader joins the first, before the writer that waits.
		"a reader overtakes": {
			requests:    []request{asked(r, 1, 0, 1, 20), asked(w, 2, 2, 31, 35), asked(r, 3, 3, 4, 30)},
			readChances: 1, readOvertook: 1, behind: 1, together: 2,
		},
		// The second writer comes before the reader that waits for the first, which
		// was granted when the reader asked.
		"a writer overtakes": {
			requests:     []request{asked(w, 1, 0, 1, 20), asked(r, 2, 2, 31, 35), asked(w, 3, 3, 21, 30)},
			writeChances: 1, writeOvertook: 1, together: 1,
		},
		// A reader that overtakes a reader is nobody's loss.
		"of the same kind": {requests: []request{asked(r, 1, 0, 9, 20), asked(r, 2, 1, 2, 20), asked(r, 3, 1, 2, 3)}, together: 2},
		// Released at the moment of another's grant: not together.
		"one after another": {requests: []request{asked(r, 1, 0, 1, 5), asked(r, 2, 1, 5, 9)}, together: 1},
		// The older writer was granted before the younger reader asked.
		"no chance": {requests: []request{asked(w, 1, 0, 5, 20), asked(r, 2, 6, 21, 22)}, together: 1},
	} {
		got, err := analyse(test.requests)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got.Read.Chances != test.readChances || got.Read.Overtook != test.readOvertook || got.Write.Chances != test.writeChances ||
			got.Write.Overtook != test.writeOvertook || got.Behind != test.behind || got.Waited != test.waited || got.Together != test.together {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestWithoutTheOrderOfArrivalNothingIsAnswered(t *testing.T) {
	for name, requests := range map[string][]request{
		"no token":   {asked(r, 0, 0, 1, 2)},
		"same token": {asked(r, 4, 0, 1, 2), asked(w, 4, 3, 4, 5)},
	} {
		if _, err := analyse(requests); !errors.Is(err, errNoOrder) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestThePreferenceFollowsFromTheShares(t *testing.T) {
	for name, test := range map[string]struct {
		read, write Side
		want        Preference
	}{
		"none":     {Side{Chances: 100}, Side{Chances: 100}, InOrder},
		"hardly":   {Side{Chances: 100, Overtook: 1}, Side{Chances: 100}, InOrder},
		"readers":  {Side{Chances: 100, Overtook: 90}, Side{Chances: 100}, Readers},
		"writers":  {Side{Chances: 100}, Side{Chances: 100, Overtook: 60}, Writers},
		"both":     {Side{Chances: 100, Overtook: 40}, Side{Chances: 100, Overtook: 50}, Disorder},
		"a little": {Side{Chances: 100, Overtook: 4}, Side{Chances: 100}, Disorder},
		"too few":  {Side{Chances: 100}, Side{Chances: 19}, Unmeasured},
	} {
		p := &Priority{Loads: []LoadResult{{Read: test.read, Write: test.write}}}
		if p.Prefers = preference(p.Loads); p.Prefers != test.want {
			t.Errorf("%s: %s, want %s", name, p.Prefers, test.want)
		}
		if got := strings.HasPrefix(p.Answer(), "Not answered"); got != (test.want == Unmeasured) {
			t.Errorf("%s: %s", name, p.Answer())
		}
	}
}

// queue is a read-write lock in memory that numbers requests as they come and
// lets in whom first says: the controls of the measurement.
type queue struct {
	mu      sync.Mutex
	changed *sync.Cond
	arrived int64
	waiting []entry
	readers int
	writing bool
	// first is true if a request of this mode has to wait while other, which
	// waits too, is there.
	first func(mode history.Mode, n int64, other entry) bool
}

type entry struct {
	mode history.Mode
	n    int64
}

func (q *queue) acquire(mode history.Mode) (workloads.Grant, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.arrived++
	own := entry{mode, q.arrived}
	q.waiting = append(q.waiting, own)
	for q.blocked(own) {
		q.changed.Wait()
	}
	for i, e := range q.waiting {
		if e == own {
			q.waiting = append(q.waiting[:i], q.waiting[i+1:]...)
			break
		}
	}
	if mode == r {
		q.readers++
	} else {
		q.writing = true
	}
	q.changed.Broadcast()
	return workloads.Grant{Token: own.n}, nil
}

func (q *queue) blocked(own entry) bool {
	if q.writing || own.mode == w && q.readers > 0 {
		return true
	}
	for _, e := range q.waiting {
		if e != own && q.first(own.mode, own.n, e) {
			return true
		}
	}
	return false
}

func (q *queue) AcquireRead(context.Context) (workloads.Grant, error) { return q.acquire(r) }
func (q *queue) Acquire(context.Context) (workloads.Grant, error)     { return q.acquire(w) }

func (q *queue) ReleaseRead(context.Context) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.readers--
	q.changed.Broadcast()
	return nil
}

func (q *queue) Release(context.Context) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.writing = false
	q.changed.Broadcast()
	return nil
}

// A lock that prefers readers is measured to prefer readers, one that prefers
// writers to prefer writers, a fair one to prefer neither, and one that lets
// the youngest in to keep no order.
func TestControlsAreMeasuredForWhatTheyAre(t *testing.T) {
	measured(t)
	for want, first := range map[Preference]func(mode history.Mode, n int64, other entry) bool{
		Readers: func(mode history.Mode, _ int64, other entry) bool { return mode == w && other.mode == r },
		Writers: func(mode history.Mode, _ int64, other entry) bool { return mode == r && other.mode == w },
		InOrder: func(mode history.Mode, n int64, other entry) bool {
			return other.n < n && (mode == w || other.mode == w)
		},
		Disorder: func(_ history.Mode, n int64, other entry) bool { return other.n > n },
	} {
		t.Run(string(want), func(t *testing.T) {
			locks := make(map[string]*queue)
			var mu sync.Mutex
			subject := &workloads.Subject{Name: "control", NewRWLock: func(_ *workloads.Session, prefix string) workloads.RWLock {
				mu.Lock()
				defer mu.Unlock()
				if locks[prefix] == nil {
					q := &queue{first: first}
					q.changed = sync.NewCond(&q.mu)
					locks[prefix] = q
				}
				return locks[prefix]
			}}
			p := measurePriority(t, PriorityOptions{
				Subject: subject, Duration: time.Second, Clients: 8,
				Hold:  quantity.Span{Min: time.Millisecond, Max: 3 * time.Millisecond},
				Think: quantity.Span{Max: 10 * time.Millisecond},
			})
			if p.Prefers != want {
				t.Errorf("prefers %s, want %s: %s", p.Prefers, want, p.Answer())
			}
		})
	}
}

// measurePriority measures for longer and longer until there were chances
// enough: how many there are in a while is up to the machine.
func measurePriority(t *testing.T, o PriorityOptions) *Priority {
	t.Helper()
	for range 4 {
		p, err := MeasurePriority(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if p.Prefers != Unmeasured {
			return p
		}
		o.Duration *= 3
	}
	t.Fatal("there never were chances enough")
	return nil
}

func TestEtcdsReadWriteLockKeepsTheOrderOfArrival(t *testing.T) {
	measured(t)
	p := measurePriority(t, PriorityOptions{Duration: 2 * time.Second})
	for i := range p.Loads {
		l := &p.Loads[i]
		if l.Read.Overtook+l.Write.Overtook != 0 || l.Waited != l.Behind {
			t.Errorf("%+v", l)
		}
	}
	if p.Prefers != InOrder || !strings.HasPrefix(p.Answer(), "Neither: first come, first served") {
		t.Error(p.Answer())
	}
	var table strings.Builder
	if err := p.Table(&table); err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(table.String(), "\n") {
		if len([]rune(line)) > 100 {
			t.Errorf("too wide: %s", line)
		}
	}
}

// Of a measurement that was interrupted the loads that were through are told.
func TestInterruptedLoadsDoNotCount(t *testing.T) {
	measured(t)
	ctx, cancel := context.WithCancel(t.Context())
	p, err := MeasurePriority(ctx, PriorityOptions{Clients: 3, Duration: time.Second, Status: func(now Standing) {
		if now.Done == 1 {
			cancel()
		}
	}})
	if !errors.Is(err, ErrInterrupted) || p == nil || len(p.Loads) != 1 || p.Loads[0].Load != "read-heavy" || p.Prefers == "" {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestALockThatFailsIsNotMeasured(t *testing.T) {
	measured(t)
	failure := errors.New("no lock today")
	subject := &workloads.Subject{Name: "control", NewRWLock: func(*workloads.Session, string) workloads.RWLock { return failing{failure} }}
	if _, err := MeasurePriority(t.Context(), PriorityOptions{Subject: subject, Clients: 2}); !errors.Is(err, failure) {
		t.Errorf("%v, want %v", err, failure)
	}
}

type failing struct{ err error }

func (f failing) AcquireRead(context.Context) (workloads.Grant, error) {
	return workloads.Grant{}, f.err
}
func (f failing) Acquire(context.Context) (workloads.Grant, error) { return workloads.Grant{}, f.err }
func (f failing) ReleaseRead(context.Context) error                { return nil }
func (f failing) Release(context.Context) error                    { return nil }

func TestMistakesInPriorityOptions(t *testing.T) {
	err := PriorityOptions{Subject: &workloads.Subject{Name: "mutex"}, Clients: -1, Duration: -1, Loads: []Load{{"x", 2}}}.Validate()
	for _, want := range []string{`"mutex" is not a read-write lock`, "clients: -1", "duration: -1ns", "load x: a share of 2"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %q", err, want)
		}
	}
}
