package exact

import (
	"fmt"

	"github.com/etcd-holdfast/holdfast/history"
)

// Violation proves that a history does not keep its specification.
type Violation struct {
	// Witness are the calls that prove it, in the order of their invocations.
	Witness []history.Call
	// At is the position by which it is proved: nothing that comes later can
	// mend it.
	At int64
	// tell writes the sentence.
	tell func(t *history.Trace) string
	// unconfirmed is true if porcupine came to no answer about the witness.
	unconfirmed bool
}

// Sentence tells the violation with processes, positions and values. The trace
// is the one that the calls are from: it knows the names.
func (v *Violation) Sentence(t *history.Trace) string {
	if v.unconfirmed {
		return fmt.Sprintf("%s (porcupine came to no answer about the %d calls that prove it)", v.tell(t), len(v.Witness))
	}
	return v.tell(t)
}
