package broken

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/workloads"
)

func TestSoak(t *testing.T) {
	for _, subject := range Subjects() {
		t.Run(subject.Name, func(t *testing.T) {
			prefix := prefixOf(t)
			var writers, readers, bad, holds, errs atomic.Int64
			var first atomic.Int64
			began := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), 6*time.Second)
			defer cancel()
			var wg sync.WaitGroup
			for range 5 {
				s := open(t)
				wg.Go(func() {
					var lock workloads.Lock = exclusive(subject, s, prefix)
					for ctx.Err() == nil {
						c, stop := context.WithTimeout(ctx, 10*time.Second)
						if rand.IntN(10) == 0 {
							stop()
							c, stop = context.WithTimeout(ctx, time.Duration(50+rand.IntN(450))*time.Millisecond)
						}
						acquire, release := lock.Acquire, lock.Release
						read := false
						if rw, ok := lock.(workloads.RWLock); ok && rand.IntN(10) < 7 {
							acquire, release, read = rw.AcquireRead, rw.ReleaseRead, true
						}
						_, err := acquire(c)
						stop()
						if err != nil {
							errs.Add(1)
							if !workloads.Certain(err) && ctx.Err() == nil {
								t.Logf("uncertain: %v", err)
							}
							continue
						}
						holds.Add(1)
						if read {
							readers.Add(1)
						} else {
							writers.Add(1)
						}
						if w := writers.Load(); w > 1 || w == 1 && readers.Load() > 0 {
							if bad.Add(1) == 1 {
								first.Store(int64(time.Since(began)))
							}
						}
						time.Sleep(time.Duration(5+rand.IntN(195)) * time.Millisecond)
						if read {
							readers.Add(-1)
						} else {
							writers.Add(-1)
						}
						_ = release(t.Context())
					}
				})
			}
			wg.Wait()
			t.Logf("%s: holds %d errs %d overlaps %d first %v", subject.Name, holds.Load(), errs.Load(), bad.Load(), time.Duration(first.Load()))
		})
	}
}
