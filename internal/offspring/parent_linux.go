package offspring

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
)

// Parent starts processes, and is the one with which they die. All methods are
// safe for concurrent use.
type Parent struct {
	mark string
	// starts are carried out by one thread: it is the end of the thread that
	// started a process, not of the program, that the kernel tells it of.
	starts chan func()
	ended  chan struct{}

	mu     sync.Mutex
	closed bool
	all    map[*Process]struct{}
}

// NewParent returns a parent without children. It has to be closed.
func NewParent() (*Parent, error) {
	mark, err := ownMark()
	if err != nil {
		return nil, err
	}
	p := &Parent{mark: mark, starts: make(chan func()), ended: make(chan struct{}), all: make(map[*Process]struct{})}
	go func() {
		defer close(p.ended)
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		for start := range p.starts {
			start()
		}
	}()
	return p, nil
}

var errClosed = errors.New("its parent is closed")

// Start starts a process.
func (p *Parent) Start(c Command) (*Process, error) {
	started, err := p.start(c)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", c.Name, err)
	}
	return started, nil
}

func (p *Parent) start(c Command) (*Process, error) {
	cmd, keeping, err := p.command(c)
	if err != nil {
		return nil, err
	}
	defer keeping.closeTheirs()
	started := &Process{name: c.Name, done: make(chan struct{}), parent: p, tree: c.Tree}
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		keeping.closeOurs()
		return nil, errClosed
	}
	result := make(chan error)
	p.starts <- func() { result <- cmd.Start() }
	if err = <-result; err == nil {
		p.all[started] = struct{}{}
		started.process, started.pid = cmd.Process, cmd.Process.Pid
		if c.Tree {
			started.lifeline = keeping.lifeline
		}
	}
	p.mu.Unlock()
	if err != nil {
		keeping.closeOurs()
		return nil, err
	}
	go func() {
		started.err = cmd.Wait()
		p.mu.Lock()
		delete(p.all, started)
		p.mu.Unlock()
		close(started.done)
	}()
	if c.Tree {
		keeping.closeTheirs()
		if started.pid, err = keeping.program(); err != nil {
			started.Kill()
			return nil, err
		}
	}
	return started, nil
}

// command is what is really started.
func (p *Parent) command(c Command) (*exec.Cmd, *keeping, error) {
	argv := c.Argv
	environ := append(environ(), markVariable+"="+p.mark, RoleVariable+"="+c.Role)
	self, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	if c.Role != "" {
		argv = append([]string{self}, argv...)
	}
	if len(argv) == 0 {
		return nil, nil, errors.New("no program is named")
	}
	program, err := exec.LookPath(argv[0])
	if err != nil {
		return nil, nil, err
	}
	if c.Dir != "" { // else it would be the program that is said to be missing
		if _, err := os.Stat(c.Dir); err != nil {
			return nil, nil, err
		}
	}
	cmd := &exec.Cmd{
		Path: program, Args: argv, Dir: c.Dir, Env: append(environ, c.Env...), ExtraFiles: c.Files,
		// A group of its own: what a terminal sends to the harness's group is not for it.
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL},
	}
	if c.Role != "" {
		cmd.Args[0] = "holdfast"
	}
	// A *os.File that is nil must not become an io.Reader that is not.
	if c.Stdin != nil {
		cmd.Stdin = c.Stdin
	}
	if c.Stdout != nil {
		cmd.Stdout = c.Stdout
	}
	if c.Stderr != nil {
		cmd.Stderr = c.Stderr
	}
	if !c.Tree {
		return cmd, nil, nil
	}
	k, err := newKeeping()
	if err != nil {
		return nil, nil, err
	}
	cmd.Path = self
	cmd.Args = append([]string{"holdfast", Keeper, c.Role, program}, argv...)
	cmd.Env = append(cmd.Env, RoleVariable+"="+Keeper)
	cmd.ExtraFiles = append([]*os.File{k.theirLifeline, k.theirReport}, c.Files...)
	cmd.SysProcAttr.Pdeathsig = 0 // it has still to kill the others
	return cmd, k, nil
}

// Close kills all processes that were started, and returns when they have ended.
// It may be called more than once.
func (p *Parent) Close() error {
	p.mu.Lock()
	if !p.closed {
		p.closed = true
		close(p.starts)
	}
	var all []*Process
	for c := range p.all {
		all = append(all, c)
	}
	p.mu.Unlock()
	errs := make([]error, len(all))
	var group sync.WaitGroup
	for i, c := range all {
		group.Go(func() { errs[i] = c.Kill() })
	}
	group.Wait()
	<-p.ended
	return errors.Join(errs...)
}

// ownMark names this process: its id, when it was started, and since which boot,
// so that another one with its id is not taken for it.
func ownMark() (string, error) {
	s, err := readStat(os.Getpid())
	if err != nil {
		return "", err
	}
	boot, err := bootID()
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d/%d/%s", os.Getpid(), s.started, boot), nil
}

func bootID() (string, error) {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(text)), err
}
