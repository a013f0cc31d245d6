package holdfast

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// PROBE=mutex:4 go test -run TestProbe
func TestProbe(t *testing.T) {
	name, n, _ := strings.Cut(os.Getenv("PROBE"), ":")
	seed, _ := strconv.ParseInt(n, 10, 64)
	s := SimulatedScenario(workloads.Subject{Name: name}, seed, Swarm{})
	for _, f := range s.Faults {
		fmt.Println(f.Of, f.Every, f.For)
	}
	var text [2]string
	for i := range 2 {
		j, err := Run(t.Context(), s, RunOptions{Out: fmt.Sprintf("/tmp/probe/%d", i)})
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, f := range []string{"history.jsonl", "revisions.jsonl", "faults.jsonl"} {
			c, _ := os.ReadFile(j.Directory + "/" + f)
			b.Write(c)
		}
		text[i] = b.String()
	}
	a, b := strings.Split(text[0], "\n"), strings.Split(text[1], "\n")
	for i := range a {
		if i >= len(b) || a[i] != b[i] {
			for k := max(0, i-16); k <= i+3 && k < min(len(a), len(b)); k++ {
				fmt.Println("A", a[k])
				fmt.Println("B", b[k])
			}
			t.Fatalf("differ at line %d", i)
		}
	}
}
