package browse

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/etcd-holdfast/holdfast"
	"github.com/etcd-holdfast/holdfast/checker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// sample is a run directory to be made.
type sample struct {
	name    string
	info    holdfast.Info
	verdict *verdict
	files   map[string]string
}

// epoch is when samples begin.
var epoch = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

// one is a complete run of a scenario, so many hours after the epoch.
func one(scenario string, seed int64, hours int, of ...property) sample {
	started := epoch.Add(time.Duration(hours) * time.Hour)
	v := &verdict{Verdict: checker.Holds, Properties: of, Faults: []fault{{Fault: "cut-client", Target: "c1", From: 1, To: 2, Verified: true, Evidence: "3 connections severed"}}}
	for i := range of {
		if of[i].standing() == violated {
			v.Verdict, v.Exit = checker.Violated, checker.ExitViolated
		}
	}
	return sample{
		name: started.Format("20060102T150405Z") + "-" + scenario, verdict: v,
		info: holdfast.Info{Scenario: scenario, Seed: seed, Started: started, Ended: holdfast.EndedComplete, Etcd: "3.7.3", Cluster: "sim", Rounds: map[string]int{"c1": 10, "c2": 30}},
		files: map[string]string{
			"scenario.yaml": "name: " + scenario + "\nduration: 20s\n", "report.html": "<!doctype html><p>the report of " + scenario,
			"members/m1.log": "a member's log\n",
		},
	}
}

func kept(subject, name string) property {
	return property{Subject: subject, Property: name, Verdict: checker.Holds, Sentence: "it was kept", Figures: map[string]float64{"wait_max_ms": 12.5, "held": 7}}
}

func broke(subject, name string, blame checker.Blame, known string) property {
	return property{Subject: subject, Property: name, Verdict: checker.Violated, Blame: blame, Known: known, Count: 2, Sentence: "c3 and c7 held it at once", Figures: map[string]float64{"overlaps": 2}}
}

// make makes the directory of a run.
func (s *sample) make(t testing.TB, directory string) {
	t.Helper()
	path := filepath.Join(directory, s.name)
	content := func(name string, value any) {
		text, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		put(t, filepath.Join(path, name), string(text))
	}
	content(holdfast.InfoFile, s.info)
	if s.verdict != nil {
		content(holdfast.VerdictFile, s.verdict)
	}
	for name, text := range s.files {
		put(t, filepath.Join(path, name), text)
	}
}

func put(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// shelf is a directory of runs, and what serves it.
type shelf struct {
	t       testing.TB
	path    string
	handler *Handler
}

func serving(t testing.TB, samples ...sample) *shelf {
	t.Helper()
	directory := t.TempDir()
	for i := range samples {
		samples[i].make(t, directory)
	}
	handler, err := NewHandler(Options{Directory: directory})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = handler.Close() })
	return &shelf{t, directory, handler}
}

// get asks for a page and demands a status.
func (s *shelf) get(path string, status int) (*http.Response, string) {
	s.t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Host = "localhost:7070"
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	answer := w.Result()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if answer.StatusCode != status {
		s.t.Errorf("%s: status %d, want %d: %.200s", path, answer.StatusCode, status, body)
	}
	return answer, string(body)
}

// shows demands texts of a page, in that order.
func (s *shelf) shows(path string, texts ...string) string {
	s.t.Helper()
	_, body := s.get(path, http.StatusOK)
	rest := body
	for _, text := range texts {
		_, after, ok := strings.Cut(rest, text)
		if !ok {
			s.t.Errorf("%s does not show %q, or not there:\n%s", path, text, body)
			return body
		}
		rest = after
	}
	return body
}

// record lets the handler answer a request.
func record(s *shelf, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w
}
