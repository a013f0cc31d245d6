package members

import (
	"errors"
	"fmt"
	"time"
)

// Config describes a cluster of etcd servers. The zero value is a cluster of three members
// that elects a leader within a second and honours a lease of one second.
type Config struct {
	// Members is how many there are: 1, 3 or 5. 0 means 3.
	Members int
	// Election is how long a member waits for a leader before it stands for
	// election itself: at least that, and less than twice as long. Whole
	// milliseconds, at least five heartbeats, at most 50 s. 0 means 500 ms.
	// It also decides how short a lease can be, see SmallestTTL.
	Election time.Duration
	// Heartbeat is how often the leader is heard of. 0 means 50 ms.
	Heartbeat time.Duration
	// Directory is where the members keep their data, each in a directory
	// named like itself, which must not exist yet. Close removes what Start
	// has created there. "" means a temporary directory.
	Directory string
	// LogDirectory is where the members log to: members/<name>.log in it,
	// which Close leaves there. "" discards the logs.
	LogDirectory string
	// Fsync makes members wait for the disk whenever they write. It is off by
	// default, and that is honest for every crash that a member can
	// suffer: what it has written is in the operating system's
	// cache, which outlives it as it would outlive a process, and the member
	// reads it back from there. Only a crash of the whole machine would lose
	// it. What goes missing is the time that a disk takes.
	Fsync bool
	// ClientTLS, if set, is how members speak to clients; else it is in the clear, and
	// links can read along. Clusters of etcd binaries do not have it.
	ClientTLS *ClientTLS
	// Gateway makes members serve etcd's JSON gateway on the same port, for
	// clients that speak HTTP.
	Gateway bool
}

// ClientTLS names files in PEM: what members show to clients, and the authority that
// has to have signed what clients show.
type ClientTLS struct{ CertFile, KeyFile, CAFile string }

const (
	defaultMembers   = 3
	defaultElection  = 500 * time.Millisecond
	defaultHeartbeat = 50 * time.Millisecond

	maxElection = 50 * time.Second // etcd's own limit
)

// SmallestTTL is the shortest lease that members with this configuration
// grant: one and a half election timeouts, in whole seconds. etcd raises a
// smaller TTL to it without saying so.
func (c Config) SmallestTTL() time.Duration {
	c = c.withDefaults()
	ticks := 3 * (c.Election / c.Heartbeat) / 2
	return (ticks*c.Heartbeat + time.Second - 1).Truncate(time.Second)
}

func (c Config) withDefaults() Config {
	if c.Members == 0 {
		c.Members = defaultMembers
	}
	if c.Election == 0 {
		c.Election = defaultElection
	}
	if c.Heartbeat == 0 {
		c.Heartbeat = defaultHeartbeat
	}
	return c
}

// validate reports everything that is wrong with a configuration whose
// defaults have been filled in.
func (c Config) validate() error {
	var errs []error
	fault := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf(format, args...))
	}
	switch c.Members {
	case 1, 3, 5:
	default:
		fault("members: %d: must be 1, 3 or 5", c.Members)
	}
	for _, field := range []struct {
		name  string
		value time.Duration
	}{{"election", c.Election}, {"heartbeat", c.Heartbeat}} {
		if field.value < time.Millisecond || field.value%time.Millisecond != 0 {
			fault("%s: %v: must be whole milliseconds, at least 1ms", field.name, field.value)
		}
	}
	if c.Election < 5*c.Heartbeat {
		fault("election: %v: must be at least 5 heartbeats (%v)", c.Election, 5*c.Heartbeat)
	}
	if c.Election > maxElection {
		fault("election: %v: must be at most %v", c.Election, maxElection)
	}
	return errors.Join(errs...)
}
