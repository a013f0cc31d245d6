package workloads

import (
	"context"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// watch returns a channel that is closed before the session's lease can have
// ended, if the client has a watchdog; else nil.
//
// A renewal that was answered had reached etcd after it was sent, so the lease
// lives for its whole time-to-live from then on. The session's own count begins
// when the answer was received, and is looked at twice a second only: it can end
// after etcd has given the lock to the next. A tenth of the time-to-live is left
// for clocks and for the way from the timer to the client. The session was
// opened after opened.
func (c *Client) watch(s *session, opened time.Time) <-chan struct{} {
	if !c.watchdog {
		return nil
	}
	expired := make(chan struct{})
	c.tasks.Go(func() {
		good := opened.Add(c.ttl * 9 / 10)
		for {
			sent := time.Now()
			ctx, cancel := context.WithDeadline(c.ctx, good)
			reply, err := s.Client.KeepAliveOnce(ctx, clientv3.LeaseID(s.lease))
			cancel()
			if err == nil {
				good = sent.Add(time.Duration(reply.TTL) * time.Second * 9 / 10)
			}
			sleep(c.ctx, min(c.ttl/8, time.Until(good)), s.Session.Session.Done(), nil)
			select {
			case <-s.Session.Session.Done():
				return
			case <-c.ctx.Done():
				return
			default:
			}
			if !time.Now().Before(good) {
				close(expired)
				return
			}
		}
	})
	return expired
}
