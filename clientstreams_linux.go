package holdfast

import (
	"os"

	"golang.org/x/sys/unix"
)

// takeStandardStreams returns this process's standard input and output, and puts
// nothing in place of the one and standard error in place of the other.
func takeStandardStreams() (in, out *os.File, err error) {
	taken := make([]*os.File, 2)
	for fd, name := range []string{"questions", "answers"} {
		// Above the standard streams, and not for what the client starts.
		own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
		if err != nil {
			return nil, nil, err
		}
		if err := unix.SetNonblock(own, true); err != nil { // else a read could not be ended
			return nil, nil, err
		}
		taken[fd] = os.NewFile(uintptr(own), name)
	}
	nothing, err := os.Open(os.DevNull)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = nothing.Close() }()
	if err := unix.Dup3(int(nothing.Fd()), 0, 0); err != nil {
		return nil, nil, err
	}
	if err := unix.Dup3(2, 1, 0); err != nil {
		return nil, nil, err
	}
	return taken[0], taken[1], nil
}
