package link

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// newIdentity returns a certificate for the loopback address, and who trusts it.
func newIdentity(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(signed)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{signed}, PrivateKey: key}, pool
}

// secureRoad is a road to a target that speaks TLS.
type secureRoad struct {
	*road
	server *tls.Config
	client *tls.Config
}

func newSecureRoad(t *testing.T) *secureRoad {
	t.Helper()
	identity, pool := newIdentity(t)
	r := &secureRoad{
		road:   &road{network: newNetwork(t), target: newTarget(t)},
		server: &tls.Config{Certificates: []tls.Certificate{identity}, NextProtos: []string{"h2"}},
		client: &tls.Config{RootCAs: pool, ServerName: "127.0.0.1", NextProtos: []string{"h2"}},
	}
	var err error
	if r.addr, err = r.network.ListenTLS("c1", "m1", r.target.addr, r.client); err != nil {
		t.Fatal(err)
	}
	r.link = r.network.Link("c1", "m1")
	return r
}

// connectSecurely dials through the link and returns what the target reads and writes.
func (r *secureRoad) connectSecurely(t *testing.T) (dialler *net.TCPConn, target *tls.Conn, wire *net.TCPConn) {
	t.Helper()
	dialler = dial(t, r.addr)
	wire = r.target.next(t)
	target = tls.Server(wire, r.server)
	if err := target.HandshakeContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	return dialler, target, wire
}

func TestTLSBehindALinkPassesBothWays(t *testing.T) {
	r := newSecureRoad(t)
	dialler, target, _ := r.connectSecurely(t)
	write(t, dialler, "question")
	expect(t, target, "question")
	write(t, target, "answer")
	expect(t, dialler, "answer")
	// A half-close is carried over, and what comes after it the other way.
	if err := dialler.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if _, err := target.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the target read: %v", err)
	}
	write(t, target, "late")
	expect(t, dialler, "late")
	if err := target.Close(); err != nil {
		t.Fatal(err)
	}
	expectEnd(t, dialler)
}

// A stall interrupts whatever writes. That TLS could not go on after that is why it is
// not the link itself that speaks it.
func TestStallsDoNotHurtTLS(t *testing.T) {
	r := newSecureRoad(t)
	dialler, target, _ := r.connectSecurely(t)
	const size = 16 << 20 // more than all buffers on the way have
	sent := make([]byte, size)
	for i := range sent {
		sent[i] = byte(i * 7 / 5)
	}
	var sending sync.WaitGroup
	sending.Go(func() {
		_, _ = dialler.Write(sent)
		_ = dialler.CloseWrite()
	})
	stalled := make(chan struct{})
	sending.Go(func() {
		defer close(stalled)
		for range 20 {
			r.link.Impose(Condition{StallToTarget: true})()
		}
	})
	_ = target.SetReadDeadline(time.Now().Add(patience))
	received, err := io.ReadAll(target)
	if err != nil {
		t.Fatal(err)
	}
	sending.Wait()
	if string(received) != string(sent) {
		t.Errorf("%d bytes arrived, of %d, or other ones", len(received), len(sent))
	}
	<-stalled
}

func TestStallHoldsWhatComesAfterIt(t *testing.T) {
	r := newSecureRoad(t)
	dialler, target, _ := r.connectSecurely(t)
	write(t, dialler, "before")
	expect(t, target, "before")
	lift := r.link.Impose(Condition{StallToTarget: true})
	write(t, dialler, "meanwhile")
	eventually(t, "the link holds it", func() bool { return r.link.Stats().Held.ToTarget == int64(len("meanwhile")) })
	lift()
	expect(t, target, "meanwhile")
}

func TestCutsAndResetsPassThroughTLS(t *testing.T) {
	r := newSecureRoad(t)
	dialler, _, wire := r.connectSecurely(t)
	lift := r.link.Impose(Condition{Cut: true})
	expectReset(t, dialler)
	expectReset(t, wire)
	expectRefused(t, r.addr)
	lift()
	dialler, target, wire := r.connectSecurely(t)
	write(t, dialler, "again")
	expect(t, target, "again")
	reset(wire)
	expectReset(t, dialler)
}

func TestWhoCannotBeTrustedIsNotReached(t *testing.T) {
	r := newSecureRoad(t)
	stranger, _ := newIdentity(t)
	r.server.Certificates = []tls.Certificate{stranger}
	dialler := dial(t, r.addr)
	wire := r.target.next(t)
	if err := tls.Server(wire, r.server).HandshakeContext(t.Context()); err == nil {
		t.Error("the link trusts anybody")
	}
	expectReset(t, dialler)
	if s := r.link.Stats(); s.Unreached != 1 || s.Open != 0 {
		t.Errorf("%+v", s)
	}
}

func TestSecureSaysWhy(t *testing.T) {
	identity, pool := newIdentity(t)
	server := func(config *tls.Config) string {
		socket, err := tls.Listen("tcp", "127.0.0.1:0", config)
		if err != nil {
			t.Fatal(err)
		}
		var serving sync.WaitGroup
		serving.Go(func() {
			for {
				conn, err := socket.Accept()
				if err != nil {
					return
				}
				serving.Go(func() {
					_, _ = conn.Write([]byte("settings"))
					_, _ = io.Copy(io.Discard, conn)
					_ = conn.Close()
				})
			}
		})
		t.Cleanup(func() {
			_ = socket.Close()
			serving.Wait()
		})
		return socket.Addr().String()
	}
	client := &tls.Config{RootCAs: pool, ServerName: "127.0.0.1", NextProtos: []string{"h2"}}
	plain := newTarget(t)
	for name, c := range map[string]struct {
		address string
		config  *tls.Config
		want    string
	}{
		"well":                    {server(&tls.Config{Certificates: []tls.Certificate{identity}, NextProtos: []string{"h2"}}), client, ""},
		"nobody is trusted":       {server(&tls.Config{Certificates: []tls.Certificate{identity}, NextProtos: []string{"h2"}}), &tls.Config{ServerName: "127.0.0.1", NextProtos: []string{"h2"}}, "certificate"},
		"another name":            {server(&tls.Config{Certificates: []tls.Certificate{identity}, NextProtos: []string{"h2"}}), &tls.Config{RootCAs: pool, ServerName: "etcd", NextProtos: []string{"h2"}}, "etcd"},
		"a certificate is wanted": {server(&tls.Config{Certificates: []tls.Certificate{identity}, NextProtos: []string{"h2"}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool}), client, "certificate"},
		"no HTTP/2":               {server(&tls.Config{Certificates: []tls.Certificate{identity}}), client, "HTTP/2"},
		"in the clear":            {plain.addr, nil, ""},
	} {
		err := Secure(t.Context(), c.address, c.config)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
