package process

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// largeWrite is from how many bytes on a write is held up: etcd's writes to its
// disk are that large when there is much to write, and others are not.
const largeWrite = 64 << 10

// notice is what the kernel tells of a call that waits for an answer: struct
// seccomp_notif of linux/seccomp.h.
type notice struct {
	id         uint64
	pid, flags uint32
	call       int32
	arch       uint32
	ip         uint64
	args       [6]uint64
}

// answer is struct seccomp_notif_resp.
type answer struct {
	id    uint64
	value int64
	err   int32
	flags uint32
}

// waits is true if the call waits for the disk, whatever is written.
func (n *notice) waits() bool { return n.call == unix.SYS_FSYNC || n.call == unix.SYS_FDATASYNC }

// trapped is the filter: fsync, fdatasync, and large writes ask; all else passes.
func trapped() ([]unix.SockFilter, error) {
	arch := map[string]uint32{"amd64": unix.AUDIT_ARCH_X86_64, "arm64": unix.AUDIT_ARCH_AARCH64}[runtime.GOARCH]
	if arch == 0 {
		return nil, fmt.Errorf("calls cannot be held up on %s", runtime.GOARCH)
	}
	const (
		load  = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		equal = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		least = unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K
		done  = unix.BPF_RET | unix.BPF_K
		// Offsets in struct seccomp_data: the call's number, the architecture, and the
		// lower half of the third argument, of which both architectures are the first.
		call, architecture, length = 0, 4, 16 + 2*8
	)
	return []unix.SockFilter{
		{Code: load, K: architecture},
		{Code: equal, K: arch, Jf: 8},
		{Code: load, K: call},
		{Code: equal, K: unix.SYS_FSYNC, Jt: 5},
		{Code: equal, K: unix.SYS_FDATASYNC, Jt: 4},
		{Code: equal, K: unix.SYS_WRITE, Jt: 1},
		{Code: equal, K: unix.SYS_PWRITE64, Jf: 3},
		{Code: load, K: length},
		{Code: least, K: largeWrite, Jf: 1},
		{Code: done, K: unix.SECCOMP_RET_USER_NOTIF},
		{Code: done, K: unix.SECCOMP_RET_ALLOW},
	}, nil
}

// installTrap makes all further calls of this thread, and of what it becomes by
// exec, pass the filter. It returns the descriptor on which those that ask are heard.
func installTrap() (listener int, err error) {
	filter, err := trapped()
	if err != nil {
		return 0, err
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return 0, fmt.Errorf("give up new privileges: %w", err)
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	// Where the kernel knows how, a call that asks is interrupted by nothing but the
	// end of its process; Go's own signals would have it ask again and again.
	for _, flags := range []uintptr{unix.SECCOMP_FILTER_FLAG_NEW_LISTENER | unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, unix.SECCOMP_FILTER_FLAG_NEW_LISTENER} {
		fd, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&program)))
		if errno == 0 {
			return int(fd), nil
		}
		err = fmt.Errorf("hold up calls by seccomp: %w", errno)
		if !errors.Is(errno, unix.EINVAL) {
			break
		}
	}
	return 0, err
}

// SlowDisks is why members' disks cannot be made slow on this machine, or nil.
func SlowDisks() error {
	if _, err := trapped(); err != nil {
		return err
	}
	action := uint32(unix.SECCOMP_RET_USER_NOTIF)
	if _, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_GET_ACTION_AVAIL, 0, uintptr(unsafe.Pointer(&action))); errno != 0 {
		return fmt.Errorf("it needs calls that can be held up by seccomp's user notification, which this kernel, or the container that this is in, refuses: %w", errno)
	}
	return nil
}

// hear receives what asks next.
func hear(listener int) (n notice, err error) {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(listener), unix.SECCOMP_IOCTL_NOTIF_RECV, uintptr(unsafe.Pointer(&n)))
	if errno != 0 {
		return n, errno
	}
	return n, nil
}

// pass lets a call that asked go on. That it is no longer there is no error.
func pass(listener int, n *notice) {
	a := answer{id: n.id, flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}
	_, _, _ = unix.Syscall(unix.SYS_IOCTL, uintptr(listener), unix.SECCOMP_IOCTL_NOTIF_SEND, uintptr(unsafe.Pointer(&a)))
}
