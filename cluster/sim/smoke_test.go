package sim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"go.etcd.io/etcd/client/v3/concurrency"

	"github.com/etcd-holdfast/holdfast/quantity"
)

func streamsOf(seed uint64) func(string) *rand.Rand {
	return func(label string) *rand.Rand {
		n := uint64(0)
		for _, b := range []byte(label) {
			n = n*131 + uint64(b)
		}
		return rand.New(rand.NewPCG(seed, n))
	}
}

func smoke(seed uint64, members int) (locks int, end time.Duration, fault error) {
	fault = Bubble(func() {
		start := time.Now()
		c := Start(Config{Members: members, Stream: streamsOf(seed), Delays: Delays{Usual: quantity.Span{Min: 100 * time.Microsecond, Max: 2 * time.Millisecond}},
			Peers: Delays{Usual: quantity.Span{Min: 100 * time.Microsecond, Max: time.Millisecond}}})
		defer c.Close()
		var wg sync.WaitGroup
		var mu sync.Mutex
		for i := range 5 {
			wg.Go(func() {
				name := fmt.Sprintf("c%d", i+1)
				if _, err := c.Connect(name); err != nil {
					panic(err)
				}
				defer c.Disconnect(name)
				client, err := c.Dial(context.Background(), name, time.Second)
				if err != nil {
					panic(err)
				}
				defer client.Close()
				s, err := concurrency.NewSession(client, concurrency.WithTTL(10))
				if err != nil {
					panic(err)
				}
				random := streamsOf(seed)("x" + name)
				for time.Since(start) < 15*time.Second {
					m := concurrency.NewMutex(s, fmt.Sprintf("lock/%d", random.IntN(3)))
					if err := m.Lock(context.Background()); err != nil {
						panic(err)
					}
					mu.Lock()
					locks++
					mu.Unlock()
					time.Sleep(time.Duration(random.Int64N(int64(1000 * time.Millisecond))))
					if err := m.Unlock(context.Background()); err != nil {
						panic(err)
					}
					time.Sleep(time.Duration(random.Int64N(int64(1000 * time.Millisecond))))
				}
				if err := s.Close(); err != nil {
					panic(err)
				}
			})
		}
		wg.Wait()
		end = time.Since(start)
	})
	return locks, end, fault
}

func TestSmoke(t *testing.T) {
	locks, end, err := smoke(1, 3)
	t.Log(locks, end, err)
	if err != nil {
		t.Fatalf("%v\n%s", err, err.(*PanicError).Stack)
	}
}

func BenchmarkSmoke(b *testing.B) {
	for _, members := range []int{1, 3} {
		b.Run(fmt.Sprint(members), func(b *testing.B) {
			b.RunParallel(func(pb *testing.PB) {
				for seed := uint64(1); pb.Next(); seed++ {
					if _, _, err := smoke(seed, members); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}
