package checker

import (
	"fmt"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// StrayDebug says why strays keep nobody out.
func StrayDebug(h *history.History) map[string]int {
	o := Options{Grace: 5 * time.Second, DeadlineGrace: 2 * time.Second, Unconfirmed: true}
	r := index(withoutFalseNames(h), o)
	out := make(map[string]int)
	for _, s := range r.subjects {
		for _, ob := range s.objects {
			for _, g := range r.strays(ob) {
				out["strays"]++
				from := max(g.maker.Return, r.log.Latest(g.owns))
				if g.until-500*time.Millisecond < from {
					out["short"]++
					continue
				}
				out["long"]++
				waits, vain, dl := 0, 0, 0
				for _, op := range ob.operations {
					if op.Kind.Acquires() && op.Lease != g.Lease && op.Call < g.until && r.ended(op) > from {
						waits++
						if op.Outcome != history.Ok && op.Return-from > 500*time.Millisecond {
							vain++
							if op.Return >= op.Deadline && op.Deadline > 0 && op.Return <= g.until+500*time.Millisecond {
								dl++
								if r.couldCleanUp(g.maker.Client, op.Return-500*time.Millisecond) {
									out["clean"]++
								}
							}
						}
					}
				}
				if waits > 0 {
					out["longwaits"]++
				}
				if vain > 0 {
					out["vain"]++
				}
				if dl > 0 {
					out["deadline"]++
				}
			}
		}
	}
	_ = fmt.Sprint
	return out
}
