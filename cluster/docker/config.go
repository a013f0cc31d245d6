package docker

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/etcd-holdfast/holdfast/cluster/members"
)

// Config describes a cluster. The zero value is one of three members that run the
// etcd which is linked into this program.
type Config struct {
	// Config is what it has in common with others. Its Directory is where logs are if
	// nobody wants to keep them; data are in volumes.
	members.Config
	// Run names the run, in the names of all that is created. "" is a random one.
	Run string
	// Servers are what single members run, by name.
	Servers map[string]Server
	// Say, if not nil, is told what is done that may take long.
	Say func(format string, args ...any)
}

// Server is an etcd server. The zero value is the one that is linked into this program.
type Server struct {
	// Image is one that the engine has, or can pull: its entrypoint is etcd, or etcd is
	// in its path.
	Image string
	// Binary is the path of an etcd here, of which an image is made.
	Binary string
}

// validate reports what is wrong with what is not in members.Config.
func (c *Config) validate(names []string) error {
	var errs []error
	for _, member := range slices.Sorted(maps.Keys(c.Servers)) {
		if !slices.Contains(names, member) {
			errs = append(errs, fmt.Errorf("servers: there is no member %q, only %q", member, names))
		}
		if s := c.Servers[member]; s.Image != "" && s.Binary != "" {
			errs = append(errs, fmt.Errorf("servers: member %s cannot run both the image %s and %s", member, s.Image, s.Binary))
		}
	}
	return errors.Join(errs...)
}

func (c *Config) say(format string, args ...any) {
	if c.Say != nil {
		c.Say(format, args...)
	}
}
