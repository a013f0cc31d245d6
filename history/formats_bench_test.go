package history

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
)

// benchmarkText is a register's history of so many calls, as a format has it.
func benchmarkText(calls int, log bool) []byte {
	r := rand.New(rand.NewPCG(1, 1))
	var b bytes.Buffer
	index := 0
	line := func(kind, f, value string, process int) {
		if log {
			fmt.Fprintf(&b, "INFO  jepsen.util - %d\t:%s\t:%s\t%s\n", process, kind, f, value)
		} else {
			fmt.Fprintf(&b, "{:type :%s, :f :%s, :value %s, :process %d, :time %d, :index %d}\n", kind, f, value, process, 1_000_000*index, index)
		}
		index++
	}
	for k := 0; k < calls; k += 5 {
		f, value := [5]string{}, [5]string{}
		for p := range 5 {
			switch f[p], value[p] = "read", "nil"; r.IntN(3) {
			case 0:
				f[p], value[p] = "write", fmt.Sprint(r.IntN(5))
			case 1:
				f[p], value[p] = "cas", fmt.Sprintf("[%d %d]", r.IntN(5), r.IntN(5))
			}
			line("invoke", f[p], value[p], p)
		}
		for p := range 5 {
			if f[p] == "read" {
				value[p] = fmt.Sprint(r.IntN(5))
			}
			line([]string{"ok", "ok", "ok", "info"}[r.IntN(4)], f[p], value[p], p)
		}
	}
	return b.Bytes()
}

const benchmarkCalls = 1_000_000

func BenchmarkReadEDN(b *testing.B) {
	text := benchmarkText(benchmarkCalls, false)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if trace, err := ReadEDN(bytes.NewReader(text), "x", "cas-register"); err != nil || len(trace.Calls) != benchmarkCalls {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadJepsenLog(b *testing.B) {
	text := benchmarkText(benchmarkCalls, true)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if trace, err := ReadJepsenLog(bytes.NewReader(text), "x", "cas-register"); err != nil || len(trace.Calls) != benchmarkCalls {
			b.Fatal(err)
		}
	}
}

func BenchmarkWriteEDN(b *testing.B) {
	trace, err := ReadEDN(bytes.NewReader(benchmarkText(benchmarkCalls, false)), "x", "cas-register")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := WriteEDN(io.Discard, trace, "cas-register"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTraceBuilder(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		builder := NewTraceBuilder("x")
		for k := range benchmarkCalls {
			p := builder.ProcessNumber(int64(k % 8))
			if err := builder.Invoke(Call{Process: p, Function: FunctionRead}, 2*k, int64(k)); err != nil {
				b.Fatal(err)
			}
			if _, err := builder.Complete(p, FunctionRead, Succeeded, 2*k+1, int64(k)); err != nil {
				b.Fatal(err)
			}
		}
		if len(builder.Trace().Calls) != benchmarkCalls {
			b.Fatal("calls are missing")
		}
	}
}
