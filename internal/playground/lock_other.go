//go:build !unix

package playground

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
)

// tryLock fails: without flock nobody can tell for sure whether a process of
// the background still lives.
func (p Place) tryLock() (*os.File, error) {
	return nil, fmt.Errorf("clusters in the background need flock: %w", errors.ErrUnsupported)
}

// detach has nothing to do where tryLock fails.
func detach(*exec.Cmd) {}
