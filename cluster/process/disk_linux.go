package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/etcd-holdfast/holdfast/cluster"
	"github.com/etcd-holdfast/holdfast/cluster/members"
)

const (
	// DiskSource is how the members' own file systems are called where all that are
	// mounted are listed, so that what was left behind can be found.
	DiskSource = "holdfast"
	// ballast is the file that fills one.
	ballast = "ballast"
)

// OwnDisks is why members cannot have file systems of their own, or nil.
func OwnDisks() error {
	if os.Geteuid() != 0 {
		return errors.New("a file system for each member needs root, who alone may mount one")
	}
	return nil
}

// mountDisk gives a member a file system of its own.
func mountDisk(p *members.Place, size int64) error {
	if err := OwnDisks(); err != nil {
		return err
	}
	options := fmt.Sprintf("size=%d,mode=0700", size)
	if err := unix.Mount(DiskSource, p.Directory, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, options); err != nil {
		return fmt.Errorf("mount a file system for member %s at %s: %w", p.Name, p.Directory, err)
	}
	p.Vacate = func() error { return RemoveDisk(p.Directory) }
	return nil
}

// filled is a member's file system without room.
type filled struct {
	cluster *Cluster
	place   *members.Place
	log     *members.Tail
}

// FillDisk fills the file system of a member. It is an error if the cluster was not
// started with Disk.
func (c *Cluster) FillDisk(_ context.Context, member string) (cluster.FilledDisk, error) {
	place, err := c.Place(member)
	if err == nil && c.config.Disk == 0 {
		err = errors.New("it has none of its own, as the cluster was not started with any")
	}
	if err != nil {
		return nil, fmt.Errorf("fill the disk of member %s: %w", member, err)
	}
	log, err := members.NewTail(place.Log)
	if err != nil {
		return nil, err
	}
	f := &filled{cluster: c, place: place, log: log}
	if err := f.fill(); err != nil {
		return nil, errors.Join(fmt.Errorf("fill the disk of member %s: %w", member, err), f.empty())
	}
	return f, nil
}

// fill writes until there is no room.
func (f *filled) fill() error {
	file, err := os.OpenFile(f.path(), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	block := make([]byte, 1<<20)
	for size := len(block); size > 0; {
		n, err := file.Write(block[:size])
		switch {
		case errors.Is(err, unix.ENOSPC) && n == 0:
			size /= 2
		case err != nil && !errors.Is(err, unix.ENOSPC):
			return err
		}
	}
	return nil
}

func (f *filled) path() string { return filepath.Join(f.place.Directory, ballast) }

// Evidence is how many bytes are free, and the member's last line about it.
func (f *filled) Evidence() (full bool, evidence string) {
	var stat unix.Statfs_t
	if err := unix.Statfs(f.place.Directory, &stat); err != nil {
		return false, err.Error()
	}
	free := int64(stat.Bavail) * stat.Bsize
	evidence = fmt.Sprintf("%d bytes free", free)
	if l, err := f.cluster.LifeOf(f.place.Name); err == nil && !l.runs() {
		return free == 0, evidence + "; " + l.Ended().Error()
	}
	for _, line := range f.log.Lines() {
		if strings.Contains(line, unix.ENOSPC.Error()) { // etcd logs what the kernel says
			return free == 0, evidence + "; its log says: " + line
		}
	}
	return free == 0, evidence + "; it goes on, and its log says nothing of it"
}

// Empty removes what fills the disk, and starts the member if it has ended.
func (f *filled) Empty(ctx context.Context) error {
	if err := f.empty(); err != nil {
		return err
	}
	if l, err := f.cluster.LifeOf(f.place.Name); err != nil || l.runs() {
		return nil // somebody else has taken it down
	}
	return errors.Join(f.cluster.Crash(ctx, f.place.Name), f.cluster.Restart(ctx, f.place.Name))
}

func (f *filled) empty() error {
	if err := os.Remove(f.path()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("make room on the disk of member %s: %w", f.place.Name, err)
	}
	return nil
}
