package checker

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// Order: an object is granted in the order in which its requests' keys were
// created. A grant overtakes if it was told while an incompatible request with
// an older key still waited and that key was surely alive; that is sound under
// every assignment of times within the log's bounds. Of try-acquires only the
// winners take part. The sweep runs over the grants by return, with the
// requests that wait beside them: O(n log n) for a fixed number of clients.
//
// Of a semaphore's grants the younger of two may be told first if both own: it
// overtakes only if as many older keys as there are permits were surely alive.
//
// For read-write locks it also reports, without judging, how often one mode
// was served while an earlier request of the other waited, and the mean waits.
func order(r *record, s *subject) *judgement {
	if s.Layout == history.NoLayout || !s.holding() {
		return nil
	}
	j := &judgement{}
	var grants, overtakes, together, nameless, readersFirst, writersFirst int
	var readWaits, writeWaits mean
	for _, ob := range s.objects {
		requests := ob.acquires
		granted := make([]*history.Operation, 0, len(requests))
		for _, op := range requests {
			if op.Outcome == history.Ok && op.Kind != history.Resume {
				granted = append(granted, op)
				if op.Mode == history.ReadMode {
					readWaits.add(op.Return - op.Call)
				} else {
					writeWaits.add(op.Return - op.Call)
				}
			}
		}
		slices.SortStableFunc(granted, func(a, b *history.Operation) int { return cmp.Compare(a.Return, b.Return) })
		grants += len(granted)
		var waiting []*history.Operation
		next := 0
		for _, b := range granted {
			for ; next < len(requests) && requests[next].Call <= b.Return; next++ {
				waiting = append(waiting, requests[next])
			}
			waiting = slices.DeleteFunc(waiting, func(a *history.Operation) bool { return a != b && r.ended(a) <= b.Call })
			contested, passedOver := false, false
			for _, a := range waiting {
				if a.Client == b.Client || !excludes(a, b) {
					continue
				}
				contested = true
				if r.ended(a) <= b.Return || a.Outcome != history.Ok {
					continue
				}
				if a.Call < b.Call && modeOf(a) != modeOf(b) {
					passedOver = true
				}
				if f := r.overtaken(s, ob, a, b); f != nil {
					overtakes++
					j.findings = append(j.findings, *f)
				}
			}
			if contested {
				together++
				if b.Token == 0 {
					nameless++
				}
			}
			if passedOver && b.Mode == history.ReadMode {
				readersFirst++
			} else if passedOver {
				writersFirst++
			}
		}
	}
	j.figures = map[string]float64{"grants": float64(grants), "overtakes": float64(overtakes), "waited_together": float64(together)}
	if s.Primitive == history.RWMutex {
		j.figures["readers_first"], j.figures["writers_first"] = float64(readersFirst), float64(writersFirst)
		j.figures["read_wait_mean_ms"] = readWaits.milliseconds()
		j.figures["write_wait_mean_ms"] = writeWaits.milliseconds()
	}
	j.holds = fmt.Sprintf("none of %s overtook an older request; %d of them ran beside another request", count(grants, "grant"), together)
	switch {
	case r.log == nil && grants > 0:
		j.unknown = "there is no revision log that could tell which key was older"
	case nameless > 0 && nameless == together:
		return nil // the subject cannot say which keys were its requests'
	}
	if together == 0 {
		j.vacuous = "never did two requests that exclude each other wait together"
	}
	return j
}

// overtaken is the violation of b having been granted before a.
func (r *record) overtaken(s *subject, ob *object, a, b *history.Operation) *finding {
	if r.log == nil || a.Token == 0 || a.Token >= b.Token {
		return nil
	}
	t, _ := ob.identified(a.Key, a.Token)
	if t == nil || r.log.Earliest(t.gone) <= b.Return {
		return nil
	}
	if s.permits() > 1 {
		if own, _ := ob.identified(b.Key, b.Token); own == nil || r.log.Earliest(own.owns) <= b.Return {
			return nil
		}
	}
	f := finding{}
	f.Violation = Violation{Blame: s.culprit(), Call: b.Kind, Witness: []int64{a.ID, b.ID}, From: a.Call, To: a.Return, Object: ob.name}
	cause := ""
	f.Cause = "overtook an older key"
	if lie := s.lies[b.ID]; lie != nil {
		f.Blame, f.Known, f.Cause = lie.Blame, lie.Known, f.Cause+", "+following(lie)
		cause = "; that was never true: " + lie.clause()
	}
	f.tell = func() string {
		return fmt.Sprintf("%s was told at %s that it %s (rev %d) while %s waited with an older key (rev %d) that was alive until after %s; %s was told only at %s%s",
			b.Client, at(b.Return), belief(b), b.Token, a.Client, a.Token, at(r.log.Earliest(t.gone)), a.Client, at(a.Return), cause)
	}
	return &f
}

func excludes(a, b *history.Operation) bool {
	return a.Mode != history.ReadMode || b.Mode != history.ReadMode
}

func modeOf(op *history.Operation) history.Mode {
	if op.Mode == history.ReadMode {
		return history.ReadMode
	}
	return history.WriteMode
}

// mean adds up lengths of time.
type mean struct {
	sum time.Duration
	n   int
}

func (m *mean) add(d time.Duration) { m.sum, m.n = m.sum+d, m.n+1 }

func (m *mean) milliseconds() float64 {
	if m.n == 0 {
		return 0
	}
	return milliseconds(m.sum / time.Duration(m.n))
}
