package holdfast

import (
	"os"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/cluster/docker"
	"github.com/etcd-holdfast/holdfast/quantity"
)

// Clients that are containers die and stand still by the engine's hand, and whatever
// happens to them, corrected subjects keep their word.
func TestClientsThatAreContainers(t *testing.T) {
	t.Parallel()
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
	expectHarmedClients(t, j, "its container is paused; 0s of processor time since")
}
