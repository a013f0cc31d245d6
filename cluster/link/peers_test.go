package link

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// A real TLS server stands for a member; real TLS clients with a server name
// of their own stand for its peers.
func newPeers(t *testing.T) (n *Network, addr string, as func(name string) *http.Client) {
	t.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, r.Body)
	}))
	t.Cleanup(server.Close)
	n = newNetwork(t)
	addr, err := n.ListenPeers("m1", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return n, addr, func(name string) *http.Client {
		transport := &http.Transport{TLSClientConfig: &tls.Config{
			ServerName:         name,
			InsecureSkipVerify: true, // the server's certificate knows nothing of members
		}}
		t.Cleanup(transport.CloseIdleConnections)
		return &http.Client{Transport: transport, Timeout: patience}
	}
}

func get(client *http.Client, addr string) error {
	response, err := client.Get("https://" + addr)
	if err != nil {
		return err
	}
	return response.Body.Close()
}

func TestPeersAreToldApartByTheirServerName(t *testing.T) {
	n, addr, as := newPeers(t)
	n.DeclarePeers("m1", "m2", "m3")
	m2, m3 := as("m2"), as("m3")
	for range 3 {
		for _, client := range []*http.Client{m2, m3, m3} {
			if err := get(client, addr); err != nil {
				t.Fatal(err)
			}
			client.CloseIdleConnections()
		}
	}
	for from, want := range map[string]int64{"m2": 3, "m3": 6} {
		if s := n.Link(from, "m1").Stats(); s.Accepted != want || s.Passed.ToTarget == 0 || s.Passed.ToDialler == 0 {
			t.Errorf("link from %s: %+v; want %d accepted", from, s, want)
		}
	}
	if s := n.Link("m1", "m2").Stats(); s.Accepted != 0 {
		t.Errorf("the link the other way: %+v", s)
	}
}

func TestPeerLinksExistOnceDeclared(t *testing.T) {
	n, addr, as := newPeers(t)
	n.DeclarePeers("m1", "m2", "m3")
	n.DeclarePeers("m1", "m2", "m3")
	if n.Link("m1", "m1") != nil || n.Link("m4", "m1") != nil {
		t.Error("there are links that nobody declared")
	}
	lift := n.Link("m2", "m1").Impose(Condition{Cut: true})
	if err := get(as("m2"), addr); err == nil {
		t.Error("a peer got through a link that was cut before it first dialled")
	}
	if err := get(as("m3"), addr); err != nil {
		t.Errorf("another peer did not: %v", err)
	}
	if s := n.Link("m2", "m1").Stats(); s.Refused == 0 || s.Accepted != 0 {
		t.Errorf("stats of the cut link: %+v", s)
	}
	lift()
	if err := get(as("m2"), addr); err != nil {
		t.Errorf("after the heal: %v", err)
	}
}

func TestPeerLinkIsCreatedByItsFirstConnection(t *testing.T) {
	n, addr, as := newPeers(t)
	if err := get(as("m9"), addr); err != nil {
		t.Fatal(err)
	}
	if l := n.Link("m9", "m1"); l == nil || l.Stats().Accepted != 1 {
		t.Errorf("link: %v", l)
	}
}

// A stalled link keeps even the hello back, after it has read from it who dials.
func TestStallHoldsTheHello(t *testing.T) {
	n, addr, as := newPeers(t)
	n.DeclarePeers("m1", "m2")
	l := n.Link("m2", "m1")
	lift := l.Impose(Stall(ToTarget))
	done := make(chan error, 1)
	go func() { done <- get(as("m2"), addr) }()
	eventually(t, "the hello is held", func() bool { return l.Stats().Held.ToTarget > 0 })
	if s := l.Stats(); s.Passed.Total() != 0 {
		t.Errorf("stats while stalled: %+v", s)
	}
	lift()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestUnattributablePeersAreClosed(t *testing.T) {
	n, addr, as := newPeers(t)
	t.Run("not TLS", func(t *testing.T) {
		conn := dial(t, addr)
		write(t, conn, "GET / HTTP/1.1\r\n\r\n")
		if _, err := conn.Read(make([]byte, 1)); err == nil {
			t.Error("it was answered")
		}
	})
	t.Run("nameless", func(t *testing.T) {
		if err := get(as(""), addr); err == nil { // Go sends no name for an address
			t.Error("it was answered")
		}
	})
	if len(n.links) != 0 || n.Strangers() != 2 {
		t.Errorf("links were created: %v, %d strangers", n.links, n.Strangers())
	}
}

func TestASilentPeerIsClosed(t *testing.T) {
	n := newNetwork(t)
	n.helloTimeout = time.Millisecond
	addr, err := n.ListenPeers("m1", "")
	if err != nil {
		t.Fatal(err)
	}
	expectRefused(t, addr)
}

func TestCloseDoesNotWaitForASilentPeer(t *testing.T) {
	n := newNetwork(t)
	n.helloTimeout = time.Hour
	addr, err := n.ListenPeers("m1", "")
	if err != nil {
		t.Fatal(err)
	}
	conn := dial(t, addr)
	eventually(t, "it is accepted", func() bool {
		n.mu.Lock()
		defer n.mu.Unlock()
		return len(n.accepted) == 1
	})
	if err := n.Close(); err != nil {
		t.Error(err)
	}
	expectReset(t, conn)
}

// A peer whose hello names nobody is recognised by what it offers, whatever is
// negotiated in the end.
func TestPeersAreToldApartByTheirSuites(t *testing.T) {
	common, second, third := tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
	n, addr, _ := newPeers(t)
	n.Recognise("m2", []uint16{second, common})
	n.Recognise("m3", []uint16{third, common})
	offering := func(version uint16, suites ...uint16) error {
		transport := &http.Transport{TLSClientConfig: &tls.Config{
			CipherSuites: suites, MaxVersion: version,
			InsecureSkipVerify: true, // the server's certificate knows nothing of members
		}}
		defer transport.CloseIdleConnections()
		return get(&http.Client{Transport: transport, Timeout: patience}, addr)
	}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		if err := offering(version, common, second); err != nil {
			t.Errorf("m2, TLS %#x: %v", version, err)
		}
		if err := offering(version, third, common); err != nil {
			t.Errorf("m3, TLS %#x: %v", version, err)
		}
		for what, suites := range map[string][]uint16{"a part of what m2 offers": {common}, "what m2 and m3 offer": {common, second, third}, "Go's own choice": nil} {
			if offering(version, suites...) == nil {
				t.Errorf("who offers %s got through", what)
			}
		}
	}
	for _, name := range []string{"m2", "m3"} {
		if l := n.Link(name, "m1"); l == nil || l.Stats().Accepted != 2 {
			t.Errorf("link from %s: %+v", name, l)
		}
	}
	if s := n.Strangers(); s != 6 {
		t.Errorf("%d strangers, want 6", s)
	}
}

// The bytes that were read to learn the name must arrive unchanged.
func TestReadHello(t *testing.T) {
	ours, theirs := net.Pipe()
	defer ours.Close()
	defer theirs.Close()
	sent := &recordingWriter{Conn: theirs}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = tls.Client(sent, &tls.Config{ServerName: "m7"}).HandshakeContext(ctx)
	}()
	said, read, err := readHello(ours, patience)
	cancel()
	<-ended
	if err != nil || said.server != "m7" || string(read) != string(sent.written[:len(read)]) {
		t.Errorf("name %q, %d bytes, %v", said.server, len(read), err)
	}
}

type recordingWriter struct {
	net.Conn
	written []byte
}

func (c *recordingWriter) Write(p []byte) (int, error) {
	c.written = append(c.written, p...)
	return c.Conn.Write(p)
}
