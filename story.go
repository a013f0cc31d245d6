package holdfast

import (
	"strings"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// sayFault tells what became of a fault.
func (r *run) sayFault(f history.Fault) {
	r.awaited.strike(f)
	r.status.strike(f)
	r.mu.Lock()
	if r.struck == nil {
		r.struck = make(map[int64]history.Fault)
	}
	r.struck[f.ID] = f
	r.mu.Unlock()
	if f.Uninjected {
		r.say("%7.3fs  not injected: %s: %s", f.From.Seconds(), strings.TrimSpace(f.Kind+" "+f.Target), strings.TrimPrefix(f.Evidence, history.NotInjected))
	}
	switch {
	case f.Error != "":
		r.say("%7.3fs  NOT healed: %s %s: %s", r.clock.Now().Seconds(), f.Kind, f.Target, f.Error)
	case f.Uninjected:
	case f.To == 0:
		r.say("%7.3fs  %s %s", f.From.Seconds(), f.Kind, f.Target)
	case f.Verified:
		r.say("%7.3fs  healed: %s %s: %s", f.To.Seconds(), f.Kind, f.Target, f.Evidence)
	default:
		r.say("%7.3fs  without effect: %s %s: %s", f.To.Seconds(), f.Kind, f.Target, f.Evidence)
	}
}

// endsShow is how long after a fault a member may end of it, for the story; the
// judgement has the whole record.
const endsShow = 5 * time.Second

// mourn tells of a member that has ended and was not ended.
func (r *run) mourn(member string, how error) {
	now := r.clock.Now()
	warning := "warning: "
	r.mu.Lock()
	for _, f := range r.struck {
		if f.MayEnd(member, now, endsShow) {
			warning = ""
		}
	}
	r.mu.Unlock()
	r.say("%7.3fs  %smember %s has ended, and holdfast did not end it: %v", now.Seconds(), warning, member, how)
}
