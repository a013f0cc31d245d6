// Package etcdbuild makes etcd servers of other versions, with the Go toolchain,
// from etcd's modules, and keeps them.
package etcdbuild

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// CacheVariable names the directory in which servers are kept, if it is not to be
// below the user's cache.
const CacheVariable = "HOLDFAST_CACHE"

// Builder makes servers and keeps them. The zero value keeps them where
// CacheVariable says, else in the user's cache, and makes them with the go command
// that is in the path.
type Builder struct {
	// Cache is the directory in which they are kept; "" is the usual one.
	Cache string
	// Go is the go command; "" is "go".
	Go string
}

// Ensure returns the path of an etcd server of a version, such as "3.5.12", and
// makes it first if it is not in the usual cache. progress, if not nil, is told
// what is done, line by line, if that takes time; it is called by one goroutine at
// a time. Two that make one version at once wait for each other.
//
// The error is an *UnavailableError if there is no such version, and ErrNoGo if it
// has to be made and there is no Go toolchain.
func Ensure(ctx context.Context, version string, progress func(line string)) (path string, err error) {
	return Builder{}.Ensure(ctx, version, progress)
}

// directory is where all servers are kept.
func (b Builder) directory() (string, error) {
	if b.Cache != "" {
		return filepath.Join(b.Cache, "etcd"), nil
	}
	if dir := os.Getenv(CacheVariable); dir != "" {
		return filepath.Join(dir, "etcd"), nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("where to keep etcd servers: %w; name a directory with %s", err, CacheVariable)
	}
	return filepath.Join(dir, "holdfast", "etcd"), nil
}

// place is the directory of the server of one version.
func (b Builder) place(v version) (string, error) {
	dir, err := b.directory()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, fmt.Sprintf("%s-%s-%s", v, runtime.GOOS, runtime.GOARCH)), nil
}

// binary is the server's name within its place.
const binary = "etcd"
