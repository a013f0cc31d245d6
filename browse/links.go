package browse

import (
	"net/url"
	"strings"
)

// runLink is the address of a run's page.
func runLink(name string) string { return "/runs/" + url.PathEscape(name) + "/" }

// fileLink is the address of a file of a run, whose path has slashes.
func fileLink(name, path string) string {
	parts := strings.Split(path, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return "/runs/" + url.PathEscape(name) + "/files/" + strings.Join(parts, "/")
}

// trendLink is the address of a scenario's trend.
func trendLink(scenario string) string {
	return "/trends?" + url.Values{"scenario": {scenario}}.Encode()
}

// subjectLink is the address of the trend of one subject of a scenario; that of what
// is of no subject is "".
func subjectLink(scenario, subject string) string {
	return "/trends?" + url.Values{"scenario": {scenario}, "subject": {subject}}.Encode()
}

// compareLink is the address of two runs side by side.
func compareLink(a, b string, all bool) string {
	v := url.Values{"run": {a, b}}
	if all {
		v.Set("all", "1")
	}
	return "/compare?" + v.Encode()
}
