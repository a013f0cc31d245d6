package members

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Flags are those with which an etcd server of any version is started as a member
// that accepts its peers and its clients at these addresses. Scheme is that of peers.
func (s Spec) Flags(scheme, peers, clients string) []string {
	var cluster []string
	for _, name := range slices.Sorted(maps.Keys(s.Peers)) {
		cluster = append(cluster, name+"="+scheme+"://"+s.Peers[name])
	}
	given := []string{
		"--name", s.Name, "--data-dir", s.Directory,
		"--listen-peer-urls", scheme + "://" + peers, "--initial-advertise-peer-urls", scheme + "://" + s.Peers[s.Name],
		"--listen-client-urls", "http://" + clients,
		"--advertise-client-urls", "http://127.0.0.1:0", // nobody can dial port 0
		"--initial-cluster", strings.Join(cluster, ","), "--initial-cluster-token", Token, "--initial-cluster-state", "new",
		"--heartbeat-interval", fmt.Sprint(s.Heartbeat.Milliseconds()), "--election-timeout", fmt.Sprint(s.Election.Milliseconds()),
		"--enable-grpc-gateway=" + fmt.Sprint(s.Gateway), "--logger", "zap", "--log-outputs", "stderr",
	}
	if !s.Fsync {
		given = append(given, "--unsafe-no-fsync")
	}
	return given
}
