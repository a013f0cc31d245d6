package holdfast

import (
	"testing"
	"time"
)

// randomScenario has timed random faults of all kinds on one subject.
func randomScenario(subject string) Scenario {
	s := NewScenario("random-" + subject)
	s.Cluster.Kind = simulated
	s.Duration, s.Quiet = 10*time.Second, 12*time.Second
	s.Clients.Count = 4
	w := NewWorkload(subject)
	w.Objects = 1
	switch subject {
	case "election", "rwmutex":
		w.Hold = span(100, 700)
	case "mutex":
		// Whoever lost an answer goes on with the session that keeps the key.
		w.Objects, w.KeepSession, w.Think, w.Patience, w.TTL = 2, 0.5, span(100, 600), span(2000, 2500), 5*time.Second
	}
	s.Workloads = []Workload{w}
	s.Faults = []Fault{
		{Of: []string{"isolate-leader", "isolate-member", "split", "crash-member"}, Every: span(2000, 4000), For: span(800, 2000)},
		{Of: []string{"cut-client", "stall-client", "lose-answer", "reset-client", "crash-client"}, Every: span(500, 1500), For: span(500, 3500)},
		{Of: []string{"compact"}, Every: span(1000, 2000)},
	}
	if subject == "mutex" {
		s.Faults = []Fault{
			{Of: []string{"isolate-member", "crash-member", "cut-client", "crash-client"}, Every: span(2000, 4000), For: span(800, 2000)},
			{Of: []string{"lose-answer-partly", "lose-answer"}, Every: span(300, 800), For: span(2500, 3000)},
			{Of: []string{"reset-client"}, Every: span(50, 300)},
		}
	}
	return s
}

// findMechanism returns the scenario with the first seed that shows a mechanism.
func findMechanism(t *testing.T, s Scenario, mechanism string) Scenario {
	t.Helper()
	for seed := int64(1); seed <= 3000; seed++ {
		s.Seed = seed
		m, err := Simulate(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := showing(m.Result, mechanism); ok {
			return s
		}
	}
	t.Fatalf("no seed of %s shows %q", s.Name, mechanism)
	return s
}

// stockDefects are mechanisms of etcd's own recipes, by subject.
var stockDefects = []struct{ subject, mechanism string }{
	{"election", "election ownership library campaign: lease ended while waiting (etcd#19597)"},
	{"rwmutex", "rwmutex ownership library acquire: lease ended while waiting (etcd#16221)"},
	{"queue", "queue contract library dequeue: panicked (etcd#17198)"},
	{"barrier", "barrier passage library pass: passed while it was closed (barrier-pass-while-blocked)"},
	{"double-barrier", "double-barrier passage library enter: entered before enough were there (double-barrier-enters-alone)"},
	{"mutex", "mutex leftovers library acquire: kept out by a key that a acquire without success had left (lost-lock-keeps-key)"},
}

func TestStockDefectsShrink(t *testing.T) {
	for _, d := range stockDefects {
		t.Run(d.subject, func(t *testing.T) {
			s := findMechanism(t, randomScenario(d.subject), d.mechanism)
			r, err := Shrink(t.Context(), s, d.mechanism, ShrinkOptions{Progress: func(p ShrinkProgress) { t.Log(p.Step, p.Size, p.Simulations, time.Now().Format("05.0")) }})
			if err != nil {
				t.Fatal(err)
			}
			text, _ := yamlOf(r.Scenario)
			t.Logf("seed %d: %v -> %v, %d simulations, %v, cut %t, needs seed %t, steady %t\n%s", s.Seed, r.Before, r.After, r.Simulations, r.Took, r.Cut, r.NeedsSeed, r.Scenario.Cluster.Sim.Steady, text)
			if r.Mechanism != d.mechanism {
				t.Error(r.Mechanism)
			}
		})
	}
}
