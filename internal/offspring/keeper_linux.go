package offspring

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// keeping is the harness's side of a keeper.
type keeping struct {
	lifeline, report           *os.File
	theirLifeline, theirReport *os.File
}

func newKeeping() (*keeping, error) {
	k := &keeping{}
	var err error
	if k.theirLifeline, k.lifeline, err = os.Pipe(); err != nil {
		return nil, err
	}
	if k.report, k.theirReport, err = os.Pipe(); err != nil {
		k.closeOurs()
		k.closeTheirs()
		return nil, err
	}
	return k, nil
}

func (k *keeping) closeTheirs() {
	if k != nil {
		_ = k.theirLifeline.Close()
		_ = k.theirReport.Close()
	}
}

func (k *keeping) closeOurs() {
	if k != nil {
		_ = k.lifeline.Close()
		_ = k.report.Close()
	}
}

// program is the id of the program that the keeper has started.
func (k *keeping) program() (int, error) {
	defer func() { _ = k.report.Close() }()
	line, err := bufio.NewReader(k.report).ReadString('\n')
	if err != nil {
		return 0, errors.New("its keeper died; does this program look at offspring.Role before all else?")
	}
	line = strings.TrimSpace(line)
	pid, err := strconv.Atoi(line)
	if err != nil {
		return 0, errors.New(line)
	}
	return pid, nil
}

// Keep is what a process in the role Keeper does: it starts the program that its
// arguments name, and ends with it, or when its lifeline is cut, together with
// everything that the program has started. It returns the exit code.
func Keep() int {
	lifeline, report := os.NewFile(3, "lifeline"), os.NewFile(4, "report")
	code, err := keep(os.Args[2:], lifeline, report)
	if err != nil {
		_, _ = fmt.Fprintln(report, strings.ReplaceAll(err.Error(), "\n", " "))
		return 127
	}
	return code
}

func keep(args []string, lifeline, report *os.File) (int, error) {
	if lifeline == nil || report == nil || len(args) < 3 {
		return 0, errors.New("a keeper is started by the harness, and by nobody else")
	}
	role, program, argv := args[0], args[1], args[2:]
	unix.CloseOnExec(3)
	unix.CloseOnExec(4)
	// What the program's children leave behind becomes this process's.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return 0, fmt.Errorf("become the keeper of what %s starts: %w", program, err)
	}
	cmd := &exec.Cmd{
		Path: program, Args: argv, Env: append(os.Environ(), RoleVariable+"="+role),
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, ExtraFiles: inherited(5),
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true},
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	// Whoever reads what the program says has to see its end, not this one's.
	for _, f := range append([]*os.File{os.Stdin, os.Stdout, os.Stderr}, cmd.ExtraFiles...) {
		_ = f.Close()
	}
	_, _ = fmt.Fprintln(report, cmd.Process.Pid)
	_ = report.Close()

	cut := make(chan struct{})
	go func() {
		defer close(cut)
		_, _ = io.Copy(io.Discard, lifeline) // until the harness has gone
	}()
	ended := make(chan int)
	go func() { ended <- reap(cmd.Process.Pid) }()
	code := 0
	select {
	case code = <-ended:
	case <-cut:
		code = 128 + int(syscall.SIGKILL)
	}
	killAll()
	return code, nil
}

// inherited are the open descriptors from first on.
func inherited(first int) []*os.File {
	var files []*os.File
	for fd := first; ; fd++ {
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if err != nil || flags&unix.FD_CLOEXEC != 0 {
			return files // the rest is the runtime's
		}
		files = append(files, os.NewFile(uintptr(fd), "inherited"))
	}
}

// reap takes leave of all children until the program has ended, and returns how.
func reap(program int) int {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case err != nil:
			return 128
		case pid == program && status.Signaled():
			return 128 + int(status.Signal())
		case pid == program:
			return status.ExitStatus()
		}
	}
}

// killAll kills every descendant, and those that come to be meanwhile. There are none
// left when the kernel says that there is no child: whoever loses its parent becomes
// one. A look at /proc does not tell, as one may be born, and its parent end, while it
// lasts.
func killAll() {
	for deadline := time.Now().Add(killPatience); time.Now().Before(deadline); {
		for _, pid := range descendants(os.Getpid()) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		if childless() {
			return
		}
		timer := time.NewTimer(lookPause)
		<-timer.C
	}
}

// childless takes leave of all children that have ended, and returns whether there is
// none left.
func childless() bool {
	for {
		switch pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return true // ECHILD
		case pid == 0:
			return false
		}
	}
}
