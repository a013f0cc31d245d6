package holdfast

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// SHOW=mutex:4[:mechanism part] go test -run TestShow
func TestShow(t *testing.T) {
	for _, p := range strings.Split(os.Getenv("SHOW"), ",") {
		name, n, _ := strings.Cut(p, ":")
		n, part, _ := strings.Cut(n, ":")
		seed, _ := strconv.ParseInt(n, 10, 64)
		s := SimulatedScenario(workloads.Subject{Name: name}, seed, Swarm{})
		j, err := Run(t.Context(), s, RunOptions{Out: "/tmp/show"})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("==", p, s.Clients, s.Cluster.Members, *s.Cluster.Sim, s.Workloads[0].KeepSession, j.Directory)
		for _, f := range s.Faults {
			fmt.Println(f.Of, f.Every, f.For)
		}
		for _, b := range j.Result().Mechanisms() {
			if strings.Contains(b.Mechanism, part) {
				fmt.Println(b.Mechanism, "|", b.Violation.Sentence, b.Violation.Witness)
				for _, id := range b.Violation.Witness {
					fmt.Printf("   %+v\n", *j.Report.History.Operation(id))
				}
				for _, f := range j.Report.History.Faults {
					if f.To >= b.Violation.From && f.From <= b.Violation.To {
						fmt.Printf("   %v-%v %s %s %v %s\n", f.From, f.To, f.Kind, f.Target, f.Verified, f.Evidence)
					}
				}
			}
		}
	}
}
