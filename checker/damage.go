package checker

import (
	"cmp"
	"fmt"

	"github.com/etcd-holdfast/holdfast/history"
)

// Damage reports what the lock failed to protect: the share of acknowledged
// updates of the unfenced resource that are lost. It never fails a run by
// itself, for an unfenced resource is what fencing exists to replace.
//
// Every write names the value that it was built on, and values are unique, so
// the writes form a tree. The last read after the run, or else the write with
// the highest position, tells which leaf survived; acknowledged writes that
// are not on its path to the root are lost. This counts exactly, given that
// the last read is of the last state.
func damage(r *record, s *subject) *judgement {
	applies := false
	written, lost, resources := 0, 0, 0
	for _, ob := range s.objects {
		writes := make(map[string]*history.Operation)
		var acknowledged []*history.Operation
		var newest, final *history.Operation
		for _, op := range ob.operations {
			switch {
			case op.Kind == history.Read:
				applies = true
				if r.isFinal && op.Outcome == history.Ok && op.Call >= r.final && (final == nil || op.Return >= final.Return) {
					final = op
				}
			case op.Kind == history.Write:
				applies = true
				if op.Outcome != history.Fail {
					writes[op.Value] = op
				}
				if op.Outcome == history.Ok {
					acknowledged = append(acknowledged, op)
					if newest == nil || cmp.Or(cmp.Compare(op.Revision, newest.Revision), cmp.Compare(op.Return, newest.Return)) > 0 {
						newest = op
					}
				}
			}
		}
		if len(acknowledged) == 0 {
			continue
		}
		resources++
		value := newest.Value
		if final != nil {
			value = final.Value
		}
		survived := make(map[string]bool)
		for w := writes[value]; w != nil && !survived[w.Value]; w = writes[w.Prior] {
			survived[w.Value] = true
		}
		written += len(acknowledged)
		for _, op := range acknowledged {
			if !survived[op.Value] {
				lost++
			}
		}
	}
	if !applies {
		return nil
	}
	j := &judgement{figures: map[string]float64{"written": float64(written), "lost": float64(lost), "lost_percent": percent(lost, written)}}
	j.holds = fmt.Sprintf("%d of %s to %s lost (%.1f %%)", lost,
		count(written, "acknowledged update"), count(resources, "unfenced resource"), percent(lost, written))
	if written == 0 {
		j.vacuous = "nothing was written to an unfenced resource"
	}
	return j
}
