package checker

import (
	"reflect"
	"testing"

	"github.com/etcd-holdfast/holdfast/history"
)

// TestUnconfirmedFindsTheSame: without porcupine only its own figure differs.
func TestUnconfirmedFindsTheSame(t *testing.T) {
	confirmed, violated := 0.0, 0
	same := func(h *history.History) {
		t.Helper()
		with, without := Check(h, Options{}), Check(h, Options{Unconfirmed: true})
		for i := range with.Properties {
			figures := with.Properties[i].Figures
			if n, asked := figures["confirmed_by_porcupine"]; asked {
				confirmed += n
				figures["confirmed_by_porcupine"] = 0
			}
			if with.Properties[i].Verdict == Violated {
				violated++
			}
		}
		if !reflect.DeepEqual(with, without) {
			t.Fatalf("with porcupine\n%+v\nwithout\n%+v", with, without)
		}
	}
	for seed := range uint64(20) {
		for _, bug := range []string{"", twoOwners, staleReads, winsWithoutKey} {
			for _, p := range primitives {
				s := simulateBug(seed, p, bug)
				n := len(s.records)
				same(s.cut(n, n, s.layout()))
			}
		}
		for _, p := range meetingPrimitives() {
			for _, bug := range []string{"", reorders, passesClosed, entersAlone} {
				g := gather(seed, p, bug, false)
				same(g.until(g.h.End))
			}
		}
	}
	if confirmed == 0 || violated == 0 {
		t.Errorf("porcupine confirmed %v, %d were violated", confirmed, violated)
	}
}
