package members

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Place is one place in a cluster, whether a server runs there or not.
type Place struct {
	Name string
	// Directory is where the server keeps its data; "" for one that is elsewhere.
	Directory string
	// Log is the file to which it logs, over all its lives; nil discards.
	Log *os.File
	// PeerAddress is that of the link at which the others dial it; "" if there is none.
	PeerAddress string
	// Vacate, if the backend has set it, undoes what the backend did to Directory.
	Vacate func() error
}

// Token tells the members of these clusters from those of any other.
const Token = "holdfast"

// Spec is what a server has to know to be a member of its cluster.
type Spec struct {
	Name, Directory string
	// Peers are the addresses at which each member is dialled by the others.
	Peers map[string]string
	// CertFile and KeyFile are those of all members. Whoever dials tells the links
	// who it is.
	CertFile, KeyFile   string
	Election, Heartbeat time.Duration
	Fsync, Gateway      bool
	// ClientTLS is as in Config.
	ClientTLS *ClientTLS
}

// Spec is that of the server of a place.
func (g *Group[L]) Spec(p *Place) Spec {
	peers := make(map[string]string)
	for _, other := range g.places {
		peers[other.Name] = other.PeerAddress
	}
	return Spec{
		Name: p.Name, Directory: p.Directory, Peers: peers,
		CertFile: g.certificate.certFile, KeyFile: g.certificate.keyFile,
		Election: g.config.Election, Heartbeat: g.config.Heartbeat, Fsync: g.config.Fsync, Gateway: g.config.Gateway,
		ClientTLS: g.config.ClientTLS,
	}
}

// openLog opens the log of a member, or returns nil if logs are discarded.
func openLog(directory, member string) (*os.File, error) {
	if directory == "" {
		return nil, nil
	}
	directory = filepath.Join(directory, "members")
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return nil, err
	}
	return os.OpenFile(filepath.Join(directory, member+".log"), os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o644)
}

// seat is a place with the server that runs there.
type seat[L Life] struct {
	place *Place
	// turn is held by whoever starts or stops the server.
	turn chan struct{}

	// Guarded by Group.mu.
	life          L
	taken         bool   // false while the member is down
	clientBackend string // where the server accepts clients, "" while down
}

// lock takes the member's turn, or fails when ctx ends.
func (s *seat[L]) lock(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("it is being started or stopped: %w", context.Cause(ctx))
	}
}

func (s *seat[L]) unlock() { <-s.turn }

func (g *Group[L]) seat(name string) (*seat[L], error) {
	for _, s := range g.seats {
		if s.place.Name == name {
			return s, nil
		}
	}
	return nil, fmt.Errorf("there is no member %q, only %q", name, g.Members())
}
