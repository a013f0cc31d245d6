package holdfast

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"

	"github.com/etcd-holdfast/holdfast/internal/synthetic"
)

// synthesized makes a small run directory and returns it with its judgement.
func synthesized(t *testing.T) (path string, verdict, page []byte) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "run")
	if err := synthetic.Directory(path, synthetic.Options{Operations: 2000, Seed: 1, DoubleHold: true}); err != nil {
		t.Fatal(err)
	}
	verdict, page = judged(t, path)
	return path, verdict, page
}

func judged(t *testing.T, path string) (verdict, page []byte) {
	t.Helper()
	j, err := Judge(path, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Write(); err != nil {
		t.Fatal(err)
	}
	return content(t, path, VerdictFile), content(t, path, ReportFile)
}

func content(t *testing.T, path, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(path, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func names(t *testing.T, path string) []string {
	t.Helper()
	entries, err := os.ReadDir(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

func replace(t *testing.T, path, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(path, name), b, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestCompressedRunIsJudgedTheSame(t *testing.T) {
	for _, ending := range []string{zstdEnding, gzipEnding} {
		path, verdict, page := synthesized(t)
		for _, name := range []string{HistoryFile, RevisionsFile} {
			plain := content(t, path, name)
			if ending == zstdEnding {
				if err := compress(path, name, 0); err != nil {
					t.Fatal(err)
				}
			} else {
				var b bytes.Buffer
				w := gzip.NewWriter(&b)
				if _, err := w.Write(plain); err != nil {
					t.Fatal(err)
				}
				if err := w.Close(); err != nil {
					t.Fatal(err)
				}
				replace(t, path, name+ending, b.Bytes())
				if err := os.Remove(filepath.Join(path, name)); err != nil {
					t.Fatal(err)
				}
			}
			if small := len(content(t, path, name+ending)); small > len(plain)/3 {
				t.Errorf("%s%s has %d bytes of %d", name, ending, small, len(plain))
			}
		}
		if all := strings.Join(names(t, path), " "); strings.Contains(all, HistoryFile+" ") || strings.Contains(all, "."+HistoryFile+zstdEnding+" "+HistoryFile) {
			t.Errorf("the directory has %s", all)
		}
		gotVerdict, gotPage := judged(t, path)
		if !bytes.Equal(gotVerdict, verdict) || !bytes.Equal(gotPage, page) {
			t.Errorf("%s: the judgement differs from the plain directory's", ending)
		}
	}
}

func TestSmallJournalsStayPlain(t *testing.T) {
	path, _, _ := synthesized(t)
	before := names(t, path)
	size := int64(len(content(t, path, HistoryFile)))
	if err := compress(path, HistoryFile, size); err != nil {
		t.Fatal(err)
	}
	if err := compress(path, "nothing.jsonl", 0); err != nil {
		t.Errorf("a journal that is not there: %v", err)
	}
	if after := names(t, path); !reflect.DeepEqual(after, before) {
		t.Errorf("the directory had %v and has %v", before, after)
	}
}

// A run may be killed at any moment of compressing; what it leaves is judged as
// if it had not begun.
func TestKilledWhileCompressing(t *testing.T) {
	path, verdict, page := synthesized(t)
	plain := content(t, path, HistoryFile)
	if err := compress(path, HistoryFile, 0); err != nil {
		t.Fatal(err)
	}
	packed := content(t, path, HistoryFile+zstdEnding)
	same := func(when string) {
		t.Helper()
		gotVerdict, gotPage := judged(t, path)
		if !bytes.Equal(gotVerdict, verdict) || !bytes.Equal(gotPage, page) {
			t.Errorf("killed %s: the judgement differs", when)
		}
	}
	replace(t, path, HistoryFile, plain)
	same("before the plain journal was removed")
	if err := os.Remove(filepath.Join(path, HistoryFile+zstdEnding)); err != nil {
		t.Fatal(err)
	}
	replace(t, path, "."+HistoryFile+zstdEnding, packed[:len(packed)/2])
	same("while the compressed journal was written")
	if err := compress(path, HistoryFile, 0); err != nil {
		t.Fatal(err)
	}
	same("never, the second time")
	if all := strings.Join(names(t, path), " "); strings.Contains(all, "."+HistoryFile) {
		t.Errorf("something is left behind: %s", all)
	}
}

// The plain journal is the one that counts.
func TestPlainJournalWins(t *testing.T) {
	path, verdict, _ := synthesized(t)
	replace(t, path, HistoryFile+zstdEnding, []byte("no frame"))
	replace(t, path, HistoryFile+gzipEnding, []byte("no member"))
	if got, _ := judged(t, path); !bytes.Equal(got, verdict) {
		t.Error("the judgement differs")
	}
}

func TestDamagedCompressionIsAnError(t *testing.T) {
	path, _, _ := synthesized(t)
	if err := compress(path, HistoryFile, 0); err != nil {
		t.Fatal(err)
	}
	packed := content(t, path, HistoryFile+zstdEnding)
	for name, b := range map[string][]byte{
		"cut":      packed[:len(packed)/2],
		"no frame": []byte("this is no frame at all"),
		"damaged":  append(append(bytes.Clone(packed[:len(packed)/2]), packed[len(packed)/2]^0xff), packed[len(packed)/2+1:]...),
	} {
		replace(t, path, HistoryFile+zstdEnding, b)
		if _, err := Judge(path, false); err == nil || !strings.Contains(err.Error(), HistoryFile+zstdEnding) {
			t.Errorf("%s: got error %v, which should name the file", name, err)
		}
	}
}

func TestCompressFailureLeavesThePlainJournal(t *testing.T) {
	path, verdict, _ := synthesized(t)
	// A directory in the way of the temporary file.
	if err := os.Mkdir(filepath.Join(path, "."+HistoryFile+zstdEnding), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := compress(path, HistoryFile, 0); err == nil {
		t.Error("no error")
	}
	if got, _ := judged(t, path); !bytes.Equal(got, verdict) {
		t.Error("the judgement differs")
	}
}

func TestEndedRunCompressesItsLargeJournals(t *testing.T) {
	path, _, _ := synthesized(t)
	if err := os.Truncate(filepath.Join(path, HistoryFile), compressAbove+1); err != nil {
		t.Fatal(err)
	}
	r := &run{info: &Info{}, directory: &directory{path: path}}
	if r.compress() {
		t.Errorf("warnings: %q", r.info.Warnings)
	}
	all := names(t, path)
	for name, there := range map[string]bool{
		HistoryFile: false, HistoryFile + zstdEnding: true, RevisionsFile: true, RevisionsFile + zstdEnding: false,
	} {
		if slices.Contains(all, name) != there {
			t.Errorf("%s: there %v, want %v", name, !there, there)
		}
	}
	replace(t, path, HistoryFile, nil)
	if err := os.Truncate(filepath.Join(path, HistoryFile), compressAbove+1); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(path, "."+HistoryFile+zstdEnding), 0o755); err != nil {
		t.Fatal(err)
	}
	if !r.compress() || len(r.info.Warnings) != 1 || !strings.Contains(r.info.Warnings[0], HistoryFile) {
		t.Errorf("a failure made the warnings %q", r.info.Warnings)
	}
}
