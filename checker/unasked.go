package checker

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/etcd-holdfast/holdfast/history"
)

// unasked adds the deaths of clients whose processes ended by themselves: what a
// subject does must not end its program. Who was killed by somebody unknown, as
// one is that wants more memory than there is, says nothing of its subject. It
// returns how many there were.
func (r *record) unasked(s *subject, j *judgement) int {
	n := 0
	for _, e := range r.deaths {
		if e.Subject != s.Name {
			continue
		}
		n++
		how, itself := strings.CutPrefix(e.Detail, history.EndedUnasked)
		if !itself {
			j.unknown = cmp.Or(j.unknown, fmt.Sprintf("%s's process was killed at %s, and not by the run: whether it was its own fault is not known", e.Client, at(e.Time)))
			continue
		}
		op := r.lastOf(s, e)
		if op == nil {
			j.unknown = cmp.Or(j.unknown, fmt.Sprintf("%s's process ended by itself at %s, before it had called anything: %s", e.Client, at(e.Time), firstLine(how)))
			continue
		}
		j.findings = append(j.findings, r.breach(s, op, e.Time, "the process ended by itself", func() string {
			doing := fmt.Sprintf("during its %s of %s, called at %s", op.Kind, history.Called(op.Object), at(op.Call))
			if op.Completed() {
				doing = fmt.Sprintf("after its %s of %s, which had returned at %s", op.Kind, history.Called(op.Object), at(op.Return))
			}
			return fmt.Sprintf("%s's process ended by itself at %s, %s: %s", e.Client, at(e.Time), doing, firstLine(how))
		}))
	}
	return n
}

// lastOf is the last call of a client that died.
func (r *record) lastOf(s *subject, death *history.Event) *history.Operation {
	var last *history.Operation
	for _, op := range s.operations {
		if op.Client == death.Client && op.Call <= death.Time && (last == nil || op.Call > last.Call) {
			last = op
		}
	}
	return last
}
