package history

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var generated = []string{"cas-register", "mutex", "rwmutex", "queue"}

// batches draws seeds by rapid, and from each seed a batch of histories, until
// there were enough of them.
func batches(t *testing.T, histories int, f func(t *rapid.T, r *rand.Rand, model string, keyed bool)) {
	t.Helper()
	if testing.Short() {
		histories /= 40
	}
	size := histories / 100 // rapid draws a hundred
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		r := rand.New(rand.NewPCG(seed, 1))
		for range size {
			f(t, r, generated[r.IntN(len(generated))], r.IntN(3) == 0)
		}
	})
}

// Whatever its layout, the trace of a history is what its operations mean; and
// a history with a fault is refused with the place of it.
func TestEDNIsReadInEveryLayout(t *testing.T) {
	well, faulty := 0, 0
	batches(t, 20_000, func(t *rapid.T, r *rand.Rand, model string, keyed bool) {
		ops := generate(r, model, keyed)
		text := renderEDN(r, ops)
		if len(ops) > 0 && r.IntN(3) == 0 {
			broken := damage(r, text)
			if _, err := ReadEDN(strings.NewReader(broken), "x", model); !isSyntax(err) {
				t.Fatalf("%s\nof\n%s\nerror %v", model, broken, err)
			}
			faulty++
			return
		}
		trace, err := ReadEDN(strings.NewReader(text), "x", model)
		if err != nil {
			t.Fatalf("%s\n%s: %v", model, text, err)
		}
		if got, want := unnumbered(trace), expected(ops, false); got != want {
			t.Fatalf("%s\n%s\nread as\n%s\nwant\n%s", model, text, got, want)
		}
		well++
	})
	enough(t, well, faulty)
}

// The same for the text log, in which a comparison that failed is evidence.
func TestJepsenLogIsReadInEveryLayout(t *testing.T) {
	well, faulty := 0, 0
	batches(t, 20_000, func(t *rapid.T, r *rand.Rand, model string, keyed bool) {
		ops := generate(r, model, keyed)
		text := renderLog(r, ops)
		if len(ops) > 0 && r.IntN(3) == 0 {
			fault := []string{"jepsen.util - 99 :invoked :read nil\n", "jepsen.util - 99 :ok :no-such-thing nil\n", "jepsen.util - 99 :invoke [1]\n", "jepsen.util - 99 :invoke\n",
				"jepsen.util - 99 :invoke :" + ops[0].f + "\n"}[r.IntN(5)]
			if ops[0].nemesis {
				fault = "jepsen.util - 99 :ok\n"
			}
			ls := strings.SplitAfter(text, "\n")
			at := r.IntN(len(ls))
			broken := strings.Join(ls[:at], "") + fault + strings.Join(ls[at:], "")
			if _, err := ReadJepsenLog(strings.NewReader(broken), "x", model); !isSyntax(err) {
				t.Fatalf("%s\nof\n%s\nerror %v", model, broken, err)
			}
			faulty++
			return
		}
		trace, err := ReadJepsenLog(strings.NewReader(text), "x", model)
		if err != nil {
			t.Fatalf("%s\n%s: %v", model, text, err)
		}
		if got, want := unnumbered(trace), expected(ops, true); got != want {
			t.Fatalf("%s\n%s\nread as\n%s\nwant\n%s", model, text, got, want)
		}
		well++
	})
	enough(t, well, faulty)
}

// A history that was read, written and read again is the same, and written
// again it is the same text.
func TestTraceSurvivesEDN(t *testing.T) {
	known := [3]int{}
	batches(t, 20_000, func(t *rapid.T, r *rand.Rand, model string, keyed bool) {
		read := ReadEDN
		ops := generate(r, model, keyed)
		text := renderEDN(r, ops)
		if r.IntN(2) == 0 {
			read, text = ReadJepsenLog, renderLog(r, ops)
		}
		first, err := read(strings.NewReader(text), "x", model)
		if err != nil {
			t.Fatal(err)
		}
		once := written(t, first, model)
		second, err := ReadEDN(strings.NewReader(once), "x", model)
		if err != nil {
			t.Fatalf("%s\n%v", once, err)
		}
		if a, b := relation(first), relation(second); a != b {
			t.Fatalf("%s\nwritten as\n%s\n%s\nread as\n%s", text, once, a, b)
		}
		if twice := written(t, second, model); twice != once {
			t.Fatalf("%s\nwritten again is\n%s", once, twice)
		}
		for _, c := range first.Calls {
			known[c.Known]++
		}
	})
	for k, n := range known {
		if n < 1000 && !testing.Short() {
			t.Errorf("only %d calls were known as %d", n, k)
		}
	}
}

// damage makes a history malformed for certain.
func damage(r *rand.Rand, text string) string {
	open := strings.LastIndexByte(text, '}')
	switch r.IntN(4) {
	case 0: // it ends inside its last map
		return text[:open]
	case 1: // a bracket too many
		return text[:open] + "]" + text[open:]
	case 2: // a completion that nobody called, before all
		return "{:process 77 :type :ok :f :none}" + text
	default: // a character that begins nothing
		return text[:open] + " ~x" + text[open:]
	}
}

func isSyntax(err error) bool {
	var syntax *SyntaxError
	return errors.As(err, &syntax) && syntax.Line > 0 && syntax.Source == "x"
}

func enough(t *testing.T, counts ...int) {
	t.Helper()
	for _, n := range counts {
		if n < 4000 && !testing.Short() {
			t.Errorf("of one kind there were only %d histories: %v", n, counts)
		}
	}
	t.Logf("histories of each kind: %v", counts)
}
