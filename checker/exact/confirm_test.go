package exact

import (
	"context"
	"strings"
	"testing"

	"github.com/anishathalye/porcupine"

	"github.com/etcd-holdfast/holdfast/history"
)

// liar is a model whose check calls every history a violation by all its calls.
func liar(oracle porcupine.NondeterministicModel) Model {
	return Model{
		check: func(_ context.Context, calls []history.Call, _ Parameters, _ Limits) Result {
			return Result{Violation: &Violation{Witness: calls, tell: func(*history.Trace) string { return "it is wrong" }}}
		},
		oracle: fixed(func() porcupine.NondeterministicModel { return oracle }),
	}
}

// TestConfirm: what porcupine finds legal is not claimed; what it cannot judge
// is claimed, and the sentence says so.
func TestConfirm(t *testing.T) {
	legal := []history.Call{{Function: history.FunctionAcquire, Invoke: 1, Return: 2, Known: history.Succeeded}}
	m := liar(mutexOracle())
	if r := m.Check(context.Background(), legal, Parameters{}, Limits{}); r.Violation != nil || !strings.Contains(r.Unknown, "porcupine finds legal") {
		t.Errorf("a legal witness: %+v", r)
	}
	twice := append(legal, history.Call{Process: 1, Function: history.FunctionAcquire, Invoke: 3, Return: 4, Known: history.Succeeded})
	if r := m.Check(context.Background(), twice, Parameters{}, Limits{}); r.Violation == nil || r.Violation.Sentence(nil) != "it is wrong" {
		t.Errorf("an illegal witness: %+v", r)
	}
	if testing.Short() {
		return // what follows lasts as long as porcupine may think
	}
	// Every order of forty calls is another state, and none is right.
	var many []history.Call
	for i := range int32(40) {
		many = append(many, history.Call{Process: i, Function: history.FunctionWrite, Value: history.Value(i), Invoke: 1, Return: 9, Known: history.Succeeded})
	}
	many = append(many, history.Call{Process: 40, Function: history.FunctionRead, Invoke: 10, Return: 11, Known: history.Succeeded})
	endless := liar(oracleModel("", func(order string, c history.Call) (string, bool) {
		return order + string(rune('a'+c.Value)), c.Function == history.FunctionWrite
	}))
	r := endless.Check(context.Background(), many, Parameters{}, Limits{})
	if r.Violation == nil || !strings.Contains(r.Violation.Sentence(nil), "no answer about the 41 calls") {
		t.Errorf("a witness that cannot be judged in time: %+v", r)
	}
}
