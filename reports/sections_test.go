package reports

import (
	"testing"

	"github.com/etcd-holdfast/holdfast/checker"
)

// TestPorcupinesPicture: the command that makes it is told where calls are what
// shows, and never with a name that a shell would take for more than a name.
func TestPorcupinesPicture(t *testing.T) {
	const command = "holdfast export . --format porcupine --subject ours --object a/b"
	for _, c := range []struct{ property, subject, object, want string }{
		{checker.Exclusion, "ours", "a/b", command}, {checker.Linearizable, "ours", "a/b", command},
		{checker.Fencing, "ours", "a/b", ""}, {checker.Exclusion, "ours", "", ""}, {checker.Exclusion, "", "a/b", ""},
		{checker.Exclusion, "ours; rm -r x", "a", ""}, {checker.Exclusion, "ours", "$(x)", ""}, {checker.Exclusion, "--out=/", "a", ""}, {checker.Exclusion, "ours", "a\nb", ""},
	} {
		got := export(&group{Subject: c.subject, Property: c.property}, &checker.Violation{Object: c.object})
		if got != c.want {
			t.Errorf("%s of %q on %q: %q, want %q", c.property, c.subject, c.object, got, c.want)
		}
	}
}
