package main

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/etcd-holdfast/holdfast"
	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/internal/playground"
)

// fits demands that no line is wider than a result may be.
func fits(t *testing.T, what, text string) {
	t.Helper()
	if text == "" {
		t.Errorf("%s: nothing was printed", what)
	}
	for line := range strings.SplitSeq(text, "\n") {
		if n := utf8.RuneCountInString(line); n > lineWidth {
			t.Errorf("%s: %d columns: %s", what, n, line)
		}
		if strings.TrimRight(line, " ") != line {
			t.Errorf("%s: spaces at the end of %q", what, line)
		}
	}
}

func TestListsFit(t *testing.T) {
	for name, list := range lists {
		rows, err := list()
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		if err := writeTable(&b, rows); err != nil {
			t.Fatal(err)
		}
		fits(t, name, b.String())
		for _, row := range rows { // and nothing is lost
			for _, word := range strings.Fields(strings.Join(row, " ")) {
				if !strings.Contains(b.String(), word) {
					t.Errorf("list %s lacks %q", name, word)
				}
			}
		}
	}
}

// The zoo's table fits whatever was found of whom, and says of what is not as it
// should be what it is and where to look.
func TestTheTableOfTheZooFits(t *testing.T) {
	planted, controls := holdfast.ZooSubjects()
	var properties []string
	for _, p := range checker.PropertyNames() {
		properties = append(properties, p.Name)
	}
	for _, found := range []int{0, 1} {
		var findings []holdfast.Finding
		for _, s := range planted {
			findings = append(findings, holdfast.Finding{
				Subject: s.Name, Primitive: string(s.Primitive()), Wrong: s.Summary, Planted: true, Expected: s.Breaks, Runs: 100, Found: 100 * found,
				By: s.Breaks, Also: properties, Seconds: 12345.6, Directories: []string{"runs/20261128T030349Z-zoo-1"},
			})
		}
		for _, s := range controls {
			findings = append(findings, holdfast.Finding{
				Subject: s.Name, Primitive: string(s.Primitive()), Wrong: s.Summary, Runs: 100, Undecided: properties,
				Also: properties[:found], Sentence: "it broke", Directories: []string{"runs/20261128T030349Z-zoo-1"},
			})
		}
		findings = append(findings, holdfast.Finding{Subject: "late", Planted: true, Runs: 1, Open: true}, holdfast.Finding{Subject: "later", Open: true})
		var b strings.Builder
		if err := printFindings(&b, findings, false); err != nil {
			t.Fatal(err)
		}
		fits(t, "zoo", b.String())
		wants := []string{"\nlate  ", " open ", "\nlater  ", " not run ", "2 not decided"}
		if found == 0 {
			wants = append(wants, "MISSED", "\nno-lease was not found:\n", "\n  runs/20261128T030349Z-zoo-1\n")
		} else {
			wants = append(wants, "FALSE ALARM", "\nmutex is no bug, and this was found:\n  it broke\n  runs/2026")
		}
		for _, want := range wants {
			if !strings.Contains(b.String(), want) {
				t.Errorf("the zoo's table lacks %q:\n%s", want, b.String())
			}
		}
	}
}

func TestTheTableOfASweepFits(t *testing.T) {
	r := &holdfast.SweepResult{Runs: 100000, Virtual: 1000 * time.Hour, Took: time.Hour, Operations: 1 << 40}
	for range 2 {
		f := holdfast.Found{Runs: 100000, Seed: 100000, After: 1000 * time.Second}
		f.Mechanism = strings.Repeat("double-barrier-checked passage ", 6)
		f.Violation.Sentence = strings.Repeat("it went wrong at once, and then again. ", 9)
		r.Found = append(r.Found, f)
	}
	for _, p := range checker.PropertyNames() {
		r.Tested = append(r.Tested, holdfast.Tested{Subject: "double-barrier-checked", Property: p.Name, Holds: 100000, Unknown: 100000})
	}
	var b strings.Builder
	if err := printSweep(&b, r, holdfast.SweepOptions{To: 100000}, "holdfast simulate double-barrier-checked --seed"); err != nil {
		t.Fatal(err)
	}
	fits(t, "simulate", b.String())
}

func TestTheTableOfMembersFits(t *testing.T) {
	answer := playground.Answer{}
	for _, name := range []string{"m1", "m2", "m3", "m4", "m5"} {
		answer.Members = append(answer.Members, playground.Member{
			Name: name, Endpoint: "https://127.0.0.1:65535", Running: true, Leader: "m2", Term: 1 << 40, Isolated: true,
		})
	}
	var b strings.Builder
	if err := printMembers(&b, answer); err != nil {
		t.Fatal(err)
	}
	fits(t, "cluster status", b.String())
	if !strings.HasPrefix(b.String(), "  m1  https://127.0.0.1:65535  follows m2 in term 1099511627776, isolated\n  m2  ") {
		t.Errorf("printed:\n%s", b.String())
	}
}

// A path stays whole: it is there to be copied. What somebody else wrote drives no
// terminal.
func TestWordsOfATable(t *testing.T) {
	path := "/" + strings.Repeat("long/", 30) + "etcd"
	var b strings.Builder
	if err := writeTable(&b, [][]string{{strings.Repeat("x", 150) + "\x1b", path}, {"y", "z"}}); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(b.String(), "\n")
	if !strings.HasSuffix(lines[0], path) || len(lines) < 4 || strings.Contains(b.String(), "\x1b") {
		t.Errorf("printed:\n%s", b.String())
	}
}
