package exact

import (
	"math"

	"github.com/anishathalye/porcupine"

	"github.com/etcd-holdfast/holdfast/history"
)

// oracleOperations writes calls for porcupine. A call of unknown outcome
// returns after everything else; its model may let it have no effect.
func oracleOperations(calls []history.Call) []porcupine.Operation {
	operations := make([]porcupine.Operation, len(calls))
	for i, c := range calls {
		operations[i] = porcupine.Operation{ClientId: int(c.Process), Input: c, Call: c.Invoke, Return: c.Return}
		if c.Known == history.Unknown {
			operations[i].Return = math.MaxInt64
		}
	}
	return operations
}
