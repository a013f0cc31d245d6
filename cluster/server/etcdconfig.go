package server

import (
	"net/url"

	"go.etcd.io/etcd/client/pkg/v3/transport"
	"go.etcd.io/etcd/client/pkg/v3/types"
	"go.etcd.io/etcd/server/v3/embed"
	"golang.org/x/crypto/bcrypt"

	"github.com/etcd-holdfast/holdfast/cluster/members"
)

// etcdConfig is what etcd is started with.
func etcdConfig(spec members.Spec) *embed.Config {
	anyPort := func(scheme string) []url.URL {
		return []url.URL{{Scheme: scheme, Host: "127.0.0.1:0"}}
	}
	e := embed.NewConfig()
	e.Name = spec.Name
	e.Dir = spec.Directory

	// Only the links know the ports on which a server really listens, so each
	// life can have new ones, which nobody can have taken.
	e.ListenPeerUrls = anyPort("https")
	e.ListenClientUrls = anyPort("http")
	e.AdvertisePeerUrls = []url.URL{{Scheme: "https", Host: spec.Peers[spec.Name]}}
	e.AdvertiseClientUrls = anyPort("http") // nobody can dial port 0

	peers := make(types.URLsMap)
	for name, address := range spec.Peers {
		peers[name] = types.URLs{{Scheme: "https", Host: address}}
	}
	e.InitialCluster = peers.String()
	e.InitialClusterToken = members.Token

	// The links read the server name from the hello to know who dials.
	e.PeerTLSInfo = transport.TLSInfo{
		CertFile:      spec.CertFile,
		KeyFile:       spec.KeyFile,
		TrustedCAFile: spec.CertFile,
		ServerName:    spec.Name,
	}

	if c := spec.ClientTLS; c != nil {
		e.ListenClientUrls, e.AdvertiseClientUrls = anyPort("https"), anyPort("https")
		e.ClientTLSInfo = transport.TLSInfo{CertFile: c.CertFile, KeyFile: c.KeyFile, TrustedCAFile: c.CAFile, ClientCertAuth: true}
	}
	// Passwords here are long and random, if there are any: nobody can guess them.
	e.BcryptCost = uint(bcrypt.MinCost)

	e.TickMs = uint(spec.Heartbeat.Milliseconds())
	e.ElectionMs = uint(spec.Election.Milliseconds())
	e.UnsafeNoFsync = !spec.Fsync
	// The gateway dials its own member directly. That is no way around a link: its
	// client has come to the member over one. It takes the port to dial from the
	// configuration, so that it has to be known by then.
	if e.EnableGRPCGateway = spec.Gateway; spec.Gateway {
		e.ListenClientUrls = []url.URL{{Scheme: "http", Host: members.FreeAddress()}}
	}
	return e
}
