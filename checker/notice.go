package checker

import (
	"fmt"
	"github.com/etcd-holdfast/holdfast/history"
	"time"
)

// Notice reports how long clients went on believing after their lease had
// ended: until they were told, or until the hold was over if they never were.
// It is a promise only if Options.NoticeLimit is set.
//
// The lease's end is taken at the latest time that the log allows, so the
// figure is never too high and a limit that is exceeded surely was. The time for
// which the client stood still does not count.
func notice(r *record, s *subject) *judgement {
	if !s.holding() {
		return nil
	}
	j := &judgement{}
	ended, told := 0, 0
	var delays []time.Duration
	for _, ob := range s.objects {
		for i := range ob.holds {
			h := &ob.holds[i]
			end, ok := r.leaseEnds[h.Lease]
			if !ok || end.latest < h.Start || end.latest > h.End {
				continue
			}
			ended++
			heard := h.End
			for _, t := range r.lost[membership{h.Client, h.Lease}] {
				if t <= h.End {
					heard = t
					told++
					break
				}
			}
			delay := r.awake(h.Client, end.latest, heard)
			delays = append(delays, delay)
			if limit := r.o.NoticeLimit; limit > 0 && delay > limit {
				f := finding{}
				f.Violation = Violation{Blame: s.culprit(), Cause: "told too late that the lease had ended", Witness: []int64{h.Acquire}, From: end.latest, To: heard, Object: ob.name}
				f.tell = func() string {
					return fmt.Sprintf("%s's lease had ended by %s, and at %s it still believed that it held %s: %s without notice, the limit is %s",
						h.Client, at(end.latest), at(heard), history.Called(h.Object), span(delay), span(limit))
				}
				j.findings = append(j.findings, f)
			}
		}
	}
	if len(r.h.Faults) == 0 && ended == 0 {
		return nil
	}
	j.figures = map[string]float64{
		"lost_while_held": float64(ended), "told": float64(told), "untold": float64(ended - told),
		"notice_p50_ms": milliseconds(quantile(delays, .5)), "notice_max_ms": milliseconds(quantile(delays, 1)),
	}
	j.holds = fmt.Sprintf("of %s that ended while held, %d were noticed; the slowest took %s", count(ended, "lease"), told, span(quantile(delays, 1)))
	switch {
	case ended > 0:
	case r.log == nil:
		j.unknown = "there is no revision log that could show the end of a lease"
	default:
		j.vacuous = "no lease ended while its client held anything"
	}
	return j
}
