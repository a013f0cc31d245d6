package exact

import (
	"fmt"

	"github.com/etcd-holdfast/holdfast/history"
)

// Violation proves that a history does not keep its specification.
type Violation struct {
	// Witness are the calls that prove it, in the order of their invocations. In
	// that of the general search a call that is not over at At may be Unknown.
	Witness []history.Call
	// At is the position by which it is proved: nothing that comes later can
	// mend it. For the general search it is the first return that no order of the
	// calls survives, where a call that is still under way counts with what it is
	// told in the end.
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
