package holdfast

import (
	"os"
	"strings"
	"testing"

	"github.com/etcd-holdfast/holdfast/history"
)

// TestTheSimulatedScenarioOfTheReadmeShowsItsDefect runs what README.md shows as left
// over by --shrink, with several seeds.
func TestTheSimulatedScenarioOfTheReadmeShowsItsDefect(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, found := strings.Cut(string(readme), "```yaml\nname: lost-while-waiting\n")
	if !found {
		t.Fatal("README.md has no scenario lost-while-waiting")
	}
	text, _, _ = strings.Cut(text, "```")
	s, err := ParseScenario("README.md", []byte("name: lost-while-waiting\n"+text))
	if err != nil {
		t.Fatal(err)
	}
	digests := make(map[history.Digest]bool)
	for s.Seed = 1; s.Seed <= 12; s.Seed++ {
		m, err := Simulate(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		shown := false
		for _, b := range m.Result.Mechanisms() {
			shown = shown || b.Violation.Known == "etcd#19597"
		}
		if !shown {
			t.Errorf("seed %d does not show it: %v", s.Seed, m.Result.Mechanisms())
		}
		digests[m.Digest] = true
	}
	if len(digests) == 1 {
		t.Error("the seeds make no difference: nothing says that it needs none")
	}
}
