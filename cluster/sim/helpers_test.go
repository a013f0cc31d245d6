package sim

import (
	"context"
	"hash/fnv"
	"math/rand/v2"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/quantity"
)

func streamsOf(seed uint64) func(string) *rand.Rand {
	return func(label string) *rand.Rand {
		h := fnv.New64a()
		h.Write([]byte(label))
		return rand.New(rand.NewPCG(seed, h.Sum64()))
	}
}

// lab is a simulated cluster under test, within its bubble.
type lab struct {
	*testing.T
	*Cluster
	began time.Time
}

// within runs f with a cluster in a bubble of its own. What f dials it need not
// close.
func within(t *testing.T, c Config, f func(l *lab)) {
	t.Helper()
	if c.Stream == nil {
		c.Stream = streamsOf(1)
	}
	if c.Delays == (Delays{}) {
		c.Delays.Usual = quantity.Span{Min: 100 * time.Microsecond, Max: time.Millisecond}
		c.Peers.Usual = c.Delays.Usual
	}
	err := Bubble(func() {
		l := &lab{T: t, Cluster: Start(c), began: time.Now()}
		f(l)
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, err.(*PanicError).Stack)
	}
}

// dial connects a client, which use closes when it has returned.
func (l *lab) dial(name string, use func(ctx context.Context, client *clientv3.Client)) {
	l.Helper()
	if _, err := l.Connect(name); err != nil {
		l.Fatal(err)
	}
	defer l.Disconnect(name)
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	client, err := l.Dial(ctx, name, time.Second)
	if err != nil {
		l.Fatal(err)
	}
	defer client.Close()
	use(ctx, client)
}

// now is how long the test has taken, in virtual time.
func (l *lab) now() time.Duration { return time.Since(l.began) }

func (l *lab) leader() string {
	for _, s := range l.Status() {
		if s.Leads {
			return s.Member
		}
	}
	return ""
}

// sees waits for as many values, of a byte each, as are wanted.
func (l *lab) sees(watch clientv3.WatchChan, want string) {
	l.Helper()
	var seen string
	for len(seen) < len(want) {
		for _, e := range (<-watch).Events {
			seen += string(e.Kv.Value)
		}
	}
	if seen != want {
		l.Errorf("saw %s, want %s", seen, want)
	}
}

// must fails the test on an error.
func must[T any](l *lab) func(v T, err error) T {
	return func(v T, err error) T {
		l.Helper()
		if err != nil {
			l.Errorf("%v: %v", l.now(), err)
			panic("the test has failed")
		}
		return v
	}
}
