package embedded

import (
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
	// The gateway dials its own member directly, not through a link.
	e.EnableGRPCGateway = false
	return e
}
