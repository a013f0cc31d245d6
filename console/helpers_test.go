package console

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// screen is what a console printed. Those who wait for a text in it wait for
// the next write.
type screen struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{}
}

func newScreen() *screen { return &screen{changed: make(chan struct{})} }

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.changed)
	s.changed = make(chan struct{})
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// until waits until the pattern is on the screen, from the offset on, and
// returns its groups and the offset after it.
func (s *screen) until(t *testing.T, from int, pattern string) ([]string, int) {
	t.Helper()
	find := regexp.MustCompile(pattern)
	ctx := bounded(t)
	for {
		s.mu.Lock()
		text, changed := s.text.String(), s.changed
		s.mu.Unlock()
		if at := find.FindStringSubmatchIndex(text[from:]); at != nil {
			return find.FindStringSubmatch(text[from:]), from + at[1]
		}
		select {
		case <-changed:
		case <-ctx.Done():
			t.Fatalf("%q never came; the screen is:\n%s", pattern, text)
		}
	}
}

// bounded returns a context that no step of a test should outlive.
func bounded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// user is somebody at a console, who reads on from what was read last.
type user struct {
	*Console
	t      *testing.T
	screen *screen
	read   int
}

// sit opens a console of the test's own object.
func sit(t *testing.T, primitive, as string) *user { return sitWith(t, primitive, as, 60*time.Second) }

func sitWith(t *testing.T, primitive, as string, ttl time.Duration) *user {
	t.Helper()
	u := &user{t: t, screen: newScreen()}
	var err error
	u.Console, err = Open(bounded(t), Config{
		Primitive: primitive, As: as, TTL: ttl, Prefix: prefix(t), Endpoints: endpoints(t, as), Out: u.screen,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := u.Close(); err != nil {
			t.Errorf("close %s: %v", as, err)
		}
		if t.Failed() {
			t.Logf("%s saw:\n%s", as, u.screen)
		}
	})
	return u
}

// prefixes are those of tests, by their *testing.T; counted, because what an
// earlier run of a test left may live still.
var (
	prefixes     sync.Map
	prefixNumber atomic.Int64
)

// prefix is the test's own.
func prefix(t *testing.T) string {
	number, _ := prefixes.LoadOrStore(t, prefixNumber.Add(1))
	return fmt.Sprintf("%s/%d/", t.Name(), number)
}

// endpoints are links of their own for one party of one test.
func endpoints(t *testing.T, party string) []string {
	t.Helper()
	party = t.Name() + "/" + party
	urls, err := etcd.Connect(party)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { etcd.Disconnect(party) })
	return urls
}

// types executes lines, none of which may fail.
func (u *user) types(lines ...string) {
	u.t.Helper()
	for _, line := range lines {
		if err := u.Execute(line); err != nil {
			u.t.Fatalf("%s: %s: %v", u.Name(), line, err)
		}
	}
}

// sees waits for a pattern after what was seen last, and returns its groups.
func (u *user) sees(pattern string) []string {
	u.t.Helper()
	groups, read := u.screen.until(u.t, u.read, pattern)
	u.read = read
	return groups
}

// hasNotSeen fails the test if a text is on the screen.
func (u *user) hasNotSeen(text string) {
	u.t.Helper()
	if strings.Contains(u.screen.String(), text) {
		u.t.Fatalf("%s saw %q:\n%s", u.Name(), text, u.screen)
	}
}

// observer is a client that no console harms.
func observer(t *testing.T) *clientv3.Client {
	t.Helper()
	client, err := clientv3.New(clientv3.Config{Endpoints: endpoints(t, "observer"), Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// keysOf lists the keys of a console's object.
func keysOf(t *testing.T, client *clientv3.Client, u *user) []string {
	t.Helper()
	reply, err := client.Get(bounded(t), u.object, clientv3.WithPrefix(), clientv3.WithSort(clientv3.SortByCreateRevision, clientv3.SortAscend))
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, kv := range reply.Kvs {
		keys = append(keys, fmt.Sprintf("key %s created at rev %d", kv.Key, kv.CreateRevision))
	}
	return keys
}

// revoke ends a console's lease behind its back.
func revoke(t *testing.T, client *clientv3.Client, u *user) {
	t.Helper()
	u.mu.Lock()
	lease := u.session.lease
	u.mu.Unlock()
	if _, err := client.Revoke(bounded(t), lease); err != nil {
		t.Fatal(err)
	}
}

// runs waits until a command is under way, and ends until none of its name is.
func (u *user) runs(command string) { u.t.Helper(); u.isUnderWay(command, true) }
func (u *user) ends(command string) { u.t.Helper(); u.isUnderWay(command, false) }

func (u *user) isUnderWay(command string, want bool) {
	u.t.Helper()
	ctx, ticker := bounded(u.t), time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for {
		u.mu.Lock()
		running := slices.ContainsFunc(u.jobs, func(j *job) bool { return j.command.name == command })
		u.mu.Unlock()
		if running == want {
			return
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			u.t.Fatalf("that %s is under way never became %t", command, want)
		}
	}
}
