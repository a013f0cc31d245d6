package browse

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/etcd-holdfast/holdfast"
	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/internal/printable"
)

// hostile is text that would be something else in a page, if it got into one as it is.
var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`, `javascript:alert(1)`, `</style><script>alert(1)</script>`,
	`{{.Directory}}`, `<!--`, `]]>`, `&lt;script&gt;`, "\u202etxt.exe\u2066", "a\x00b\x1b[2J\r\n", "\ufeff\u2028", "../../../etc/passwd", "%2e%2e%2f", "?a=b&c#d",
	`<svg/onload=alert(1)>`, `<a href=//evil.example>`, `<base href=//evil.example>`, `<meta http-equiv=refresh content=0;url=//evil.example>`,
}

// hostileRun is a run each of whose texts is the same one.
func hostileRun(text string, hours int) sample {
	name := strings.ReplaceAll("run "+text, "/", "_")
	if !printable.IsText(name) { // it would be no run
		name = fmt.Sprint("run ", hours)
	}
	s := one("x", 1, hours, kept(text, text), broke(text, "order", checker.Blame(text), text), property{Subject: text, Property: "odd", Verdict: checker.Verdict(text)})
	for i := range s.verdict.Properties {
		s.verdict.Properties[i].Sentence = text
		s.verdict.Properties[i].Figures = map[string]float64{text: 1, text + "_ms": 2.5, "_percent": 3}
	}
	s.verdict.Faults = []fault{{Fault: text, Target: text, Evidence: text, Unhealed: text}}
	s.name = name
	i := &s.info
	i.Scenario, i.Holdfast, i.Git, i.Host, i.Go, i.Cluster, i.Etcd, i.Ended, i.Digest = text, text, text, text, text, text, text, text, text
	i.Argv, i.Warnings = []string{text}, []string{text}
	s.files["scenario.yaml"] = "# " + text + "\nduration: 10s\n"
	s.files["members/"+strings.ReplaceAll(strings.ReplaceAll(text, "/", "_"), "\x00", "_")+".log"] = text
	return s
}

// Whatever the texts of runs are, every page is made of the same few elements and
// attributes, and all its links stay here.
func TestHostileRuns(t *testing.T) {
	var samples []sample
	for i, text := range hostile {
		samples = append(samples, hostileRun(text, i))
	}
	plain := one("plain", 1, 100, kept("mutex", "order"))
	s := serving(t, append(samples, plain)...)
	paths := []string{"/", "/trends"}
	for i, text := range hostile {
		name := samples[i].name
		paths = append(paths,
			"/?"+url.Values{"scenario": {text}}.Encode(), "/?"+url.Values{"subject": {text}, "property": {text}}.Encode(), "/trends?"+url.Values{"scenario": {text}, "subject": {text}}.Encode(),
			"/runs/"+url.PathEscape(name)+"/", compareLink(name, plain.name, true), "/"+url.PathEscape(text), "/runs/"+url.PathEscape(text)+"/",
			"/?"+url.Values{"seed": {text}}.Encode(), "/?"+url.Values{"from": {text}}.Encode(), "/?"+url.Values{"sort": {text}}.Encode(), "/?"+url.Values{"page": {text}}.Encode(),
			"/?"+url.Values{"verdict": {text}}.Encode(),
		)
	}
	for _, path := range paths {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		body := record(s, r).Body.String()
		if strings.ContainsAny(body, "\x00\x1b\r\u202e\u2066\ufeff\u2028") {
			t.Errorf("%s has characters that nobody can see", path)
		}
		harmless(t, path, body)
	}
	if c, err := s.handler.library.look(); err != nil || len(c.Runs) != len(hostile)+1 {
		t.Errorf("%d runs are shown, not %d (%v)", len(c.Runs), len(hostile)+1, err)
	}
	s.shows("/", "&lt;script&gt;alert(1)&lt;/script&gt;")
}

var (
	elements = strings.Fields("html head meta title link body a header nav span main h1 h2 h3 p form label select option input button div table thead tbody tr th td time dl dt dd details summary pre code b small br section svg polyline circle path colgroup col")
	// attributes may be anywhere, and have no meaning but to those who read.
	attributes = strings.Fields("lang charset name content rel href class id aria-label aria-current aria-hidden aria-sort title scope value type size inputmode method action selected datetime width height viewbox viewBox role points cx cy r d")
)

// harmless fails the test if a page has elements or attributes that none of ours
// has, or a link that leads elsewhere.
func harmless(t *testing.T, path, body string) {
	t.Helper()
	tokens := html.NewTokenizer(strings.NewReader(body))
	for {
		switch tokens.Next() {
		case html.ErrorToken:
			return
		case html.CommentToken:
			t.Errorf("%s has a comment: %s", path, tokens.Raw())
		case html.StartTagToken, html.SelfClosingTagToken:
			token := tokens.Token()
			if !slices.Contains(elements, token.Data) {
				t.Errorf("%s has an element %s", path, token)
			}
			for _, a := range token.Attr {
				here := strings.HasPrefix(a.Val, "/") && !strings.HasPrefix(a.Val, "//") || a.Val == "#main"
				if !slices.Contains(attributes, a.Key) || (a.Key == "href" || a.Key == "action") && !here {
					t.Errorf("%s has an attribute %s=%q of %s", path, a.Key, a.Val, token.Data)
				}
			}
		}
	}
}

// The links of pages with odd names lead to these runs and files.
func TestLinksOfOddNames(t *testing.T) {
	odd := one("odd", 1, 0)
	odd.name = `a b%2f"<&>?#;+é`
	odd.files[`members/m 1%2f"<&>?#;+é.log`] = "the log"
	s := serving(t, odd)
	for _, page := range []string{"/", runLink(odd.name)} {
		body := s.shows(page, "")
		links := 0
		for tokens := html.NewTokenizer(strings.NewReader(body)); tokens.Next() != html.ErrorToken; {
			token := tokens.Token()
			for _, a := range token.Attr {
				if token.Type == html.StartTagToken && token.Data == "a" && a.Key == "href" && strings.HasPrefix(a.Val, "/runs/") {
					s.get(a.Val, http.StatusOK)
					links++
				}
			}
		}
		if links < 3 {
			t.Errorf("%s has %d links to runs and files", page, links)
		}
	}
}

// A name that is no text is no run that could be shown, and is said to be there.
func TestNamesThatAreNoText(t *testing.T) {
	s := serving(t, one("quick", 7, 0))
	for _, name := range []string{"bad\xff", "bad\x1b[2J", "bad\u202e"} {
		put(t, filepath.Join(s.path, name, holdfast.InfoFile), "{}")
	}
	s.shows("/", "1 run", "3 left out that are none")
}

// Files that are damaged, huge, of the wrong kind or made to exhaust a reader make
// a broken run, or a run without what is in them; and the list is there all the same.
func TestBrokenRuns(t *testing.T) {
	s := serving(t, one("quick", 7, 0))
	at := func(name string, parts ...string) string {
		return filepath.Join(append([]string{s.path, name}, parts...)...)
	}
	good, err := json.Marshal(one("good", 1, 0).info)
	if err != nil {
		t.Fatal(err)
	}
	put(t, at("no-json", "run.json"), "{")
	put(t, at("empty", "run.json"), "")
	put(t, at("wrong-kinds", "run.json"), `{"scenario": ["no text"]}`)
	put(t, at("bad-verdict", "run.json"), string(good))
	put(t, at("bad-verdict", "verdict.json"), `{"verdict": 1}`)
	put(t, at("deep", "run.json"), strings.Repeat(`{"a":`, 100_000))
	put(t, at("huge", "run.json"), "")
	if err := os.Truncate(at("huge", "run.json"), maxRead+1); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(at("a-directory", "run.json"), 0o755); err != nil {
		t.Fatal(err)
	}
	put(t, at("bomb", "run.json"), string(good))
	put(t, at("bomb", "scenario.yaml"), "a: &a [x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d,*d,*d]\nduration: 1s\n")
	body := s.shows("/", "9 runs")
	for _, name := range []string{"no-json", "empty", "wrong-kinds", "bad-verdict", "deep", "huge", "a-directory"} {
		s.shows(runLink(name), "broken")
	}
	if n := strings.Count(body, "</span>broken</span>"); n != 8 { // seven runs, and what the word means
		t.Errorf("%d runs are broken, not 7", n-1)
	}
	s.shows("/", "run.json is not a regular file")
	s.shows(runLink("bomb"), "not judged")
	long := one("long", 1, 0, property{Subject: "mutex", Property: "order", Verdict: checker.Unknown, Sentence: strings.Repeat("é", maxText)})
	long.make(t, s.path)
	if body := s.shows(runLink(long.name), "…"); len(body) > 5*maxText {
		t.Errorf("the page of a run with a long sentence has %d bytes", len(body))
	}
}
