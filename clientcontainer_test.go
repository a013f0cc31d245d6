package holdfast

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/cluster/docker"
	"github.com/etcd-holdfast/holdfast/quantity"
)

// Clients that are containers die and stand still by the engine's hand, and whatever
// happens to them, corrected subjects keep their word.
func TestClientsThatAreContainers(t *testing.T) {
	long(t)
	if err := docker.Available(t.Context()); err != nil {
		if os.Getenv("HOLDFAST_REQUIRE") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	s := apart("mutex-checked", "election-checked")
	s.Clients.As = ClientContainers
	s.Duration = 8 * time.Second
	often := quantity.Span{Min: time.Second, Max: 2 * time.Second}
	s.Faults = []Fault{
		{Of: []string{"crash-client"}, Every: often},
		{Of: []string{"pause-client"}, Every: often, For: quantity.Span{Min: time.Second, Max: 1500 * time.Millisecond}},
	}
	j := run1(t, t.Context(), s)
	if j.Result().Exit == checker.ExitViolated {
		t.Errorf("exit %d", j.Result().Exit)
	}
	proved := make(map[string]int)
	for _, f := range j.Report.History.Faults {
		if f.Verified {
			proved[f.Kind]++
		}
		if f.Verified && f.Kind == "pause-client" && !strings.Contains(f.Evidence, "its container is paused; 0s of processor time since") {
			t.Errorf("the evidence of a pause is %q", f.Evidence)
		}
	}
	if proved["crash-client"] == 0 || proved["pause-client"] == 0 {
		t.Errorf("proved were %v, want crashes and pauses", proved)
	}
	if len(j.Info.Warnings) > 0 {
		t.Errorf("warnings: %v", j.Info.Warnings)
	}
}
