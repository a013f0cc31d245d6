package offspring

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"
)

// Process is one that was started.
type Process struct {
	name    string
	parent  *Parent
	process *os.Process // the keeper's, if it has one
	pid     int         // the program's own
	tree    bool
	// lifeline, if not nil, keeps its keeper waiting.
	lifeline *os.File
	cutting  sync.Once

	done chan struct{}
	err  error // set before done is closed
}

// PID is the id of the program's process.
func (p *Process) PID() int { return p.pid }

// Done is closed when the process has ended, and all that were started by it if
// it was started with Tree.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err says how the process ended: nil for exit code 0. Before Done is closed it
// is nil.
func (p *Process) Err() error {
	select {
	case <-p.done:
		return p.err
	default:
		return nil
	}
}

// Kill ends the process at once, with SIGKILL, and returns when it has ended.
func (p *Process) Kill() error {
	select {
	case <-p.done:
		return nil
	default:
	}
	p.signal(syscall.SIGKILL)
	p.cut()
	timer := time.NewTimer(killPatience)
	defer timer.Stop()
	select {
	case <-p.done:
		return nil
	case <-timer.C:
		// The keeper itself may be hurt.
		_ = p.process.Kill()
		return fmt.Errorf("kill %s: process %d has not ended after %v", p.name, p.pid, killPatience)
	}
}

// Stop asks the process to end, with SIGTERM, and kills it when ctx ends before
// it has. It returns true if it ended by itself.
func (p *Process) Stop(ctx context.Context) (bool, error) {
	if p.tree {
		_ = syscall.Kill(p.pid, syscall.SIGTERM) // it may have ended
	} else {
		_ = p.process.Signal(syscall.SIGTERM)
	}
	select {
	case <-p.done:
		return true, nil
	case <-ctx.Done():
		return false, p.Kill()
	}
}

// cut tells the keeper, if there is one, to end all that it keeps.
func (p *Process) cut() {
	if p.lifeline != nil {
		p.cutting.Do(func() { _ = p.lifeline.Close() })
	}
}

// signal sends to all processes that belong to it.
func (p *Process) signal(s syscall.Signal) {
	if !p.tree {
		_ = p.process.Signal(s) // which goes to no other process that has its id by now
		return
	}
	for _, pid := range p.pids() {
		_ = syscall.Kill(pid, s) // it may have ended
	}
}

// pids are those of the program and, of a tree, of its living descendants.
func (p *Process) pids() []int {
	if !p.tree {
		return []int{p.pid}
	}
	return descendants(p.process.Pid)
}

// Frozen is a process that was frozen.
type Frozen struct {
	process *Process
	ticks   int64
	since   time.Time
}

var errEnded = errors.New("it has ended")

// freezeTries is how often Freeze looks before it lets all go on and begins anew. Who
// has called vfork cannot stand until its child has called exec, and the child may
// have been stopped before it could.
const freezeTries = 50

// Freeze stops the process with SIGSTOP, and all that belong to it, and returns
// when /proc says of each of its threads that it stands.
func (p *Process) Freeze(ctx context.Context) (*Frozen, error) {
	ctx, cancel := context.WithTimeout(ctx, freezePatience)
	defer cancel()
	for try := 1; ; try++ {
		if try%freezeTries == 0 {
			p.signal(syscall.SIGCONT)
			if err := wait(ctx, p.done); err != nil {
				return nil, fmt.Errorf("freeze %s: %w", p.name, err)
			}
		}
		p.signal(syscall.SIGSTOP) // again and again: a tree grows until all of it stands
		s, err := p.standing()
		if err != nil {
			return nil, fmt.Errorf("freeze %s: %w", p.name, err)
		}
		if s.stands() {
			return &Frozen{process: p, ticks: s.ticks, since: time.Now()}, nil
		}
		if err := wait(ctx, p.done); err != nil {
			p.signal(syscall.SIGCONT)
			return nil, fmt.Errorf("freeze %s: %d of its %d threads do not stand: %w", p.name, s.threads-s.stopped, s.threads, err)
		}
	}
}

// Evidence reads back from /proc whether the process still stands, and how much
// processor time it has had since it was frozen.
func (f *Frozen) Evidence() (stands bool, evidence string) {
	p := f.process
	s, err := p.standing()
	if err != nil {
		return false, fmt.Sprintf("process %d: %v", p.pid, err)
	}
	after := time.Since(f.since).Round(time.Millisecond)
	if !s.stands() {
		return false, fmt.Sprintf("process %d: after %v only %d of %d threads stand", p.pid, after, s.stopped, s.threads)
	}
	return s.ticks == f.ticks, fmt.Sprintf("process %d: all %d threads in state T after %v, with %d ticks of processor time since",
		p.pid, s.threads, after, s.ticks-f.ticks)
}

// Thaw lets the process go on. It may be called more than once.
func (f *Frozen) Thaw() {
	f.process.signal(syscall.SIGCONT)
}

// wait waits a moment, and returns why it is no use to go on.
func wait(ctx context.Context, done <-chan struct{}) error {
	timer := time.NewTimer(lookPause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-done:
		return errEnded
	case <-ctx.Done():
		return ctx.Err()
	}
}
