package history

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// testOp is an operation as a generator makes it. Its value is EDN text.
type testOp struct {
	kind, f, value string
	process        int
	key            string // "" if there are no keys
	nemesis        bool
}

// generate draws a history of a model: few processes, each with one call at a
// time, ended in every way, and a nemesis between.
func generate(r *rand.Rand, model string, keyed bool) []testOp {
	var ops []testOp
	open := make(map[int]testOp)
	names := map[int]int{}
	next := 4
	for i := range 4 {
		names[i] = i
	}
	value := func() string { return []string{"0", "1", "-3", `"a b"`, ":k", "1.5", "nil"}[r.IntN(7)] }
	for range r.IntN(24) {
		slot := r.IntN(4)
		if r.IntN(8) == 0 {
			ops = append(ops, testOp{kind: "info", f: "start", value: `{:hosts #{"n1"} :n [1 2]}`, nemesis: true})
		}
		call, is := open[slot]
		if !is {
			call = testOp{kind: "invoke", value: "nil", process: names[slot]}
			switch model {
			case "cas-register":
				switch r.IntN(3) {
				case 0:
					call.f = "read"
				case 1:
					call.f, call.value = "write", value()
				default:
					call.f, call.value = "cas", "["+value()+" "+value()+"]"
				}
			case "mutex":
				call.f = []string{"acquire", "release"}[r.IntN(2)]
			case "rwmutex":
				call.f = []string{"read-acquire", "write-acquire", "read-release", "write-release"}[r.IntN(4)]
			case "queue":
				if call.f = "dequeue"; r.IntN(2) == 0 {
					call.f, call.value = "enqueue", fmt.Sprint(len(ops))
				}
			}
			if keyed {
				call.key = []string{"1", `"two"`, ":three"}[r.IntN(3)]
			}
			ops = append(ops, call)
			open[slot] = call
			continue
		}
		call.kind = []string{"ok", "ok", "ok", "fail", "info"}[r.IntN(5)]
		if call.kind == "ok" && (call.f == "read" || call.f == "dequeue") {
			call.value = value()
		}
		delete(open, slot)
		if call.kind == "info" && r.IntN(2) == 0 {
			names[slot] = next
			next++
		}
		ops = append(ops, call)
	}
	return ops
}

// expected says what the trace of operations is, in the words of tell without
// lines: worked out from the definition, without the reader's code.
func expected(ops []testOp, comparisonsFail bool) string {
	type call struct {
		head         string
		value        string
		begin, until int
		state        string
	}
	var calls []*call
	open := make(map[int]*call)
	position := -1
	for _, op := range ops {
		if op.nemesis {
			continue
		}
		position++
		if op.kind == "invoke" {
			c := &call{begin: position, state: "?"}
			c.head = fmt.Sprintf("%d %s", op.process, map[string]string{
				"read-acquire": "acquire shared", "write-acquire": "acquire", "read-release": "release shared", "write-release": "release",
			}[op.f])
			if !strings.Contains(op.f, "-") {
				c.head = fmt.Sprintf("%d %s", op.process, op.f)
			}
			if op.key != "" {
				c.head += " on " + op.key
			}
			c.value = strings.Trim(op.value, "[]")
			if parts := splitPair(c.value); op.f == "cas" {
				c.value = parts[1]
				if parts[0] != "0" { // tell leaves out what is zero
					c.head += " " + parts[0]
				}
			}
			calls, open[op.process] = append(calls, c), c
			continue
		}
		c := open[op.process]
		c.until = position
		switch {
		case op.kind == "ok" && op.f == "dequeue" && op.value == "nil", op.kind == "fail" && op.f == "cas" && comparisonsFail:
			c.state = "refused"
		case op.kind == "ok":
			c.state = "ok"
			if op.f == "read" || op.f == "dequeue" {
				c.value = op.value
			}
		case op.kind == "fail":
			c.state = "dropped"
		}
	}
	var b strings.Builder
	for _, c := range calls {
		if c.state == "dropped" {
			continue
		}
		b.WriteString("0: " + c.head)
		if c.value != "nil" && c.value != "" {
			b.WriteString(" " + c.value)
		}
		switch c.state {
		case "?":
			fmt.Fprintf(&b, " [%d, ?\n", c.begin)
		case "refused":
			fmt.Fprintf(&b, " [%d, %d] refused\n", c.begin, c.until)
		default:
			fmt.Fprintf(&b, " [%d, %d]\n", c.begin, c.until)
		}
	}
	return b.String()
}

// splitPair splits two forms at the blank that is in no string.
func splitPair(text string) [2]string {
	quoted := false
	for i, c := range text {
		if c == '"' {
			quoted = !quoted
		}
		if c == ' ' && !quoted {
			return [2]string{text[:i], text[i+1:]}
		}
	}
	return [2]string{text, ""}
}

// full is the value with its key.
func (o *testOp) full() string {
	if o.key == "" {
		return o.value
	}
	return "[" + o.key + " " + o.value + "]"
}

// renderEDN writes operations in any of the ways that EDN allows.
func renderEDN(r *rand.Rand, ops []testOp) string {
	var b strings.Builder
	vector := r.IntN(3) == 0
	separator := []string{"\n", " ", "\n\n ; a comment {:type\n", ", #_{:type :ok} ", "\r\n"}[r.IntN(5)]
	if vector {
		b.WriteString([]string{"[", " [\n", "#jepsen.history.History [", "; first\n["}[r.IntN(4)])
	}
	for i, op := range ops {
		process := fmt.Sprint(op.process)
		if op.nemesis {
			process = ":nemesis"
		}
		fields := []string{":type :" + op.kind, ":f :" + op.f, ":value " + op.full(), ":process " + process, fmt.Sprintf(":time %d", i), fmt.Sprintf(":index %d", i)}
		if r.IntN(4) == 0 {
			fields = append(fields, []string{
				`:error [:x "a } \" b" \} #inst "2020"]`, ":node nil", `"odd" #{1 [2]}`, ":exception {:via [{:at (a.b$c 1/2)}] #_ :no}", ":c \\newline", ":debug ##NaN",
			}[r.IntN(6)])
		}
		r.Shuffle(len(fields), func(i, j int) { fields[i], fields[j] = fields[j], fields[i] })
		if i > 0 || r.IntN(4) == 0 {
			b.WriteString(separator)
		}
		if r.IntN(8) == 0 {
			b.WriteString("#jepsen.history.Op")
		}
		b.WriteString("{" + strings.Join(fields, []string{", ", " ", ",\n ", "\t"}[r.IntN(4)]) + "}")
	}
	if vector {
		b.WriteString("]")
	}
	if r.IntN(2) == 0 {
		b.WriteString("\n")
	}
	return b.String()
}

// renderLog writes operations as lines of a log, with others between.
func renderLog(r *rand.Rand, ops []testOp) string {
	var b strings.Builder
	before := []string{"INFO  jepsen.util - ", "12:03:44.001 [worker] INFO  jepsen.util -  ", "2020-01-01 10:00:00,123{GMT}\tINFO\t[jepsen worker 3] jepsen.util: "}[r.IntN(3)]
	gap := []string{"\t", "  ", " \t"}[r.IntN(3)]
	for _, op := range ops {
		if r.IntN(4) == 0 {
			b.WriteString([]string{"INFO  jepsen.core - 0 :invoke :read nil\n", "\n", "java.lang.Exception: at jepsen.util$timeout (util.clj:3)\n", "INFO  jepsen.util - 5 nodes are up\n"}[r.IntN(4)])
		}
		process, value := fmt.Sprint(op.process), op.full()
		if op.nemesis {
			process = ":nemesis"
		}
		if op.kind == "info" || op.kind == "fail" && op.f != "cas" {
			value = []string{":timed-out", value, value + gap + `"Connection refused"`, "no reply (yet"}[r.IntN(4)]
		} else if op.kind == "ok" && r.IntN(8) == 0 {
			value += gap + "[:note {:a 1}]"
		}
		b.WriteString(before + process + gap + ":" + op.kind + gap + ":" + op.f + gap + value + []string{"\n", "\r\n", " \n"}[r.IntN(3)])
	}
	return b.String()
}

// unnumbered is tell without the lines.
func unnumbered(t *Trace) string {
	plain := *t
	plain.Calls = append([]Call(nil), t.Calls...)
	for i := range plain.Calls {
		plain.Calls[i].ID = 0
	}
	return tell(&plain)
}
