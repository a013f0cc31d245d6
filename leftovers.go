package holdfast

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/etcd-holdfast/holdfast/cluster/docker"
	"github.com/etcd-holdfast/holdfast/cluster/process"
	"github.com/etcd-holdfast/holdfast/internal/offspring"
)

// Leftover is something that a run left behind which was killed.
type Leftover struct {
	// What says what it is: "process", "container", "network", "volume", "image",
	// "file system", "temporary directory" or "members' data".
	What string
	// Which is its id and command, its name, or its path.
	Which  string
	remove func() error
}

// Remove removes it. Leftovers are removed in the order in which they were found.
func (l Leftover) Remove() error {
	if err := l.remove(); err != nil {
		return fmt.Errorf("remove the %s %s: %w", l.What, l.Which, err)
	}
	return nil
}

// settled is how old a directory has to be that nobody uses. One that a run has
// just made may not be in use yet.
const settled = time.Minute

// FindLeftovers finds what any earlier run left on this machine, of this user's or,
// for root, of anybody's: processes whose harness is dead, what such a one created on
// the Docker engine, if there is an engine, the file systems and temporary directories
// of their clusters, and members' data in the run directories below runs. What belongs to a living run, or may, is not among them. That runs is
// not there is no error.
func FindLeftovers(runs string) ([]Leftover, error) {
	dead, err := offspring.Leftovers()
	if err != nil {
		return nil, fmt.Errorf("look for processes: %w", err)
	}
	var found []Leftover
	ending := make(map[int]bool)
	for _, p := range dead {
		ending[p.PID] = true
		found = append(found, Leftover{"process", fmt.Sprintf("%d (%s)", p.PID, p.Command), p.Remove})
	}
	onEngine, missed := docker.Leftovers(context.Background()) // it has patience of its own
	for _, l := range onEngine {
		found = append(found, Leftover{l.What, l.Which, l.Remove})
	}
	directories, err := forsaken(runs, ending)
	return append(found, directories...), errors.Join(missed, err)
}

// spot is a directory that a run may have left.
type spot struct {
	what, path string
	// run is the directory that a living run uses.
	run    string
	remove func() error
}

// forsaken finds the directories that no living process uses, but for those that are
// to end.
func forsaken(runs string, ending map[int]bool) ([]Leftover, error) {
	disks, err := process.Disks()
	if err != nil {
		return nil, fmt.Errorf("look for file systems: %w", err)
	}
	var spots []spot
	for _, path := range disks {
		spots = append(spots, spot{"file system", path, path, func() error { return process.RemoveDisk(path) }})
	}
	for _, where := range []struct{ what, pattern string }{
		{"temporary directory", filepath.Join(os.TempDir(), "holdfast-*")},
		{"members' data", filepath.Join(runs, "*", "data")},
	} {
		paths, err := filepath.Glob(where.pattern)
		if err != nil {
			return nil, fmt.Errorf("look for directories: %w", err)
		}
		for _, path := range paths {
			p := spot{where.what, path, path, func() error { return os.RemoveAll(path) }}
			if filepath.Base(path) == "data" {
				p.run = filepath.Dir(path)
			}
			if isDirectory(path) && filepath.Base(p.run) != "latest" {
				spots = append(spots, p)
			}
		}
	}
	spots = slices.DeleteFunc(spots, func(p spot) bool { return !isSettled(p.path) })
	var paths []string
	for _, p := range spots {
		paths = append(paths, p.run)
	}
	used, err := offspring.InUse(paths, ending)
	if err != nil {
		return nil, fmt.Errorf("find out which directories are in use: %w", err)
	}
	var found []Leftover
	for _, p := range spots {
		if !used[p.run] && isDirectory(p.path) { // it may have gone meanwhile
			found = append(found, Leftover{p.what, p.path, p.remove})
		}
	}
	return found, nil
}

// isDirectory is true of a directory itself; what a link leads to is somebody else's.
func isDirectory(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.IsDir()
}

// isSettled is true if a directory has been as it is for long enough.
func isSettled(path string) bool {
	info, err := os.Stat(path)
	return err == nil && time.Since(info.ModTime()) >= settled
}
