package history

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

const (
	smallEDN     = "{:type :invoke :f :write :value 1 :process 0}\n"
	smallLog     = "INFO  jepsen.util - 0\t:invoke\t:write\t1\n"
	smallJournal = `{"type":"header","header":{"version":1,"prefix":"p","subjects":null}}` + "\n" + `{"type":"invoke","id":1,"time":1,"kind":"acquire"}` + "\n"
)

func TestOpenTellsFormats(t *testing.T) {
	for text, want := range map[string]Format{
		smallEDN: FormatEDN, "\n\t" + smallEDN: FormatEDN, "[" + smallEDN + "]": FormatEDN, "(" + smallEDN + ")": FormatEDN,
		"; by hand\n" + smallEDN: FormatEDN, "#jepsen.history.Op" + smallEDN: FormatEDN, "[]": FormatEDN, "\xef\xbb\xbf" + smallEDN: FormatEDN,
		smallLog: FormatJepsenLog, "a banner\n" + smallLog: FormatJepsenLog, "[main] " + smallLog: FormatJepsenLog, strings.Repeat("a banner\n", 10_000) + smallLog: FormatJepsenLog,
		smallJournal: FormatJournal,
	} {
		for name, compress := range map[string]func(io.Writer) io.WriteCloser{
			"plain": func(w io.Writer) io.WriteCloser {
				return struct {
					io.Writer
					io.Closer
				}{w, io.NopCloser(nil)}
			},
			"gzip": func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
			"zstd": func(w io.Writer) io.WriteCloser {
				z, err := zstd.NewWriter(w)
				if err != nil {
					t.Fatal(err)
				}
				return z
			},
		} {
			var b bytes.Buffer
			w := compress(&b)
			if _, err := io.WriteString(w, text); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "history")
			if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
			f, err := Open(path)
			if err != nil || f.Format != want {
				t.Errorf("%.20q as %s: %v, %v, want %s", text, name, f, err, want)
				continue
			}
			calls := 0
			if want == FormatJournal {
				h, err := f.History()
				if err != nil {
					t.Fatal(err)
				}
				calls = len(h.Operations)
				if _, err := f.Trace("mutex"); err == nil {
					t.Error("a journal is a trace of no model")
				}
			} else {
				trace, err := f.Trace("register")
				if err != nil {
					t.Fatal(err)
				}
				calls = len(trace.Calls)
				if _, err := f.History(); err == nil {
					t.Errorf("%s is a journal", want)
				}
			}
			if calls != 1 && text != "[]" {
				t.Errorf("%.20q as %s: %d calls", text, name, calls)
			}
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestOpenFaults(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := io.WriteString(z, smallEDN); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"":                                      "open x: there is nothing in it",
		" \n":                                   "open x: there is nothing in it",
		"hello":                                 "open x: it is no history",
		`{"a":1}`:                               "open x: it is no history",
		"\x1f\x8bxxxx":                          "open x: decompress: ",
		packed.String()[:packed.Len()-20] + "x": "open x: ",
	} {
		if _, err := OpenReader(strings.NewReader(text), "x"); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none")); !os.IsNotExist(err) {
		t.Errorf("a file that is not there: %v", err)
	}
	f, err := OpenReader(strings.NewReader(smallEDN+"{:type :ok"), "x.edn")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Trace("register"); err == nil || !strings.HasPrefix(err.Error(), "x.edn:2:11: expected") {
		t.Errorf("a truncated history: %v", err)
	}
}
