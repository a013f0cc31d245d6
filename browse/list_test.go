package browse

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast"
	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// several are runs of each standing.
func several() []sample {
	unfinished := one("cut", 5, 5)
	unfinished.verdict, unfinished.info.Ended = nil, holdfast.EndedCut
	unjudged := one("unjudged", 6, 6)
	unjudged.verdict = nil
	vacuous := one("vacuous", 4, 4, property{Subject: "mutex", Property: checker.Order, Verdict: checker.Vacuous, Sentence: "nobody waited"})
	vacuous.verdict.Verdict = checker.Vacuous
	return []sample{
		one("calm", 1, 0, kept("mutex", checker.Exclusion), kept("election", checker.Order)),
		one("quick", 2, 30, broke("mutex", checker.Exclusion, checker.BlameLease, ""), kept("election", checker.Order)),
		one("quick", 3, 60, broke("mutex", checker.Exclusion, checker.BlameServer, ""), kept("election", checker.Order)),
		vacuous, unfinished, unjudged,
	}
}

// names are the scenarios and seeds of the list's rows.
func names(body string) string {
	var all []string
	for _, part := range strings.Split(body, `aria-label="choose `)[1:] {
		name, _, _ := strings.Cut(part, `, 20`)
		if !strings.HasPrefix(name, "runs") {
			all = append(all, strings.ReplaceAll(name, ", seed", ""))
		}
	}
	return strings.Join(all, "; ")
}

func TestListSortsAndFilters(t *testing.T) {
	s := serving(t, several()...)
	for query, want := range map[string]string{
		"":                           "quick 3; quick 2; unjudged 6; cut 5; vacuous 4; calm 1",
		"sort=oldest":                "calm 1; vacuous 4; cut 5; unjudged 6; quick 2; quick 3",
		"sort=scenario":              "calm 1; cut 5; quick 3; quick 2; unjudged 6; vacuous 4",
		"sort=seed":                  "calm 1; quick 2; quick 3; vacuous 4; cut 5; unjudged 6",
		"sort=verdict":               "quick 3; vacuous 4; unjudged 6; cut 5; quick 2; calm 1",
		"scenario=quick":             "quick 3; quick 2",
		"scenario=quick&sort=oldest": "quick 2; quick 3",
		"verdict=violated":           "quick 3",
		"verdict=allowed":            "quick 2",
		"verdict=holds":              "calm 1",
		"verdict=vacuous":            "vacuous 4",
		"verdict=unfinished":         "cut 5",
		"verdict=not+judged":         "unjudged 6",
		"subject=election":           "quick 3; quick 2; calm 1",
		"property=order":             "quick 3; quick 2; vacuous 4; calm 1",
		"subject=election&property=order&verdict=holds":    "quick 3; quick 2; calm 1",
		"subject=mutex&property=exclusion&verdict=holds":   "calm 1",
		"subject=mutex&property=exclusion&verdict=allowed": "quick 2",
		"seed=3":                             "quick 3",
		"seed=+4+":                           "vacuous 4",
		"from=2026-11-28":                    "quick 3; quick 2",
		"to=2026-11-27":                      "unjudged 6; cut 5; vacuous 4; calm 1",
		"from=2026-11-28&to=2026-11-28":      "quick 2",
		"scenario=none":                      "",
		"scenario=quick&verdict=holds":       "",
		"scenario=&seed=&from=&to=&verdict=": "quick 3; quick 2; unjudged 6; cut 5; vacuous 4; calm 1",
	} {
		if got := names(s.shows("/?"+query, "<h1>Runs</h1>")); got != want {
			t.Errorf("%s: %s; want %s", query, got, want)
		}
	}
	s.shows("/?scenario=quick", `<option selected>quick</option>`, "2 of 6 runs", `href="/?scenario=quick&amp;sort=verdict"`)
}

func TestListRefusesWhatItDoesNotUnderstand(t *testing.T) {
	s := serving(t, several()...)
	for query, want := range map[string]string{
		"seed=seven": "seed: &#34;seven&#34; is not a whole number", "from=yesterday": "from: ", "to=27.11.2026": "to: ", "sort=random": "sort: ", "verdict=good": "verdict: ",
		"page=0": "page: ", "page=x": "page: ",
	} {
		if _, body := s.get("/?"+query, http.StatusBadRequest); !strings.Contains(body, want) {
			t.Errorf("%s: %s", query, body)
		}
	}
}

func TestListHasPages(t *testing.T) {
	var many []sample
	for i := range pageLength + 5 {
		many = append(many, one("many", int64(i+1), i))
	}
	s := serving(t, many...)
	s.shows("/", "105 runs, 1 to 100 shown", "many, seed 105", "many, seed 6,", `href="/?page=2"`)
	s.shows("/?page=2&seed=", "101 to 105 shown", "many, seed 5,", "many, seed 1,", `href="/?page=1"`)
	s.shows("/?page=9", "105 runs")
}

// What one has to know first of a run stands first: what fails it, then what somebody
// got wrong, then what leases cannot prevent; and what was not tested only if nothing
// else is to be said.
func TestHeadlines(t *testing.T) {
	lease, known := broke("b", checker.Exclusion, checker.BlameLease, ""), broke("c", checker.Ownership, checker.BlameLibrary, "etcd#19597")
	fails, untested := broke("d", checker.Order, checker.BlameSubject, ""), property{Subject: "e", Property: checker.Notice, Verdict: checker.Vacuous, Sentence: "no lease ended"}
	for want, of := range map[string][]property{
		"1 promise put to the test and kept":                        {kept("a", checker.Order)},
		"1 promise put to the test and kept, 1 not put to the test": {untested, kept("a", checker.Order)},
		"b exclusion: c3 and c7 held it at once":                    {kept("a", checker.Order), untested, lease},
		"c ownership: c3 and c7 held it at once (and 1 more)":       {lease, known},
		"d order: c3 and c7 held it at once (and 2 more)":           {lease, known, fails},
	} {
		if got := headline(&run{Verdict: one("quick", 7, 0, of...).verdict}); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	v := one("quick", 7, 0, kept("a", checker.Order), untested).verdict
	v.Verdict = checker.Vacuous
	if got, want := headline(&run{Verdict: v}), "e notice: no lease ended"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// Whether a violation is allowed is said by its effect, or in older files by whom
// it blames.
func TestAllowed(t *testing.T) {
	for _, c := range []struct {
		effect checker.Verdict
		blame  checker.Blame
		known  string
		want   standing
	}{
		{"", checker.BlameServer, "", violated}, {"", checker.BlameLease, "", allowed}, {"", checker.BlameLibrary, "etcd#19597", allowed},
		{checker.Violated, checker.BlameLease, "etcd#19597", violated}, {checker.Holds, checker.BlameServer, "", allowed},
	} {
		p := broke("mutex", checker.Order, c.blame, c.known)
		p.Effect = c.effect
		if got := p.standing(); got != c.want {
			t.Errorf("%+v: %s", c, got.Word)
		}
	}
	for _, word := range []string{"", "splendid"} {
		if p := (property{Verdict: checker.Verdict(word)}); p.standing().Class != "fair" || !strings.Contains(p.standing().Word, word) {
			t.Errorf("a verdict %q is %+v", word, p.standing())
		}
	}
}

// A run is read again when it has changed, and only then.
func TestRunsAreReadAgainWhenTheyChange(t *testing.T) {
	first := one("quick", 7, 0, kept("mutex", checker.Order))
	s := serving(t, first)
	before, err := s.handler.library.look()
	if err != nil {
		t.Fatal(err)
	}
	again, err := s.handler.library.look()
	if err != nil || again.Runs[0] != before.Runs[0] {
		t.Errorf("a run that has not changed was read again (%v)", err)
	}
	s.shows("/", "1 holds")
	worse := one("quick", 7, 0, broke("mutex", checker.Order, checker.BlameServer, ""))
	worse.make(t, s.path)
	s.shows("/", "1 violated")
	if err := os.Remove(filepath.Join(s.path, first.name, holdfast.VerdictFile)); err != nil {
		t.Fatal(err)
	}
	s.shows("/", "1 not judged", "holdfast check "+first.name)
	if err := os.RemoveAll(filepath.Join(s.path, first.name)); err != nil {
		t.Fatal(err)
	}
	s.shows("/", "There is no run in this directory yet")
	if n := len(s.handler.library.runs); n != 0 {
		t.Errorf("%d runs are kept that are gone", n)
	}
}

// A run that is under way says when its record last grew, which changes without any
// of the files that tell of a run.
func TestRunUnderWay(t *testing.T) {
	run := one("long", 7, 0)
	run.verdict, run.info.Ended = nil, holdfast.EndedCut
	run.files[holdfast.HistoryFile] = "{}\n"
	delete(run.files, holdfast.ReportFile)
	s := serving(t, run)
	for _, hours := range []int{2, 3} {
		grown := epoch.Add(time.Duration(hours) * time.Hour)
		if err := os.Chtimes(filepath.Join(s.path, run.name, holdfast.HistoryFile), grown, grown); err != nil {
			t.Fatal(err)
		}
		s.shows("/", "under way, or killed; recorded until "+stampText(grown))
		s.shows(runLink(run.name), "It is under way, or it was killed.", stampText(grown), "holdfast check "+run.name)
	}
	if body := s.shows("/", ""); strings.Contains(body, ">report</a>") {
		t.Error("there is a link to a report that is not there")
	}
}

func TestLatest(t *testing.T) {
	run := one("quick", 7, 0)
	s := serving(t, run)
	s.get("/runs/latest/", http.StatusNotFound)
	if err := os.Symlink("/etc", filepath.Join(s.path, "latest")); err != nil {
		t.Fatal(err)
	}
	s.get("/runs/latest/", http.StatusNotFound)
	if err := os.Remove(filepath.Join(s.path, "latest")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(run.name, filepath.Join(s.path, "latest")); err != nil {
		t.Fatal(err)
	}
	answer, _ := s.get("/runs/latest/", http.StatusFound)
	if got := answer.Header.Get("Location"); got != runLink(run.name) {
		t.Errorf("the latest run is at %s", got)
	}
	s.shows("/", "1 run") // not twice
}

// What is shown of a real run is what it was judged to be.
func TestRealRun(t *testing.T) {
	directory := t.TempDir()
	scenario := holdfast.SimulatedScenario(workloads.Subject{Name: "get-then-put"}, 3, holdfast.Swarm{Duration: 3 * time.Second})
	j, err := holdfast.Run(t.Context(), scenario, holdfast.RunOptions{Out: directory})
	if err != nil {
		t.Fatal(err)
	}
	handler, err := NewHandler(Options{Directory: directory})
	if err != nil {
		t.Fatal(err)
	}
	defer handler.Close()
	s := &shelf{t, directory, handler}
	c, err := handler.library.look()
	if err != nil || len(c.Runs) != 1 {
		t.Fatalf("%d runs, %v", len(c.Runs), err)
	}
	run := c.Runs[0]
	if run.Verdict.Verdict != j.Result().Verdict || run.Verdict.Exit != j.Result().Exit || len(run.Verdict.Properties) != len(j.Result().Properties) || run.Duration != 3*time.Second {
		t.Errorf("run %+v, verdict %+v", run, run.Verdict)
	}
	for _, p := range j.Result().Properties {
		got := run.property(p.Subject, p.Property)
		if got == nil || got.Verdict != p.Verdict || len(got.Figures) != len(p.Figures) || (got.standing() == violated) != p.Fails(false) {
			t.Errorf("%s %s: %+v, want %+v", p.Subject, p.Property, got, p)
		}
	}
	if run.calls() == 0 || run.rounds() == 0 {
		t.Errorf("%f calls and %f rounds a second", run.calls(), run.rounds())
	}
	s.shows(runLink(run.Name), "violated", "get-then-put-simulated, seed 3", "Open the report", "What does not hold", "history.jsonl", "what every client did and was told")
	s.shows(reportOf(run), "<!doctype html>")
}
