package browse

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/etcd-holdfast/holdfast/reports"
)

// What a run has left is shown so that nothing of it is executed.
func TestFilesAreHarmless(t *testing.T) {
	s := one("quick", 7, 0)
	s.files["history.jsonl"] = `{"type":"header"}` + "\n"
	s.files["history.jsonl.zst"] = "compressed"
	s.files["evil.html"] = "<script>alert(1)</script>"
	s.files["evil.svg"] = "<svg onload='alert(1)'/>"
	s.files["members/report.html"] = "<script>alert(1)</script>"
	s.files[`members/quo"te; x.js`] = "alert(1)"
	shelf := serving(t, s)
	for path, want := range map[string][3]string{
		"report.html":       {"text/html; charset=utf-8", "", "sandbox allow-scripts; "},
		"run.json":          {"text/plain; charset=utf-8", "", "sandbox; "},
		"history.jsonl":     {"text/plain; charset=utf-8", "", "sandbox; "},
		"members/m1.log":    {"text/plain; charset=utf-8", "", "sandbox; "},
		"history.jsonl.zst": {"application/octet-stream", `attachment; filename=history.jsonl.zst`, "sandbox; "},
		"evil.html":         {"application/octet-stream", `attachment; filename=evil.html`, "sandbox; "},
		"evil.svg":          {"application/octet-stream", `attachment; filename=evil.svg`, "sandbox; "},
		// Only the run's own report is one.
		"members/report.html":       {"application/octet-stream", `attachment; filename=report.html`, "sandbox; "},
		"members/quo%22te; x.js":    {"application/octet-stream", `attachment; filename="quo\"te; x.js"`, "sandbox; "},
		"members/../members/m1.log": {},
	} {
		path = strings.ReplaceAll("/runs/"+s.name+"/files/"+path, " ", "%20")
		if want[0] == "" {
			shelf.get(path, http.StatusTemporaryRedirect) // to where it is
			continue
		}
		answer, _ := shelf.get(path, http.StatusOK)
		h := answer.Header
		if h.Get("Content-Type") != want[0] || h.Get("Content-Disposition") != want[1] || !strings.HasPrefix(h.Get("Content-Security-Policy"), want[2]) {
			t.Errorf("%s: %s, %s, %s", path, h.Get("Content-Type"), h.Get("Content-Disposition"), h.Get("Content-Security-Policy"))
		}
	}
}

// A report has an origin of its own, and runs the one script that reports have.
func TestPolicyOfReports(t *testing.T) {
	s := one("quick", 7, 0)
	made, err := reports.HTML(&reports.Report{Scenario: "quick"})
	if err != nil {
		t.Fatal(err)
	}
	s.files["report.html"] = string(made)
	answer, body := serving(t, s).get("/runs/"+s.name+"/files/report.html", http.StatusOK)
	directives := make(map[string]string)
	for _, directive := range strings.Split(answer.Header.Get("Content-Security-Policy"), "; ") {
		name, value, _ := strings.Cut(directive, " ")
		directives[name] = value
	}
	for name, want := range map[string]string{
		"sandbox": "allow-scripts", "default-src": "'none'", "base-uri": "'none'", "form-action": "'none'", "frame-ancestors": "'none'", "connect-src": "",
	} {
		if directives[name] != want {
			t.Errorf("%s is %q, want %q", name, directives[name], want)
		}
	}
	_, script, ok := strings.Cut(body, "<script>")
	script, _, _ = strings.Cut(script, "</script>")
	sum := sha256.Sum256([]byte(script))
	if want := "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !ok || directives["script-src"] != want {
		t.Errorf("scripts allowed: %q, want %q", directives["script-src"], want)
	}
}

// Nothing that is not a file of the run is sent, however it is asked for.
func TestNoPathLeadsOut(t *testing.T) {
	outside := t.TempDir()
	put(t, filepath.Join(outside, "secret.log"), "secret")
	a, b := one("a", 1, 0), one("b", 2, 1)
	s := serving(t, a, b)
	put(t, filepath.Join(s.path, "beside.log"), "secret")
	put(t, filepath.Join(s.path, "no-run", "some.log"), "secret")
	put(t, filepath.Join(s.path, b.name, "own.log"), "secret")
	link := func(to, from string) {
		t.Helper()
		if err := os.Symlink(to, filepath.Join(s.path, from)); err != nil {
			t.Fatal(err)
		}
	}
	link(filepath.Join(outside, "secret.log"), a.name+"/absolute.log")
	link("../beside.log", a.name+"/above.log")
	link("../"+b.name+"/own.log", a.name+"/other-run.log")
	link(outside, a.name+"/away")
	link("/proc/self/environ", a.name+"/environ.log")
	link(outside, "linked-run")
	link("m1.log", a.name+"/members/same.log")
	if err := syscall.Mkfifo(filepath.Join(s.path, a.name, "pipe.log"), 0o600); err != nil {
		t.Fatal(err)
	}
	in := "/runs/" + a.name + "/files/"
	for _, path := range []string{
		in + "absolute.log", in + "above.log", in + "other-run.log", in + "away/secret.log", in + "environ.log", in + "pipe.log", in + "members",
		in + "..%2fbeside.log", in + "%2e%2e/beside.log", in + "%2e%2e%2f" + b.name + "%2fown.log", in + "members%2f..%2f..%2fbeside.log",
		in + "%2fetc%2fpasswd", in + "..%5cbeside.log", in + "m1.log%00.txt", in, in + ".", in + "%2e",
		"/runs/..%2f/files/secret.log", "/runs/%2e%2e/files/secret.log", "/runs/.%2f/files/beside.log", "/runs/no-run/files/some.log",
		"/runs/linked-run/files/secret.log", "/runs/" + a.name + "%2f..%2f" + b.name + "/files/own.log", "/runs/%2e/files/beside.log",
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		w := record(s, r)
		if w.Code == http.StatusOK || strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%s: status %d: %s", path, w.Code, w.Body)
		}
	}
	// A link within the run is as good as the file.
	s.get(in+"members/same.log", http.StatusOK)
	// And neither links nor pipes are listed.
	body := s.shows("/runs/"+a.name+"/", "members/m1.log", "report.html")
	for _, name := range []string{"absolute.log", "above.log", "other-run.log", "environ.log", "pipe.log", "away"} {
		if strings.Contains(body, name) {
			t.Errorf("the run's page names %s", name)
		}
	}
}

func TestSizes(t *testing.T) {
	for size, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1536: "1.5 KiB", 5 << 20: "5.0 MiB"} {
		if got := sizeText(size); got != want {
			t.Errorf("%d: %s, want %s", size, got, want)
		}
	}
}
