package embedded

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"

	"go.etcd.io/etcd/client/pkg/v3/transport"
	"go.etcd.io/etcd/client/pkg/v3/types"
	"go.etcd.io/etcd/server/v3/embed"
)

// etcdConfig is what a member of this cluster is started with.
func (c *Cluster) etcdConfig(m *member) *embed.Config {
	anyPort := func(scheme string) []url.URL {
		return []url.URL{{Scheme: scheme, Host: "127.0.0.1:0"}}
	}
	e := embed.NewConfig()
	e.Name = m.name
	e.Dir = m.directory

	// Only the links know the ports on which a server really listens, so each
	// life can have new ones, which nobody can have taken.
	e.ListenPeerUrls = anyPort("https")
	e.ListenClientUrls = anyPort("http")
	e.AdvertisePeerUrls = []url.URL{{Scheme: "https", Host: m.peerAddress}}
	e.AdvertiseClientUrls = anyPort("http") // nobody can dial port 0

	peers := make(types.URLsMap)
	for _, other := range c.members {
		peers[other.name] = types.URLs{{Scheme: "https", Host: other.peerAddress}}
	}
	e.InitialCluster = peers.String()
	e.InitialClusterToken = "holdfast"

	// The links read the server name from the hello to know who dials.
	e.PeerTLSInfo = transport.TLSInfo{
		CertFile:      c.certificate.certFile,
		KeyFile:       c.certificate.keyFile,
		TrustedCAFile: c.certificate.certFile,
		ServerName:    m.name,
	}

	e.TickMs = uint(c.config.Heartbeat.Milliseconds())
	e.ElectionMs = uint(c.config.Election.Milliseconds())
	e.UnsafeNoFsync = !c.config.Fsync
	// The gateway dials its own member directly. That is no way around a link: its
	// client has come to the member over one. It takes the port to dial from the
	// configuration, so that it has to be known by then.
	if e.EnableGRPCGateway = c.config.Gateway; c.config.Gateway {
		e.ListenClientUrls = []url.URL{{Scheme: "http", Host: freeAddress()}}
	}
	return e
}

// freeAddress is one at which nobody listens, and nobody will: of all hosts in
// 127.0.0.0/8, which are this machine's, any. Where only 127.0.0.1 is, it is an
// address that was free a moment ago.
func freeAddress() string {
	for range 10 {
		host := fmt.Sprintf("127.%d.%d.%d:0", 1+rand.IntN(254), rand.IntN(256), 1+rand.IntN(254))
		if address, ok := free(host); ok {
			return address
		}
	}
	address, _ := free("127.0.0.1:0")
	return address
}

func free(host string) (string, bool) {
	l, err := net.Listen("tcp", host)
	if err != nil {
		return host, false
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String(), true
}
