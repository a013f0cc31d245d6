package process

import (
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"slices"

	"github.com/etcd-holdfast/holdfast/cluster/members"
)

// Config describes a cluster. The zero value is one of three members that are
// processes of this program.
type Config struct {
	members.Config
	// Binary is the path of the etcd that the members run. "" is the etcd that is
	// linked into this program.
	Binary string
	// Binaries are those of single members, by name; "" is as above.
	Binaries map[string]string
	// SlowDisks makes SlowDisk possible: whenever members wait for their disks they
	// ask the harness, which costs some microseconds. See the function SlowDisks.
	SlowDisks bool
	// Disk, if not zero, is the size in bytes of a file system in memory that each
	// member has for itself, and makes FillDisk possible. See the function OwnDisks.
	Disk int64
}

// binaryOf is the binary that a member runs, "" for this program.
func (c *Config) binaryOf(member string) string {
	if binary, ok := c.Binaries[member]; ok {
		return binary
	}
	return c.Binary
}

// validate reports what is wrong with what is not in members.Config.
func (c *Config) validate(names []string) error {
	var errs []error
	for _, member := range slices.Sorted(maps.Keys(c.Binaries)) {
		if !slices.Contains(names, member) {
			errs = append(errs, fmt.Errorf("binaries: there is no member %q, only %q", member, names))
		}
	}
	for _, member := range names {
		binary := c.binaryOf(member)
		if binary == "" {
			continue
		}
		if _, err := exec.LookPath(binary); err != nil {
			errs = append(errs, fmt.Errorf("the etcd of member %s cannot be run: %w", member, err))
		}
	}
	return errors.Join(errs...)
}
