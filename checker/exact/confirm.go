package exact

import (
	"fmt"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/etcd-holdfast/holdfast/history"
)

// confirmationLimit is how long porcupine may think about a witness, which is
// a matter of microseconds for the few calls that one should be. Where much
// happened at once it can need many calls, and porcupine for ever.
const confirmationLimit = 2 * time.Second

// confirm has porcupine judge the witness alone. If it does not agree that the
// few calls are a violation by themselves, nothing is claimed; if it comes to
// no answer, the violation says so.
func (m *Model) confirm(result Result, p Parameters) Result {
	v := result.Violation
	switch m.SecondOpinion(v.Witness, p) {
	case porcupine.Ok:
		return Result{Unknown: fmt.Sprintf("the check found a violation in %d calls that porcupine finds legal: one of the two is wrong; please report it with this history", len(v.Witness))}
	case porcupine.Unknown:
		v.unconfirmed = true
	}
	return result
}

// SecondOpinion asks porcupine about a few calls alone: whether they are
// linearizable.
func (m *Model) SecondOpinion(calls []history.Call, p Parameters) porcupine.CheckResult {
	model, operations := m.Porcupine(calls, p)
	return porcupine.CheckOperationsTimeout(model, operations, confirmationLimit)
}
