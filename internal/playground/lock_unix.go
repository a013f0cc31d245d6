//go:build unix

package playground

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// tryLock takes the lock of the place, or returns nil if somebody holds it.
// Closing the file gives it up; a process that inherits the file inherits it.
func (p Place) tryLock() (*os.File, error) {
	if err := os.MkdirAll(p.Directory, 0o700); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(p.lock(), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return file, nil
	}
	_ = file.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, nil
	}
	return nil, fmt.Errorf("lock %s: %w", p.lock(), err)
}

// detach gives the command a session of its own, so that no signal of the
// terminal reaches it.
func detach(command *exec.Cmd) { command.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }
