package external

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/etcd-holdfast/holdfast/cluster/embedded"
	"github.com/etcd-holdfast/holdfast/cluster/link"
)

const secret = "hunter2-hunter2"

func TestEndpoints(t *testing.T) {
	for _, c := range []struct {
		text   string
		secure bool
		want   string // its URL, or what the error says
	}{
		{"10.0.0.1:2379", false, "http://10.0.0.1:2379"},
		{"10.0.0.1:2379", true, "https://10.0.0.1:2379"},
		{"https://etcd.example:2379/", false, "https://etcd.example:2379"},
		{"http://[::1]:2379", false, "http://[::1]:2379"},
		{"http://10.0.0.1:2379", true, "is it https?"},
		{"10.0.0.1", false, "lacks a host or a port"},
		{":2379", false, "lacks a host or a port"},
		{"http://10.0.0.1:0", false, "is no port"},
		{"http://10.0.0.1:99999", false, "port"},
		{"unix:///run/etcd", false, "has to begin with http"},
		{"http://10.0.0.1:2379/v3", false, "nothing can follow the port"},
		{"http://10.0.0.1:2379?a=b", false, "nothing can follow the port"},
		{"", false, "lacks a host"},
		{"https://root:" + secret + "@10.0.0.1:2379", true, "https://…@…"},
		{"root:" + secret + "@10.0.0.1:2379", true, "HOLDFAST_PASSWORD"},
		{"http://10.0.0.1:2379\x7f", false, "is no endpoint"},
	} {
		e, err := parseEndpoint(c.text, c.secure)
		got := e.url()
		if err != nil {
			got = err.Error()
		}
		if err == nil && got != c.want || err != nil && !strings.Contains(got, c.want) {
			t.Errorf("%q: %s, want %s", c.text, got, c.want)
		}
		if strings.Contains(got, secret) {
			t.Errorf("%q: the error has the password: %s", c.text, got)
		}
	}
}

func TestFilesThatAreNotThere(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		files Files
		want  string
	}{
		{Files{CA: "/no/such/file"}, "no such file"},
		{Files{CA: empty}, "no certificate in PEM"},
		{Files{Cert: empty}, "belong together"},
		{Files{Cert: empty, Key: empty}, "read the certificate"},
	} {
		if _, err := c.files.Load(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c.files, err)
		}
	}
}

// somebodys starts a cluster and returns it with its endpoints.
func somebodys(t *testing.T, members int) (*embedded.Cluster, []string) {
	t.Helper()
	c, err := embedded.Start(t.Context(), embedded.Config{Members: members})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	endpoints, err := c.Connect("outside")
	if err != nil {
		t.Fatal(err)
	}
	return c, endpoints
}

func start(t *testing.T, endpoints []string) *Cluster {
	t.Helper()
	c, err := Start(t.Context(), Config{Endpoints: endpoints})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("never happened: %s", what)
		}
	}
}

func TestWhoIsThereAndWhoLeads(t *testing.T) {
	theirs, endpoints := somebodys(t, 3)
	slices.Reverse(endpoints)
	c := start(t, endpoints)
	if got := c.Members(); !slices.Equal(got, []string{"m3", "m2", "m1"}) { // by their own account
		t.Errorf("members %v", got)
	}
	if c.Kind() != "external" || c.Version() != theirs.Version() || c.Endpoint("m3") != endpoints[0] || c.Endpoint("m4") != "" {
		t.Errorf("%s, version %s, %s", c.Kind(), c.Version(), c.Endpoint("m3"))
	}
	leader := func() string {
		for _, s := range c.Status() {
			if s.Leads && s.Running && s.Term > 0 {
				return s.Member
			}
		}
		return ""
	}
	led := leader()
	if led == "" {
		t.Fatalf("nobody leads: %+v", c.Status())
	}
	next := c.Members()[(slices.Index(c.Members(), led)+1)%3]
	if err := c.MoveLeader(t.Context(), next); err != nil || leader() != next {
		t.Errorf("%s leads, not %s: %v", leader(), next, err)
	}
	if err := theirs.Crash(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	eventually(t, "another member leads, and the dead one does not run", func() bool {
		now := leader()
		return now != "" && now != next && !c.Status()[slices.Index(c.Members(), next)].Running
	})
	if err := c.MoveLeader(t.Context(), "m9"); err == nil {
		t.Error("somebody who is not there leads")
	}
}

func TestLinksOfClients(t *testing.T) {
	_, endpoints := somebodys(t, 3)
	c := start(t, endpoints)
	urls, err := c.Connect("c1")
	if err != nil {
		t.Fatal(err)
	}
	again, err := c.Connect("c1")
	if err != nil || !slices.Equal(urls, again) {
		t.Errorf("%v, then %v: %v", urls, again, err)
	}
	for _, party := range []string{"", "m1"} {
		if _, err := c.Connect(party); err == nil {
			t.Errorf("%q is a party", party)
		}
	}
	client, err := clientv3.New(clientv3.Config{Endpoints: urls, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	put := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := client.Put(ctx, "key", "value")
		return err
	}
	if err := put(); err != nil {
		t.Fatal(err)
	}
	if c.Link("m1", "m2") != nil || c.Link("c2", "m1") != nil {
		t.Error("there are links that nobody asked for")
	}
	var lifts []func()
	requests := int64(0)
	for _, m := range c.Members() {
		l := c.Link("c1", m)
		requests += l.Requests()
		lifts = append(lifts, l.Impose(link.Condition{Cut: true}))
	}
	if requests == 0 {
		t.Error("no request was seen on the links")
	}
	if err := put(); err == nil {
		t.Error("a client that is cut off could write")
	}
	for _, lift := range lifts {
		lift()
	}
	eventually(t, "the client is through again", func() bool { return put() == nil })
	c.Disconnect("c1")
	c.Disconnect("nobody")
	if put() == nil {
		t.Error("a client that was disconnected could write")
	}
}

func TestClustersThatAreNone(t *testing.T) {
	_, endpoints := somebodys(t, 3)
	_, others := somebodys(t, 1)
	for name, c := range map[string]struct {
		config Config
		want   string
	}{
		"none":            {Config{}, "no endpoint is given"},
		"one twice":       {Config{Endpoints: []string{endpoints[0], endpoints[1], endpoints[0]}}, "are one member"},
		"two clusters":    {Config{Endpoints: []string{endpoints[0], others[0]}}, "of another cluster"},
		"nobody there":    {Config{Endpoints: []string{"http://127.0.0.1:1"}}, "connection refused"},
		"not TLS":         {Config{Endpoints: []string{strings.Replace(endpoints[0], "http:", "https:", 1)}}, "http:// instead of https://"},
		"a user in a URL": {Config{Endpoints: []string{"http://root:" + secret + "@127.0.0.1:1"}}, "leave them out"},
	} {
		cluster, err := Start(t.Context(), c.config)
		if err == nil {
			_ = cluster.Close()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
