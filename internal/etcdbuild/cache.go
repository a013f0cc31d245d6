package etcdbuild

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// Kept is a server in the cache.
type Kept struct {
	// Version is the one under which it is kept, Says what its --version answers,
	// or why it does not.
	Version, Says string
	Path          string
	// Bytes is its size.
	Bytes int64
}

// List returns the servers for this machine that are in the cache, by version.
func (b Builder) List(ctx context.Context) ([]Kept, error) {
	dir, err := b.directory()
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list the etcd servers in the cache: %w", err)
	}
	var all []Kept
	for _, entry := range entries {
		v, ok := strings.CutSuffix(entry.Name(), fmt.Sprintf("-%s-%s", runtime.GOOS, runtime.GOARCH))
		path := filepath.Join(dir, entry.Name(), binary)
		info, err := os.Stat(path)
		if !ok || !IsVersion(v) || err != nil {
			continue
		}
		k := Kept{Version: v, Path: path, Bytes: info.Size()}
		if k.Says, err = says(ctx, path); err != nil {
			k.Says = err.Error()
		}
		all = append(all, k)
	}
	slices.SortFunc(all, func(a, b Kept) int { return byNumber(a.Version, b.Version) })
	return all, ctx.Err()
}

// ErrNotKept is returned where a version is not in the cache.
var ErrNotKept = errors.New("it is not in the cache")

// Remove removes the server of a version from the cache. One that is in use goes
// on.
func (b Builder) Remove(text string) error {
	v, err := parseVersion(text)
	if err != nil {
		return err
	}
	place, err := b.place(v)
	if err != nil {
		return err
	}
	if !kept(filepath.Join(place, binary)) {
		return fmt.Errorf("remove etcd %s: %w; see: holdfast etcd list", v, ErrNotKept)
	}
	// Its lock stays: who waits for it must not hold one that others cannot see.
	if err := os.RemoveAll(place); err != nil {
		return fmt.Errorf("remove etcd %s: %w", v, err)
	}
	return nil
}
