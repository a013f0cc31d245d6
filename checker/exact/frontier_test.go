package exact

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/etcd-holdfast/holdfast/history"
)

var ctxForTests = context.Background()

func traceNaming(calls []history.Call) *history.Trace {
	t := &history.Trace{Objects: []string{"x"}, Calls: calls}
	for i := range calls {
		for int(calls[i].Process) >= len(t.Processes) {
			t.Processes = append(t.Processes, fmt.Sprint(len(t.Processes)))
		}
	}
	return t
}

func showCalls(calls []history.Call) string {
	text := ""
	t := traceNaming(calls)
	for _, c := range calls {
		known := [...]string{"?", "ok", "refused"}[c.Known]
		text += fmt.Sprintf("\n  p%d %s %s (%s) %s [%d, %d]", c.Process, c.Function, t.Text(c.Value), t.Text(c.Argument), known, c.Invoke, c.Return)
	}
	return text
}

// ways are how the searches can be put together; each must agree with the
// oracle wherever it decides.
var ways = map[string]func(*driver){
	"standard": nil,
	"tiny beams": func(d *driver) {
		d.beams = []beam{{width: 1}, {width: 1, back: 3, eager: true, window: 6}, {width: 2, back: 12, eager: true, window: 20}}
	},
	"lazy, then everything": func(d *driver) { d.beams = []beam{{width: 1}} },
	"everything":            func(d *driver) { d.beams = []beam{everything} },
}

func TestFrontierAgainstPorcupine(t *testing.T) {
	for _, o := range oracleObjects() {
		t.Run(o.name, func(t *testing.T) {
			legal, illegal := 0, 0
			each := 210
			if testing.Short() {
				each = 25
			}
			rapid.Check(t, func(rt *rapid.T) {
				r := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
				for range each {
					calls := o.draw(r, 2+r.IntN(4), 2+r.IntN(o.most), []float64{0, 0.05, 0.2}[r.IntN(3)])
					if r.IntN(2) == 0 {
						for range 1 + r.IntN(4) {
							spoilCalls(r, calls)
						}
					}
					want := o.legal(calls)
					if want {
						legal++
					} else {
						illegal++
					}
					asked := make(map[string]bool) // of the oracle, about this history
					for name, way := range ways {
						got := o.judge(way, slices.Clone(calls), Limits{})
						if got.Unknown != "" {
							rt.Fatalf("%s: %s%s", name, got.Unknown, showCalls(calls))
						}
						if (got.Violation == nil) != want {
							rt.Fatalf("%s: legal = %v, porcupine: %v%s", name, got.Violation == nil, want, showCalls(calls))
						}
						if want {
							continue
						}
						v := got.Violation
						if key := fmt.Sprint(v.At, v.Witness); asked[key] {
							continue
						} else {
							asked[key] = true
						}
						if o.legalUntil(calls, v.At, true) || !o.legalUntil(calls, v.At, false) {
							rt.Fatalf("%s: not at %d: %s%s", name, v.At, v.Sentence(traceNaming(calls)), showCalls(calls))
						}
						if o.legal(v.Witness) {
							rt.Fatalf("%s: the witness is legal:%s\nof%s", name, showCalls(v.Witness), showCalls(calls))
						}
					}
				}
			})
			t.Logf("%d legal, %d illegal", legal, illegal)
			if total := legal + illegal; legal < total/25 || illegal < total/25 {
				t.Errorf("%d legal and %d illegal: too few of one kind", legal, illegal)
			}
		})
	}
}

const nothing = history.NoReturn

func call(process int32, f history.Function, value, argument history.Value, known history.Known, invoke, ret int64) history.Call {
	return history.Call{Process: process, Function: f, Value: value, Argument: argument, Known: known, Invoke: invoke, Return: ret, ID: invoke}
}

func TestFrontierTellsWhatIsWrong(t *testing.T) {
	const ok, refused, unknown = history.Succeeded, history.Refused, history.Unknown
	write := func(p int32, v history.Value, k history.Known, i, r int64) history.Call {
		return call(p, history.FunctionWrite, v, 0, k, i, r)
	}
	read := func(p int32, v history.Value, i, r int64) history.Call {
		return call(p, history.FunctionRead, v, 0, ok, i, r)
	}
	cas := func(p int32, from, to history.Value, k history.Known, i, r int64) history.Call {
		return call(p, history.FunctionCompareAndSet, to, from, k, i, r)
	}
	for _, c := range []struct {
		name    string
		calls   []history.Call
		at      int64 // 0 is legal
		witness int
	}{
		{"a read at the instant at which a write is called", []history.Call{read(1, 1, 0, 5), write(0, 1, ok, 5, 6)}, 0, 0},
		{"a read of what nobody wrote", []history.Call{write(0, 1, ok, 0, 1), read(1, 2, 2, 3)}, 3, 1},
		{"a stale read", []history.Call{write(0, 1, ok, 0, 1), write(0, 2, ok, 2, 3), read(1, 1, 4, 5)}, 5, 2},
		{"an unknown write seen late", []history.Call{write(2, 3, unknown, 0, nothing), write(0, 1, ok, 1, 2), read(1, 1, 3, 4), read(1, 3, 5, 6)}, 0, 0},
		{"an unknown write seen twice", []history.Call{write(2, 3, unknown, 0, nothing), read(1, 3, 3, 4), write(0, 1, ok, 5, 6), read(1, 3, 7, 8)}, 8, 0},
		{"unknown calls in a chain", []history.Call{cas(2, 1, 2, unknown, 0, nothing), cas(3, 2, 3, unknown, 0, nothing), write(0, 1, ok, 1, 2), read(1, 3, 3, 4)}, 0, 0},
		{"an unknown write that a refusal shows", []history.Call{write(0, 1, ok, 0, 1), write(2, 7, unknown, 2, nothing), cas(1, 1, 5, refused, 3, 4)}, 0, 0},
		{"a refusal with no reason", []history.Call{write(0, 1, ok, 0, 1), cas(1, 1, 5, refused, 3, 4)}, 4, 0},
		{"two win one comparison", []history.Call{write(0, 1, ok, 0, 1), cas(1, 1, 2, ok, 2, 4), cas(2, 1, 3, ok, 2, 5)}, 5, 0},
		{"it is told at its first moment", []history.Call{read(0, 1, 0, 1), read(0, 2, 2, 3), write(0, 3, ok, 4, 5)}, 1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Frontier(t.Context(), RegisterSpecification{Start: history.Nil}, c.calls, Limits{})
			switch {
			case got.Unknown != "":
				t.Fatal(got.Unknown)
			case c.at == 0 && got.Violation != nil:
				t.Fatalf("violated: %s", got.Violation.Sentence(traceNaming(c.calls)))
			case c.at == 0:
			case got.Violation == nil:
				t.Fatal("no violation")
			case got.Violation.At != c.at || c.witness > 0 && len(got.Violation.Witness) != c.witness:
				t.Fatalf("at %d, not %d; witness:%s", got.Violation.At, c.at, showCalls(got.Violation.Witness))
			}
		})
	}
}

func TestFrontierSentence(t *testing.T) {
	calls := []history.Call{
		call(0, history.FunctionWrite, 1, 0, history.Succeeded, 0, 1e9), call(0, history.FunctionWrite, 2, 0, history.Succeeded, 2e9, 3e9),
		call(1, history.FunctionRead, 1, 0, history.Succeeded, 4e9, 5e9), call(0, history.FunctionRead, 2, 0, history.Succeeded, 6e9, 7e9),
	}
	got := Frontier(t.Context(), RegisterSpecification{Start: history.Nil}, calls, Limits{}).Violation.Sentence(traceNaming(calls))
	want := "process 1 read 1 between 4.000 s and 5.000 s, which no order of the calls before allows: x "
	if !strings.HasPrefix(got, want) {
		t.Errorf("got  %s\nwant %s…", got, want)
	}
}

func TestFrontierStopsAtItsLimits(t *testing.T) {
	calls := registerHistory(1, 5, 2000, 5, 0.05)
	first := Frontier(t.Context(), RegisterSpecification{Start: history.Nil}, calls, Limits{Steps: 3000})
	if !strings.HasPrefix(first.Unknown, "the search reached its limit of 3,000 steps after ") || !strings.HasSuffix(first.Unknown, " of 2,000 calls") {
		t.Errorf("steps: %q", first.Unknown)
	}
	if again := Frontier(t.Context(), RegisterSpecification{Start: history.Nil}, calls, Limits{Steps: 3000}); again != first {
		t.Errorf("another time: %q, not %q", again.Unknown, first.Unknown)
	}
	if got := Frontier(t.Context(), RegisterSpecification{Start: history.Nil}, calls, Limits{Bytes: 1 << 10}); !strings.Contains(got.Unknown, "limit of 1 KiB after ") {
		t.Errorf("bytes: %q", got.Unknown)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if got := Frontier(over, RegisterSpecification{Start: history.Nil}, calls, Limits{}); got.Unknown != "the search reached its limit of time after 0 of 2,000 calls" {
		t.Errorf("time: %q", got.Unknown)
	}
	var many []history.Call
	for i := range int32(65) {
		many = append(many, call(i, history.FunctionWrite, 1, 0, history.Succeeded, 0, 9))
	}
	if got := Frontier(t.Context(), RegisterSpecification{}, many, Limits{}); got.Unknown != "more than 64 calls ran at the same time after 64 of 65 calls: the search cannot tell more apart" {
		t.Errorf("live: %q", got.Unknown)
	}
}

// TestFrontierOnLongHistories has histories long enough for marks, windows and
// tries from further back.
func TestFrontierOnLongHistories(t *testing.T) {
	violated := 0
	for seed := range uint64(12) {
		for _, values := range []int{5, 0} {
			calls := registerHistory(seed, 5, 3000, values, 0.02)
			if got := Frontier(t.Context(), RegisterSpecification{Start: history.Nil}, calls, Limits{}); got != (Result{}) {
				t.Fatalf("seed %d, values %d: %+v", seed, values, got)
			}
			if stale(calls); values == 0 {
				got := Frontier(t.Context(), RegisterSpecification{Start: history.Nil}, calls, Limits{})
				if got.Violation == nil {
					t.Fatalf("seed %d: %q, no violation", seed, got.Unknown)
				}
				if len(got.Violation.Witness) > 12 {
					t.Errorf("seed %d: a witness of %d calls", seed, len(got.Violation.Witness))
				}
				violated++
			}
		}
	}
	if violated != 12 {
		t.Errorf("%d violated", violated)
	}
}

// TestFrontierProofsAlone has each kind of proof on its own: whatever a window,
// or the search with inexhaustible unknown calls, calls illegal, must be.
func TestFrontierProofsAlone(t *testing.T) {
	for _, o := range oracleObjects()[:4] {
		t.Run(o.name, func(t *testing.T) {
			windows, tolerant := 0, 0
			rapid.Check(t, func(rt *rapid.T) {
				r := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 3))
				for range 20 {
					calls := o.draw(r, 2+r.IntN(4), 2+r.IntN(o.most), []float64{0, 0.05, 0.2}[r.IntN(3)])
					spoilCalls(r, calls)
					var d *driver
					o.judge(func(own *driver) { d = own }, calls, Limits{})
					if e := d.tolerate(&search{}); e >= 0 {
						tolerant++
						if o.legalUntil(calls, calls[^d.p.events[e]].Return, true) {
							rt.Fatalf("inexhaustible calls died at event %d of a legal history%s", e, showCalls(calls))
						}
					}
					for e := range d.p.events {
						if d.p.events[e] >= 0 {
							continue
						}
						for _, size := range []int{2, 4, 8} {
							if w := d.window(e, size, windowSteps); w != nil {
								windows++
								if o.legalUntil(calls, calls[^d.p.events[e]].Return, true) {
									rt.Fatalf("the window of %d events died at event %d of a legal history%s", size, e, showCalls(calls))
								}
							}
						}
					}
				}
			})
			if least := map[bool]int{false: 100, true: 10}[testing.Short()]; windows < least || tolerant < least {
				t.Errorf("%d windows and %d searches with inexhaustible calls died: too few", windows, tolerant)
			}
		})
	}
}

// TestFrontierOnLongerHistoriesAgainstPorcupine has 150 calls each, as long as the
// oracle can bear.
func TestFrontierOnLongerHistoriesAgainstPorcupine(t *testing.T) {
	o := registerObject("", 5, history.Nil)
	legal, illegal := 0, 0
	for seed := range uint64(60) {
		for _, unknown := range []float64{0, 0.02, 0.05} {
			calls := registerHistory(seed, 5, 150, 5, unknown)
			stale(calls)
			want := o.legal(calls)
			got := Frontier(t.Context(), RegisterSpecification{Start: history.Nil}, calls, Limits{})
			if got.Unknown != "" || (got.Violation == nil) != want {
				t.Fatalf("seed %d, %g unknown: %+v, porcupine: %v", seed, unknown, got, want)
			}
			if want {
				legal++
				continue
			}
			illegal++
			if v := got.Violation; o.legalUntil(calls, v.At, true) || !o.legalUntil(calls, v.At, false) || o.legal(v.Witness) {
				t.Fatalf("seed %d, %g unknown: not at %d, or the witness is legal:%s", seed, unknown, v.At, showCalls(v.Witness))
			}
		}
	}
	if legal < 20 || illegal < 20 {
		t.Errorf("%d legal, %d illegal: too few of one kind", legal, illegal)
	}
}
