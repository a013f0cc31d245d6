package checker

import (
	"fmt"
	"strings"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// Contract: a call returns soon after its context ended, and does not panic.
//
// A call is late if it returned later than its deadline and a grace, or had
// not returned by then at the final phase of a record that is complete. Calls
// that a crash cut off promise nothing. A call that waits does not ask again and
// again while nothing changes; see spins. Success for work that was not done is
// found by ownership and leftovers.
func contract(r *record, s *subject) *judgement {
	j := &judgement{}
	var completed, late, panics, spinning int
	var latest time.Duration
	for _, op := range s.operations {
		if op.Completed() {
			completed++
		}
		if op.Panicked {
			panics++
			f := r.breach(s, op, op.Return, func() string {
				return fmt.Sprintf("%s's %s of %s, called at %s, panicked at %s: %s", op.Client, op.Kind, op.Object, at(op.Call), at(op.Return), firstLine(op.Error))
			})
			f.Known = r.known(s, Contract, op, nil)
			j.findings = append(j.findings, f)
		}
		if f := r.spinning(s, op); f != nil {
			spinning++
			j.findings = append(j.findings, *f)
		}
		if op.Deadline == 0 {
			continue
		}
		end := op.Return
		if !op.Completed() {
			if _, crashed := r.crashed[op.Client]; crashed || !r.complete || !r.isFinal {
				continue
			}
			end = r.final
		}
		over := end - op.Deadline
		if over <= r.o.DeadlineGrace {
			continue
		}
		late++
		latest = max(latest, over)
		f := r.breach(s, op, end, nil)
		if f.Known = r.known(s, Contract, op, nil); f.Known != "" {
			f.Blame = BlameLibrary // a corrected subject is not to blame for what it does not correct
		}
		f.tell = func() string {
			how := "returned at " + at(end)
			if !op.Completed() {
				how = "had not returned at " + at(end)
			}
			text := fmt.Sprintf("%s's %s of %s, called at %s, had to end at %s and %s, %s late", op.Client, op.Kind, op.Object, at(op.Call), at(op.Deadline), how, span(over))
			if f.Known != "" {
				text += "; a fault lasted meanwhile"
			}
			return text
		}
		j.findings = append(j.findings, f)
	}
	j.figures = map[string]float64{"completed": float64(completed), "late": float64(late), "late_max_ms": milliseconds(latest), "panics": float64(panics), "spinning": float64(spinning)}
	j.holds = fmt.Sprintf("%s ended in time and none panicked", count(completed, "call"))
	if completed == 0 {
		j.vacuous = "no call was completed"
	}
	return j
}

func (r *record) breach(s *subject, op *history.Operation, end time.Duration, tell func() string) finding {
	f := finding{tell: tell}
	f.Violation = Violation{Blame: s.culprit(), Witness: []int64{op.ID}, From: op.Call, To: end, Object: op.Object}
	return f
}

// firstLine is what a panic said, without its stack, which is in the record.
func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
