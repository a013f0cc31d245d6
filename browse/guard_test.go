package browse

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A page elsewhere whose name was made to mean this machine is not answered.
func TestOnlyOwnNamesAreAnswered(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "localhost:7070": true, "LOCALHOST:1": true, "localhost.:7070": true, "127.0.0.1:7070": true, "127.0.0.1": true,
		"[::1]:7070": true, "[::1]": true, "192.0.2.1:80": true, "named.example": true, "Named.Example:7070": true,
		"": false, "evil.example": false, "evil.example:7070": false, "localhost.evil.example": false, "127.0.0.1.evil.example:7070": false,
		"localhost:7070:1": false, "named.example.evil": false, "0x7f000001": false, "xn--localhost": false,
	} {
		if got := known(host, []string{"named.example"}); got != want {
			t.Errorf("Host %q: %t, want %t", host, got, want)
		}
	}
	s := serving(t, one("quick", 7, 0))
	for _, path := range []string{"/", "/style.css", "/runs/20261127T120000Z-quick/files/run.json", "/nothing"} {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Host = "evil.example:7070"
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		if w.Code != http.StatusMisdirectedRequest || strings.Contains(w.Body.String(), "quick") {
			t.Errorf("%s for another host: status %d, %s", path, w.Code, w.Body)
		}
	}
}

func TestOnlyReading(t *testing.T) {
	s := serving(t, one("quick", 7, 0))
	for method, want := range map[string]int{"GET": 200, "HEAD": 200, "POST": 405, "PUT": 405, "DELETE": 405, "PATCH": 405, "OPTIONS": 405, "CONNECT": 405, "TRACE": 405} {
		for _, path := range []string{"/", "/style.css", "/runs/20261127T120000Z-quick/", "/runs/20261127T120000Z-quick/files/run.json"} {
			r := httptest.NewRequest(method, path, nil)
			r.Host = "127.0.0.1:7070"
			w := httptest.NewRecorder()
			s.handler.ServeHTTP(w, r)
			if w.Code != want {
				t.Errorf("%s %s: status %d, want %d", method, path, w.Code, want)
			}
		}
	}
}

// Every answer, an error too, says what a browser may do with it.
func TestHeadersOfEveryAnswer(t *testing.T) {
	s := serving(t, one("quick", 7, 0))
	for path, status := range map[string]int{
		"/": 200, "/style.css": 200, "/trends": 200, "/nothing": 404, "/?seed=x": 400, "/runs/none/": 404, "/compare": 400,
		"/runs/20261127T120000Z-quick/": 200, "/runs/20261127T120000Z-quick/files/report.html": 200, "/runs/20261127T120000Z-quick/files/none": 404,
	} {
		answer, _ := s.get(path, status)
		policy := answer.Header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "script-src 'self'") || strings.Contains(policy, "script-src 'unsafe") || strings.Contains(policy, "allow-same-origin") ||
			!strings.Contains(policy, "frame-ancestors 'none'") {
			t.Errorf("%s: policy %q", path, policy)
		}
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin", "X-Frame-Options": "DENY",
		} {
			if got := answer.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
	}
}
