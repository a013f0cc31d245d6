package workloads

import (
	"strings"
	"testing"

	"github.com/etcd-holdfast/holdfast/history"
)

func TestStepsOfQueuesAndBarriers(t *testing.T) {
	for _, c := range []struct {
		primitive   history.Primitive
		line, wrong string
	}{
		{history.Queue, "A enqueue jobs", ""},
		{history.Queue, "A dequeue jobs within 2s &", ""},
		{history.Queue, "A enqueue jobs 3", `does not take "3"`},
		{history.PriorityQueue, "A enqueue jobs 3", ""},
		{history.PriorityQueue, "A enqueue", "needs an object"},
		{history.Barrier, "B block x", ""},
		{history.Barrier, "B unblock x", ""},
		{history.Barrier, "B pass x", ""},
		{history.Barrier, "B enter x", "cannot \"enter\""},
		{history.DoubleBarrier, "B enter x", ""},
		{history.DoubleBarrier, "B leave x", ""},
		{history.DoubleBarrier, "B dequeue x", "cannot \"dequeue\""},
	} {
		_, err := ParseStep(c.primitive, c.line)
		if c.wrong == "" && err != nil || c.wrong != "" && (err == nil || !strings.Contains(err.Error(), c.wrong)) {
			t.Errorf("%s: %q: %v, want %q", c.primitive, c.line, err, c.wrong)
		}
	}
}

func TestTrafficOfQueuesAndBarriers(t *testing.T) {
	traffic := func(clients, permits int, script ...string) *Traffic {
		d := DefaultTraffic()
		d.Clients, d.Permits, d.TTL, d.OnLoss, d.Script = clients, permits, 1e9, Stop, script
		return &d
	}
	for _, c := range []struct {
		name      string
		primitive history.Primitive
		traffic   *Traffic
		wrong     string
	}{
		{"two groups", history.DoubleBarrier, traffic(6, 3), ""},
		{"one too many", history.DoubleBarrier, traffic(7, 3), "clients: 7 clients cannot meet in groups of permits: 3"},
		{"a script says itself who meets", history.DoubleBarrier, traffic(3, 2, "A enter x"), ""},
		{"others do not meet", history.Queue, traffic(7, 3), ""},
		{"a priority", history.PriorityQueue, traffic(1, 1, "A enqueue x 65535"), ""},
		{"no priority", history.PriorityQueue, traffic(1, 1, "A enqueue x 65536"), `script[0]: "65536" is no priority`},
	} {
		var told []string
		for _, m := range c.traffic.Mistakes(c.primitive) {
			told = append(told, m.Field+": "+m.Err.Error())
		}
		if got := strings.Join(told, "\n"); c.wrong == "" && got != "" || !strings.Contains(got, c.wrong) {
			t.Errorf("%s: %q, want %q", c.name, got, c.wrong)
		}
	}
}
