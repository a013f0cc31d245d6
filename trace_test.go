package holdfast
import ("testing";"fmt";"os";"strings";"strconv";"github.com/etcd-holdfast/holdfast/cluster/sim";"github.com/etcd-holdfast/holdfast/workloads")
func TestTrace(t *testing.T) {
	name, n, _ := strings.Cut(os.Getenv("PROBE"), ":")
	seed, _ := strconv.ParseInt(n, 10, 64)
	s := SimulatedScenario(workloads.Subject{Name: name}, seed, Swarm{})
	var first []string
	for k := 0; k < 40; k++ {
		var lines []string
		sim.Trace = func(l string) { lines = append(lines, l) }
		if _, err := Simulate(t.Context(), s); err != nil { t.Fatal(err) }
		if k == 0 { first = lines; continue }
		for i := range lines {
			if i >= len(first) || lines[i] != first[i] {
				for j := max(0, i-12); j < i+4 && j < min(len(lines), len(first)); j++ { fmt.Println("A", first[j]); if first[j] != lines[j] { fmt.Println("B", lines[j]) } }
				return
			}
		}
	}
	fmt.Println("no difference")
}
