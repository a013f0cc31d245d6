package checker

import (
	"github.com/anishathalye/porcupine"

	"github.com/etcd-holdfast/holdfast/history"
)

// opinionLimit is up to how many operations porcupine is asked. Its memory
// grows with their square.
const opinionLimit = 4000

// secondOpinion asks porcupine whether reads of a leader value are linearizable
// beside its changes. It shares no code with the sweep of misread, and so
// guards against a mistake in it. The order of the changes is forced, so that
// the search has little to choose. It is not asked about long histories.
//
// Source: Athalye, porcupine; after Wing and Gong (1993), Lowe (2017) and Horn
// and Kroening, "Faster linearizability checking via P-compositionality" (2015).
func secondOpinion(sequence []reign, reads []*history.Operation) (linearizable, asked bool) {
	if len(sequence)+len(reads) > opinionLimit {
		return false, false
	}
	values := make([]string, len(sequence))
	operations := make([]porcupine.Operation, 0, len(sequence)+len(reads))
	for i, g := range sequence {
		values[i] = g.value
		if i > 0 {
			operations = append(operations, porcupine.Operation{Input: i, Call: int64(g.earliest), Return: int64(g.latest)})
		}
	}
	for _, op := range reads {
		operations = append(operations, porcupine.Operation{Input: op.Value, Call: int64(op.Call), Return: int64(op.Return)})
	}
	return porcupine.CheckOperations(leaderModel(values), operations), true
}

// leaderModel is the leader value as a register whose writes come in a forced
// order: its state is the index of the last one, a write's input is its own
// index, and a read's is the value that it returned.
func leaderModel(values []string) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return 0 },
		Step: func(state, input, _ any) (bool, any) {
			switch in := input.(type) {
			case int:
				return state.(int) == in-1, in
			case string:
				return values[state.(int)] == in, state
			}
			return false, state
		},
	}
}
