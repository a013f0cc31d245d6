package sim

import (
	"context"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// watcher is clientv3's, each of whose watches is begun in a step of its own.
// Watches that are begun, or ended and begun, at one moment reach clientv3's
// watcher from several goroutines, and it takes them as they come: whether a
// stream whose last watch ends serves the next one, and in which order, would be
// up to the machine.
type watcher struct {
	clientv3.Watcher
	remote *remote
}

func (w *watcher) Watch(ctx context.Context, key string, options ...clientv3.OpOption) clientv3.WatchChan {
	if w.remote.over(ctx) != nil {
		return ended()
	}
	p := w.remote.party
	s := p.cluster.scheduler
	turn := make(chan struct{})
	s.post(post{party: p, kind: postWatch, text: func() []byte { return []byte(key) }, take: func() {
		if w.remote.over(ctx) != nil {
			return
		}
		s.after(p.step(), func() bool {
			close(turn)
			return true
		})
	}})
	select {
	case <-turn:
	case <-ctx.Done():
	case <-w.remote.gone:
	}
	if w.remote.over(ctx) != nil { // clientv3's would be free to ask for the watch or not
		return ended()
	}
	w.remote.watching(watch{ctx, key})
	return w.Watcher.Watch(ctx, key, options...)
}

// ended is a watch that tells nothing.
func ended() clientv3.WatchChan {
	c := make(chan clientv3.WatchResponse)
	close(c)
	return c
}
