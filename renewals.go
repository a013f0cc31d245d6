package holdfast

import (
	"sync"
	"time"

	"github.com/etcd-holdfast/holdfast/cluster/link"
	"github.com/etcd-holdfast/holdfast/history"
)

// renewals records that a client was told, on one link, that a lease was renewed.
// A server renews it after it was asked and before it answers, so that it has to
// live for its whole time from the question on.
type renewals struct {
	recorder *history.Recorder
	client   string

	mu sync.Mutex
	// asked are the times at which the lease was asked for and not yet answered. An
	// answer that was lost leaves its question here, so that those after it count
	// from too early: the safe side.
	asked map[int64][]time.Duration
}

func newRenewals(recorder *history.Recorder, client string) *renewals {
	return &renewals{recorder: recorder, client: client, asked: make(map[int64][]time.Duration)}
}

// mostAsked bounds what is remembered of a lease whose answers are lost.
const mostAsked = 64

func (r *renewals) see(m link.Message) {
	if m.Content != link.KeepAlive || m.Lease == 0 {
		return
	}
	now := r.recorder.Clock().Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	asked := r.asked[m.Lease]
	switch {
	case m.Direction == link.ToTarget:
		if len(asked) < mostAsked {
			r.asked[m.Lease] = append(asked, now)
		}
	case len(asked) == 0:
	case m.TTL <= 0:
		delete(r.asked, m.Lease)
	default:
		r.asked[m.Lease] = asked[1:]
		lives := asked[0] + time.Duration(m.TTL)*time.Second - now
		if lives > 0 {
			r.recorder.Event(history.Event{Kind: history.Renewed, Client: r.client, Lease: m.Lease, TTL: lives})
		}
	}
}
