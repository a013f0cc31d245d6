//go:build !linux

package process

import (
	"context"
	"errors"

	"github.com/etcd-holdfast/holdfast/cluster"
	"github.com/etcd-holdfast/holdfast/cluster/members"
)

var errNoDisk = errors.New("a file system for each member is to be had on Linux only")

// OwnDisks is why members cannot have file systems of their own.
func OwnDisks() error { return errNoDisk }

// Disks finds none: nothing was mounted.
func Disks() ([]string, error) { return nil, nil }

// RemoveDisk returns an error: there is nothing to remove.
func RemoveDisk(string) error { return errNoDisk }

func mountDisk(*members.Place, int64) error { return errNoDisk }

// FillDisk returns an error: there is nothing to fill.
func (c *Cluster) FillDisk(context.Context, string) (cluster.FilledDisk, error) {
	return nil, errNoDisk
}
