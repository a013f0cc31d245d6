//go:build unix

package etcdbuild

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// lookAgain is how long to wait before asking for a lock again that another
// process has: it cannot be waited for together with a context.
const lookAgain = 100 * time.Millisecond

// lock takes the lock that a file is, and calls waiting once if another process
// has it. A process that dies gives it back.
func lock(ctx context.Context, path string, waiting func()) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	ticks := time.NewTicker(lookAgain)
	defer ticks.Stop()
	for first := true; ; first = false {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return func() { _ = file.Close() }, nil
		case !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR):
			return nil, errors.Join(&os.PathError{Op: "flock", Path: path, Err: err}, file.Close())
		case first:
			waiting()
		}
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), file.Close())
		}
	}
}
