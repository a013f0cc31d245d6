package playground

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

const (
	// pollPause is how often a process that only the file system tells about
	// is looked at.
	pollPause = 20 * time.Millisecond
	// downTimeout bounds how long a cluster may take to stop.
	downTimeout = 30 * time.Second
	// logLines is how much of the log an error shows.
	logLines = 12
)

// The files that the process of a cluster inherits.
const (
	lockDescriptor     = 3 // the lock of the place, held
	progressDescriptor = 4 // where Serve tells how it gets on
)

// Inherited returns the lock and the progress that Up has given to this process.
// The lock has to stay open until the process ends. It fails in a process that
// Up did not start.
func (p Place) Inherited() (lock, progress *os.File, err error) {
	// By its name first: a descriptor that is somebody else's must not become
	// a file here, which would close it in the end.
	held, err := os.Stat(fmt.Sprintf("/dev/fd/%d", lockDescriptor))
	if err == nil {
		var file os.FileInfo
		if file, err = os.Stat(p.lock()); err == nil && os.SameFile(held, file) {
			return os.NewFile(lockDescriptor, "lock"), os.NewFile(progressDescriptor, "progress"), nil
		}
	}
	return nil, nil, errors.Join(errors.New("the lock of the cluster was not inherited"), err)
}

// Up makes sure that the cluster is up and returns its answer to a request for
// its status. If no process runs it, command is started in the background, in a
// session of its own and in the place's directory: it has to call Inherited and
// Serve. already is true if a process was there. If the cluster does not come
// up, or ctx ends before it has, the process is gone when Up returns.
func (p Place) Up(ctx context.Context, command *exec.Cmd, narrate func(string)) (answer Answer, already bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout+closeMargin)
	defer cancel()
	for {
		lock, err := p.tryLock()
		if err != nil {
			return Answer{}, false, fmt.Errorf("start cluster %s: %w", p.Name, err)
		}
		if lock != nil {
			err := errors.Join(p.spawn(ctx, command, lock, narrate), lock.Close())
			if err != nil {
				return Answer{}, false, fmt.Errorf("start cluster %s: %w", p.Name, err)
			}
			answer, err = p.Ask(ctx, Order{Do: DoStatus})
			return answer, false, err
		}
		// Somebody starts it, runs it, or ends it.
		if answer, err := p.ask(ctx, Order{Do: DoStatus}); err == nil && answer.Serving {
			return answer, true, nil
		}
		if err := pause(ctx); err != nil {
			return Answer{}, false, fmt.Errorf("start cluster %s: a process holds %s and does not serve; see %s: %w", p.Name, p.lock(), p.Log(), err)
		}
	}
}

// closeMargin is how much longer than its start the process of a cluster may
// take to give up.
const closeMargin = 15 * time.Second

// spawn starts the process with the lock in its hands and returns when the
// cluster serves.
func (p Place) spawn(ctx context.Context, command *exec.Cmd, lock *os.File, narrate func(string)) error {
	if s, err := p.readState(); err != nil {
		narrate(fmt.Sprintf("removing what cannot be read: %v", err))
	} else if s != nil {
		narrate(fmt.Sprintf("removing what process %d left behind, which died without a goodbye", s.PID))
	}
	if err := p.clean(); err != nil {
		narrate(fmt.Sprintf("warning: %v", err))
	}
	log, err := os.OpenFile(p.Log(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	progress, writer, err := os.Pipe()
	if err != nil {
		return err
	}
	defer func() { _ = progress.Close() }()
	command.Stdout, command.Stderr = log, log
	command.ExtraFiles = []*os.File{lock, writer}
	command.Dir = p.Directory // no other directory is kept from being removed
	detach(command)
	err = command.Start()
	_ = writer.Close()
	if err != nil {
		return err
	}
	serves := make(chan bool, 1)
	go func() {
		defer close(serves)
		lines := bufio.NewScanner(progress)
		for lines.Scan() {
			if lines.Text() == ready {
				serves <- true
				return
			}
			narrate(lines.Text())
		}
	}()
	var failure error
	select {
	case ok := <-serves:
		if ok {
			return command.Process.Release()
		}
		_ = command.Wait() // it has ended, or is about to; why is in its log
		failure = errors.New("its process ended before it served")
	case <-ctx.Done():
		_ = command.Process.Kill()
		_ = command.Wait()
		<-serves
		failure = context.Cause(ctx)
	}
	failure = fmt.Errorf("%w%s", failure, p.lastOfLog())
	return errors.Join(failure, p.clean())
}

// lastOfLog returns the last lines of the log, or "" if there are none.
func (p Place) lastOfLog() string {
	content, err := os.ReadFile(p.Log())
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	if err != nil || lines[0] == "" {
		return ""
	}
	if len(lines) > logLines {
		lines = lines[len(lines)-logLines:]
	}
	return "; the last lines of its log:\n  " + strings.Join(lines, "\n  ")
}

// Ended says what Down found.
type Ended int

const (
	// WasDown is that there was nothing.
	WasDown Ended = iota
	// WasDead is that the process had died and left things behind.
	WasDead
	// WasUp is that the cluster was up.
	WasUp
)

// Down stops the cluster if it is up and removes what there is of it. It
// returns when the process has ended.
func (p Place) Down(ctx context.Context) (Ended, State, error) {
	ctx, cancel := context.WithTimeout(ctx, downTimeout)
	defer cancel()
	found := WasDown
	var state State
	for {
		lock, err := p.tryLock()
		if err != nil {
			return found, state, fmt.Errorf("stop cluster %s: %w", p.Name, err)
		}
		if lock != nil {
			left, _ := p.readState() // clean reports it
			if left != nil && found == WasDown {
				found, state = WasDead, *left
			}
			return found, state, errors.Join(p.clean(), lock.Close())
		}
		if answer, err := p.ask(ctx, Order{Do: DoDown}); err == nil {
			found, state = WasUp, answer.State
		}
		if err := pause(ctx); err != nil {
			if s, _ := p.readState(); s != nil { // written by the holder of the lock
				state = *s
			}
			return found, state, fmt.Errorf("stop cluster %s: process %d does not end; see %s, or: kill -9 %d && holdfast cluster down --name %s",
				p.Name, state.PID, p.Log(), state.PID, p.Name)
		}
	}
}

// pause waits a little, or fails when ctx has ended.
func pause(ctx context.Context) error {
	timer := time.NewTimer(pollPause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Stale returns the state that a process left which no longer lives, or nil.
func (p Place) Stale() (*State, error) {
	if up, err := p.up(); err != nil || up {
		return nil, err
	}
	return p.readState()
}
