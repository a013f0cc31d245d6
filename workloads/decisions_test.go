package workloads

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/quantity"
)

// Changing how often something happens must not shift the other decisions: the
// same number of values is drawn each round.
func TestAShareDoesNotShiftOtherDecisions(t *testing.T) {
	some, none := DefaultTraffic(), DefaultTraffic()
	none.Try, none.Several, none.Long, none.Impatient, none.Proclaim = 0, 0, 0, 0, 0
	a, b := Decisions(7, "c1", &some), Decisions(7, "c1", &none)
	for range 200 {
		x, y := a(), b()
		if x.Mode != y.Mode || x.Guard != y.Guard || x.Think != y.Think || x.Resume != y.Resume {
			t.Fatalf("%+v\n%+v", x, y)
		}
	}
}

func TestDecisionsKeepToTheTraffic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		traffic := DefaultTraffic()
		traffic.Objects = rapid.IntRange(1, 5).Draw(t, "objects")
		traffic.Several, traffic.Readers = quantity.Share(rapid.Float64Range(0, 1).Draw(t, "several")), quantity.Share(rapid.Float64Range(0, 1).Draw(t, "readers"))
		decide := Decisions(rapid.Int64().Draw(t, "seed"), "c1", &traffic)
		for range 50 {
			d := decide()
			for i, o := range d.Objects {
				if o < 0 || o >= traffic.Objects || i > 0 && d.Objects[i-1] >= o {
					t.Fatalf("objects %v of %d", d.Objects, traffic.Objects)
				}
			}
			if len(d.Objects) > 1 && traffic.Several == 0 || d.Mode == history.ReadMode && traffic.Readers == 0 {
				t.Fatalf("%+v", d)
			}
			if d.Hold < traffic.Hold.Min || d.Hold > traffic.LongHold.Max || d.Proclaims > 3 || d.Patience < traffic.Patience.Min || d.Impatience < 0 {
				t.Fatalf("%+v", d)
			}
		}
	})
}

func TestEveryFaultOfATrafficIsNamed(t *testing.T) {
	if faults := (&Traffic{Clients: 4, TTL: time.Second, OnLoss: Stop, Objects: 1, Permits: 1, Patience: quantity.Span{Min: 1, Max: 1}, Impatience: quantity.Span{Min: 1, Max: 1}}).Mistakes(history.Mutex); len(faults) != 0 {
		t.Errorf("%v", faults)
	}
	bad := Traffic{
		Clients: 0, Objects: -1, Observers: -1, TTL: 1500 * time.Millisecond, OnLoss: "shrug", Try: 2, Several: -1, Readers: 3,
		Proclaim: 4, Long: 5, Impatient: 6, Hold: quantity.Span{Min: 2, Max: 1},
	}
	named := make(map[string]bool)
	for _, f := range bad.Mistakes(history.Mutex) {
		named[f.Field] = true
	}
	for _, field := range []string{"clients", "keys", "observers", "ttl", "on-loss", "try", "several", "readers", "proclaim", "long", "impatient", "hold", "patience", "impatience"} {
		if !named[field] {
			t.Errorf("%s is wrong and was not named", field)
		}
	}
}
