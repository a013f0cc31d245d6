package history

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func written(t interface{ Fatal(...any) }, trace *Trace, model string) string {
	var b strings.Builder
	if err := WriteEDN(&b, trace, model); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// relation tells a trace without the names of its processes and objects and
// with the ranks of positions for the positions.
func relation(t *Trace) string {
	var positions []int64
	for _, c := range t.Calls {
		positions = append(positions, c.Invoke, c.Return)
	}
	slices.Sort(positions)
	positions = slices.Compact(positions)
	rank := func(at int64) int64 {
		if at == NoReturn {
			return NoReturn
		}
		k, _ := slices.BinarySearch(positions, at)
		return int64(k)
	}
	plain := *t
	plain.Calls = append([]Call(nil), t.Calls...)
	plain.Objects, plain.Processes = nil, nil
	processes, objects := make(map[int32]int32), make(map[int32]int32)
	number := func(m map[int32]int32, k int32, names *[]string) int32 {
		if _, ok := m[k]; !ok {
			m[k] = int32(len(m))
			*names = append(*names, fmt.Sprint("n", len(m)))
		}
		return m[k]
	}
	for i := range plain.Calls {
		c := &plain.Calls[i]
		c.ID, c.Invoke, c.Return = 0, rank(c.Invoke), rank(c.Return)
		c.Process, c.Object = number(processes, c.Process, &plain.Processes), number(objects, c.Object, &plain.Objects)
	}
	return tell(&plain)
}

// Traces with positions that are times, in which calls touch: what was before
// what stays so, and what was concurrent stays concurrent but for two calls of
// one process.
func TestEDNKeepsTies(t *testing.T) {
	touching, apart := 0, 0
	batches(t, 20_000, func(t *rapid.T, r *rand.Rand, _ string, _ bool) {
		trace := &Trace{Processes: []string{"a", "b", "c"}, Objects: []string{""}}
		for p := range int32(3) {
			at := int64(r.IntN(3))
			for range r.IntN(4) {
				c := Call{Process: p, Invoke: at, Return: at + int64(r.IntN(3)), Known: Succeeded, Function: FunctionRelease, Value: Nil}
				if r.IntN(2) == 0 {
					c.Function = FunctionAcquire
				}
				at = c.Return + int64(r.IntN(2))
				if r.IntN(5) == 0 {
					c.Known, c.Return = Unknown, NoReturn
				}
				trace.Calls = append(trace.Calls, c)
			}
		}
		slices.SortStableFunc(trace.Calls, func(a, b Call) int { return cmp.Compare(a.Invoke, b.Invoke) })
		for i := range trace.Calls {
			trace.Calls[i].Revision = int64(i + 1) // to know it again
		}
		text := written(t, trace, "mutex")
		back, err := ReadEDN(strings.NewReader(text), "x", "mutex")
		if err != nil || len(back.Calls) != len(trace.Calls) {
			t.Fatalf("%s\n%v", text, err)
		}
		again := make([]Call, len(trace.Calls))
		for _, c := range back.Calls {
			again[c.Revision-1] = c
		}
		there, here := make(map[int32]int32), make(map[int32]int32)
		for i, a := range trace.Calls {
			b := again[i]
			if _, ok := there[a.Process]; !ok {
				there[a.Process] = b.Process
			}
			if _, ok := here[b.Process]; !ok {
				here[b.Process] = a.Process
			}
			if a.Known != b.Known || a.Function != b.Function || there[a.Process] != b.Process || here[b.Process] != a.Process {
				t.Fatalf("call %d:\n%v\n%v\n%s", i, a, b, text)
			}
			for k, other := range trace.Calls {
				was, is := a.Return < other.Invoke, again[i].Return < again[k].Invoke
				if a.Return == other.Invoke {
					touching++
				} else {
					apart++
				}
				chained := a.Return == other.Invoke && chain(trace, a.Return)
				if was && !is || is && !was && a.Process != other.Process && !chained {
					t.Fatalf("calls %d and %d: before %v, now %v\n%s\n%s", i, k, was, is, tell(trace), text)
				}
			}
		}
	})
	enough(t, touching, apart)
}

// chain is true if two processes each end one call and begin the next at a
// position: no order of lines keeps all of that.
func chain(t *Trace, at int64) bool {
	n := 0
	for p := range t.Processes {
		ends, begins := false, false
		for _, c := range t.Calls {
			ends = ends || c.Process == int32(p) && c.Return == at
			begins = begins || c.Process == int32(p) && c.Invoke == at
		}
		if ends && begins {
			n++
		}
	}
	return n > 1
}

func TestWriteEDN(t *testing.T) {
	trace := &Trace{Processes: []string{"c1", "c2", "c2"}, Objects: []string{"0", "a b"}}
	trace.Calls = []Call{
		{Process: 0, Invoke: 5, Return: 9, Known: Succeeded, Function: FunctionAcquire, Revision: 33, Value: Nil},
		{Process: 1, Invoke: 9, Return: NoReturn, Function: FunctionAcquire, Object: 1, Value: Nil},
		{Process: 2, Invoke: 9, Return: 12, Known: Refused, Function: FunctionTryAcquire, Value: Nil},
		{Process: 0, Invoke: 12, Return: NoReturn, Function: FunctionRelease, Revision: 33, Value: Nil},
	}
	want := lines(
		`{:type :invoke, :f :acquire, :value [0 nil], :process 0, :client "c1", :time 5, :index 0}`,
		`{:type :invoke, :f :acquire, :value ["a b" nil], :process 1, :client "c2", :time 9, :index 1}`,
		`{:type :invoke, :f :try-acquire, :value [0 nil], :process 2, :client "c2", :time 9, :index 2}`,
		`{:type :ok, :f :acquire, :value [0 33], :process 0, :client "c1", :time 9, :index 3, :revision 33}`,
		`{:type :invoke, :f :release, :value [0 nil], :process 0, :client "c1", :time 12, :index 4}`,
		`{:type :fail, :f :try-acquire, :value [0 nil], :process 2, :client "c2", :time 12, :index 5, :refused true}`,
		`{:type :info, :f :acquire, :value ["a b" nil], :process 1, :client "c2", :time 12, :index 6}`,
		`{:type :info, :f :release, :value [0 nil], :process 0, :client "c1", :time 12, :index 7, :revision 33}`)
	if got := written(t, trace, "fenced-mutex"); got != want {
		t.Errorf("wrote\n%swant\n%s", got, want)
	}
	if err := WriteEDN(&strings.Builder{}, trace, "queue"); err == nil || err.Error() != "write EDN: the model queue has no acquire" {
		t.Errorf("an acquire of a queue: %v", err)
	}
	if err := WriteEDN(&strings.Builder{}, trace, "que"); err == nil {
		t.Error("a model that there is not")
	}
	full := errors.New("the disk is full")
	if err := WriteEDN(failingWriter{full}, trace, "mutex"); !errors.Is(err, full) {
		t.Errorf("the writer failed, and all that was told of it is %v", err)
	}
}

type failingWriter struct{ err error }

func (f failingWriter) Write([]byte) (int, error) { return 0, f.err }

// What has a text of its own keeps it, in values and in names of objects.
func TestEDNKeepsTexts(t *testing.T) {
	trace := &Trace{Processes: []string{"0"}, Objects: []string{"", "two words", `"quoted"`, ":k", "7", "a\nb\"\\\x01ü"}}
	for _, text := range []string{"c1-5", `"c1-5"`, "[1 2]", "", "two words", "a\x00\t", "1.0", "#{1}", "true", "-9223372036854775808", "ü", "]"} {
		for object := range trace.Objects {
			at := int64(2 * len(trace.Calls))
			trace.Calls = append(trace.Calls, Call{Invoke: at, Return: at + 1, Known: Succeeded, Function: FunctionWrite, Value: trace.Symbol(text), Object: int32(object)})
		}
	}
	text := written(t, trace, "register")
	back, err := ReadEDN(strings.NewReader(text), "x", "register")
	if err != nil {
		t.Fatalf("%s\n%v", text, err)
	}
	values := make(map[Value]Value)
	for i, c := range trace.Calls {
		got := back.Calls[i]
		if v, ok := values[c.Value]; ok && v != got.Value || got.Object != c.Object {
			t.Errorf("%s of %s was read as %s of %s", trace.Text(c.Value), trace.Objects[c.Object], back.Text(got.Value), back.Objects[got.Object])
		}
		values[c.Value] = got.Value
		if isForm(trace.Text(c.Value)) && trace.Text(c.Value) != back.Text(got.Value) {
			t.Errorf("%s was read as %s", trace.Text(c.Value), back.Text(got.Value))
		}
	}
}
