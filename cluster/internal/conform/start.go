package conform

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/cluster/members"
)

func testClustersOfEverySizeServe(t *testing.T, b Backend) {
	for _, size := range []int{1, 3, 5} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			c := start(t, b, members.Config{Members: size})
			if c.Kind() != b.Kind || c.Version() != b.Version {
				t.Errorf("kind %q, version %q", c.Kind(), c.Version())
			}
			if want := []string{"m1", "m2", "m3", "m4", "m5"}[:size]; !slices.Equal(c.Members(), want) {
				t.Fatalf("members: %v", c.Members())
			}
			put(t, Connect(t, c, "writer"), "key", "value")
			for _, m := range c.Members() { // each link leads to its member
				client := Connect(t, c, "reader", m)
				expectValue(t, client, "key", "value")
				if s := c.Link("reader", m).Stats(); s.Accepted == 0 || s.Passed.ToDialler == 0 {
					t.Errorf("link to %s: %+v", m, s)
				}
				answer, err := client.Status(Bounded(t), client.Endpoints()[0])
				if err != nil {
					t.Fatal(err)
				}
				if s := Status(c, m); (answer.Leader == answer.Header.MemberId) != s.Leads {
					t.Errorf("the link to %s leads to another: %+v, and it says %+v", m, answer, s)
				}
			}
			leader := agreedLeader(t, c, c.Members()...)
			if s := Status(c, leader); s.Term == 0 {
				t.Errorf("status of the leader: %+v", s)
			}
		})
	}
}

// Members dial each other through links only, and each link knows its dialler.
func testPeerTrafficPassesThroughLinks(t *testing.T, b Backend) {
	c := start(t, b, members.Config{})
	for _, from := range c.Members() {
		for _, to := range others(c, from) {
			Eventually(t, from+" dials "+to, func() bool {
				s := c.Link(from, to).Stats()
				return s.From == from && s.To == to && s.Open > 0 && s.Passed.ToTarget > 0
			})
		}
		if c.Link(from, from) != nil {
			t.Errorf("%s has a link to itself", from)
		}
	}
}

func testConnect(t *testing.T, b Backend) {
	c := start(t, b, members.Config{Members: 1})
	first, err := c.Connect("c1")
	if err != nil {
		t.Fatal(err)
	}
	again, err := c.Connect("c1")
	if err != nil || !slices.Equal(first, again) {
		t.Errorf("connected again: %v, %v; want %v", again, err, first)
	}
	other, err := c.Connect("c2")
	if err != nil || slices.Equal(first, other) {
		t.Errorf("another party: %v, %v", other, err)
	}
	for _, party := range []string{"", "m1"} {
		if _, err := c.Connect(party); err == nil {
			t.Errorf("connected party %q", party)
		}
	}
	c.Disconnect("c1")
	c.Disconnect("c1")
	c.Disconnect("m1")
	c.Disconnect("nobody")
	if c.Link("c1", "m1") != nil || c.Link("c2", "m1") == nil {
		t.Error("the wrong links are there")
	}
	expectPortClosed(t, first[0])
	put(t, Connect(t, c, "c1"), "still", "works")
}

func expectPortClosed(t *testing.T, url string) {
	t.Helper()
	if conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://")); err == nil {
		_ = conn.Close()
		t.Errorf("%s still accepts connections", url)
	}
}

// A client that asks the cluster where to go must not find a way around its links.
func testAdvertisedClientURLsLeadNowhere(t *testing.T, b Backend) {
	c := start(t, b, members.Config{})
	list, err := Connect(t, c, "c1").MemberList(Bounded(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range list.Members {
		for _, u := range m.ClientURLs {
			expectPortClosed(t, u)
		}
	}
}

func testStartRefusesUsedDirectories(t *testing.T, b Backend) {
	directory := t.TempDir()
	if err := os.Mkdir(filepath.Join(directory, "m2"), 0o700); err != nil {
		t.Fatal(err)
	}
	c, err := b.Start(Bounded(t), members.Config{Directory: directory})
	if !errors.Is(err, os.ErrExist) {
		_ = c.Close()
		t.Fatalf("start: %v", err)
	}
	entries, err := os.ReadDir(directory)
	if err != nil || len(entries) != 1 || entries[0].Name() != "m2" {
		t.Errorf("left behind: %v, %v; want m2, which was there before", entries, err)
	}
}

func testStartCleansUpWhenItsContextEnds(t *testing.T, b Backend) {
	for _, after := range []time.Duration{0, time.Millisecond, 20 * time.Millisecond, 60 * time.Millisecond} {
		t.Run(after.String(), func(t *testing.T) {
			directory := filepath.Join(t.TempDir(), "created", "by start")
			ctx, cancel := context.WithTimeout(context.Background(), after)
			defer cancel()
			c, err := b.Start(ctx, members.Config{Directory: directory})
			if err == nil { // a fast machine
				err = c.Close()
				if err != nil {
					t.Error(err)
				}
			} else if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("start: %v", err)
			}
			if _, err := os.Stat(filepath.Dir(directory)); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the directory is left: %v", err)
			}
		})
	}
}

func testClustersSideBySideAndInSequence(t *testing.T, b Backend) {
	a := start(t, b, members.Config{})
	beside := start(t, b, members.Config{})
	clientA, clientB := Connect(t, a, "c1"), Connect(t, beside, "c1")
	put(t, clientA, "key", "a")
	put(t, clientB, "key", "b")
	expectValue(t, clientA, "key", "a")

	// The client of a outlives its cluster, while another one starts.
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	next := start(t, b, members.Config{})
	none, err := Connect(t, next, "c1").Get(Bounded(t), "key")
	if err != nil || len(none.Kvs) != 0 {
		t.Errorf("a new cluster knows %v, %v", none, err)
	}
	expectValue(t, clientB, "key", "b")
}

func testLogs(t *testing.T, b Backend) {
	directory := t.TempDir()
	c := start(t, b, members.Config{LogDirectory: directory})
	leader := agreedLeader(t, c, c.Members()...)
	if err := c.Crash(Bounded(t), leader); err != nil {
		t.Fatal(err)
	}
	if err := c.Restart(Bounded(t), leader); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	for _, m := range c.Members() {
		log, err := os.ReadFile(filepath.Join(directory, "members", m+".log"))
		if err != nil {
			t.Fatal(err)
		}
		lives := 1
		if m == leader {
			lives = 2
		}
		if got := strings.Count(string(log), `"msg":"starting an etcd server"`); got != lives {
			t.Errorf("the log of %s tells of %d lives, want %d", m, got, lives)
		}
	}
}
