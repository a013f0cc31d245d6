package browse

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// ownPolicy is the Content-Security-Policy of the package's own pages: they have a
// style sheet, an icon, and forms that come back here, and nothing else.
const ownPolicy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// guard answers what may be answered at all: reading, asked for under a name that
// nobody can have pointed here from elsewhere. It sets the headers of every answer.
//
// A page of somebody else's can make a browser ask this server under that page's own
// name, if its name server says that the name is 127.0.0.1 (DNS rebinding), and then
// read what it answers. The Host header has that name. An IP address cannot be
// rebound, and localhost is not asked of name servers; the port does not matter, and
// may be another one behind a tunnel.
func guard(hosts []string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", ownPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-cache")
		switch {
		case !known(r.Host, hosts):
			http.Error(w, "This server answers under localhost and IP addresses only: "+quoted(r.Host)+" is another name.\n"+
				"Open it under its address, or name the host: holdfast serve --host NAME.", http.StatusMisdirectedRequest)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "There is nothing here to change: only GET and HEAD.", http.StatusMethodNotAllowed)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// known is true for a Host header that says localhost, an IP address, or one of the
// hosts, with any port.
func known(header string, hosts []string) bool {
	host := header
	if name, _, err := net.SplitHostPort(header); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if host == "localhost" || slices.ContainsFunc(hosts, func(h string) bool { return strings.EqualFold(h, host) }) {
		return true
	}
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil
}
