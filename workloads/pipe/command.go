package pipe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"time"

	"github.com/etcd-holdfast/holdfast/internal/datedlog"
	"github.com/etcd-holdfast/holdfast/internal/offspring"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// Command is how programs are started that keep to the protocol.
type Command struct {
	// Line is the command line; sh splits and runs it, and makes way for the program
	// if it is a simple command.
	Line string
	// Parent starts them.
	Parent *offspring.Parent
	// Logs is a directory in which each client's programs have a file for what they
	// write on their standard error, each line with the time by Now (package datedlog);
	// "" is none.
	Logs string
	Now  func() time.Duration
	// Patience is how long they are waited for.
	Patience Patience
}

// Start starts a program for a client and says hello. Its error is a
// *workloads.BreachError, if the program is to blame.
func (c *Command) Start(ctx context.Context, a workloads.Attachment) (*Program, error) {
	p, err := c.launch(ctx, a.Client)
	if err != nil {
		return nil, err
	}
	if err := p.greet(ctx, a); err != nil {
		p.Kill()
		p.finished.Wait()
		return nil, err
	}
	return p, nil
}

// Hello asks a program what it is. It is told of no members, unless endpoints
// has some.
func (c *Command) Hello(ctx context.Context, a workloads.Attachment) (Hello, error) {
	p, err := c.Start(ctx, a)
	if err != nil {
		return Hello{}, err
	}
	defer p.finished.Wait()
	defer p.Kill()
	return p.Hello, nil
}

func (c *Command) launch(ctx context.Context, client string) (*Program, error) {
	var ours, theirs [3]*os.File
	var errs [3]error
	theirs[0], ours[0], errs[0] = os.Pipe()
	ours[1], theirs[1], errs[1] = os.Pipe()
	ours[2], theirs[2], errs[2] = os.Pipe()
	closeAll := func(files [3]*os.File) {
		for _, f := range files {
			if f != nil {
				_ = f.Close()
			}
		}
	}
	defer closeAll(theirs)
	if err := errors.Join(errs[:]...); err != nil {
		closeAll(ours)
		return nil, fmt.Errorf("start the program of %s: %w", client, err)
	}
	log, err := c.log(client)
	if err != nil {
		closeAll(ours)
		return nil, err
	}
	process, err := c.Parent.Start(offspring.Command{
		Name: "the program of " + client, Argv: []string{"/bin/sh", "-c", direct(c.Line)},
		Stdin: theirs[0], Stdout: theirs[1], Stderr: theirs[2], Tree: true,
	})
	if err != nil {
		closeAll(ours)
		_ = log.Close()
		return nil, &workloads.BreachError{Rule: notStarted, Story: err.Error()}
	}
	p := &Program{
		patience: c.Patience.completed(), process: process, stdin: ours[0], stdout: ours[1], life: ctx, log: log,
		turn: make(chan struct{}, 1), pending: make(map[int64]*pending), told: make(map[string]bool),
		lost: make(chan struct{}), ended: make(chan struct{}), logged: make(chan struct{}), events: budget{left: maxBurst, since: time.Now()},
	}
	p.finished.Go(func() { p.listen(ours[1]) })
	p.finished.Go(func() { p.keepLog(ours[2]) })
	p.finished.Go(func() {
		<-process.Done()
		// Nobody is left who could write: what it has written can be read, and no more.
		deadline := time.Now().Add(time.Second)
		_ = ours[1].SetReadDeadline(deadline)
		_ = ours[2].SetReadDeadline(deadline)
	})
	return p, nil
}

// simple is one command without variables, redirections and whatever else sh is
// needed for after it has split the line.
var simple = regexp.MustCompile(`^([A-Za-z0-9_./+-]+)( +('[^']*'|"[^"$\x60\\\n]*"|[A-Za-z0-9_./:,@%=+-]+))* *$`)

// direct has sh replace itself by a simple command. A shell that waits beside the
// program has its output open too: nobody would see that the program closed its own.
func direct(line string) string {
	parts := simple.FindStringSubmatch(line)
	if parts == nil {
		return line
	}
	if _, err := exec.LookPath(parts[1]); err != nil { // sh may know it itself, or says that it is not there
		return line
	}
	return "exec " + line
}

// log opens the log of a client's programs.
func (c *Command) log(client string) (io.WriteCloser, error) {
	if c.Logs == "" {
		return discard{}, nil
	}
	if err := os.MkdirAll(c.Logs, 0o755); err != nil {
		return nil, fmt.Errorf("keep the log of %s: %w", client, err)
	}
	log, err := datedlog.Open(filepath.Join(c.Logs, client+".log"), c.Now)
	if err != nil {
		return nil, fmt.Errorf("keep the log of %s: %w", client, err)
	}
	return log, nil
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }
func (discard) Close() error                { return nil }
