package process

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/etcd-holdfast/holdfast/internal/offspring"
)

// Launcher is the role of offspring.Role in which this program has its calls held
// up, and then becomes a member. See Launch.
const Launcher = "launch"

// launched is the command with which a member is launched: its calls that ask are
// heard on a listener that comes over socket, which is to be the last of its files.
func launched(c offspring.Command, socket *os.File) (offspring.Command, error) {
	program := c.Argv[0]
	if c.Role != "" {
		self, err := os.Executable()
		if err != nil {
			return c, err
		}
		program = self
	}
	c.Files = append(c.Files, socket)
	c.Argv = append([]string{Launcher, strconv.Itoa(2 + len(c.Files)), c.Role, program}, c.Argv...)
	c.Role = Launcher
	return c, nil
}

// Launch is what a process in the role Launcher does: it has its calls held up, and
// becomes the program that its arguments name. It returns the exit code if it cannot.
func Launch() int {
	fmt.Fprintln(os.Stderr, launch(os.Args[2:]))
	return 1
}

// launch returns only if it failed.
func launch(args []string) error {
	if len(args) < 4 {
		return errors.New("a launcher is started by a cluster, and by nobody else")
	}
	socket, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	role, program, argv := args[1], args[2], args[3:]
	if role != "" {
		argv = append([]string{"holdfast"}, argv...)
	}
	unix.CloseOnExec(socket)
	// The filter is this thread's, and that of what it becomes.
	runtime.LockOSThread()
	listener, err := installTrap()
	if err != nil {
		return err
	}
	if err := unix.Sendmsg(socket, []byte{0}, unix.UnixRights(listener), nil, 0); err != nil {
		return fmt.Errorf("hand over who hears the calls: %w", err)
	}
	unix.CloseOnExec(listener)
	return fmt.Errorf("become %s: %w", program, syscall.Exec(program, argv, offspring.As(role)))
}

// receiveListener receives the listener of a process that is being launched.
func receiveListener(socket int) (int, error) {
	rights := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(socket, make([]byte, 1), rights, unix.MSG_CMSG_CLOEXEC)
	if err != nil {
		return 0, err
	}
	messages, err := unix.ParseSocketControlMessage(rights[:n])
	if err != nil || len(messages) == 0 {
		return 0, errors.Join(err, errors.New("it ended before its calls could be held up"))
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		return 0, err
	}
	return fds[0], nil
}
