package holdfast

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/internal/offspring"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// clientRole is what the processes of clients are started as.
const clientRole = "client"

// clientLogs is the directory, in that of a run, of what the processes of clients
// say.
const clientLogs = "clients"

// nursery starts the processes of a run's clients.
type nursery struct {
	parent *offspring.Parent
	logs   string
}

// newNursery returns what starts clients, and keeps what they say below a
// directory. It has to be closed.
func newNursery(directory string) (*nursery, error) {
	logs := filepath.Join(directory, clientLogs)
	if err := os.Mkdir(logs, 0o755); err != nil {
		return nil, fmt.Errorf("make the directory of the clients' logs: %w", err)
	}
	parent, err := offspring.NewParent()
	if err != nil {
		return nil, err
	}
	return &nursery{parent: parent, logs: logs}, nil
}

// close ends the processes that have not ended, and removes the logs of those that
// said nothing.
func (n *nursery) close() error {
	err := n.parent.Close()
	logs, listing := os.ReadDir(n.logs)
	err = errors.Join(err, listing)
	for _, log := range logs {
		if info, unknown := log.Info(); unknown == nil && info.Size() == 0 {
			err = errors.Join(err, os.Remove(filepath.Join(n.logs, log.Name())))
		}
	}
	if left, unknown := os.ReadDir(n.logs); unknown == nil && len(left) == 0 {
		err = errors.Join(err, os.Remove(n.logs))
	}
	return err
}

// launch starts the process of a client.
func (n *nursery) launch(client string) (_ workloads.Process, err error) {
	p := &clientProcess{log: filepath.Join(n.logs, client+".log")}
	defer func() {
		if err != nil {
			_ = p.conn.Close()
		}
	}()
	log, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()
	var theirs pipes
	if theirs.r, p.conn.w, err = os.Pipe(); err != nil {
		return nil, err
	}
	defer func() { _ = theirs.Close() }()
	if p.conn.r, theirs.w, err = os.Pipe(); err != nil {
		return nil, err
	}
	p.Process, err = n.parent.Start(offspring.Command{
		Name: "client " + client, Role: clientRole, Argv: []string{clientRole, client},
		Stdout: log, Stderr: log, Files: []*os.File{theirs.r, theirs.w},
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// pipes are a connection of two pipes.
type pipes struct{ r, w *os.File }

func (p *pipes) Read(b []byte) (int, error)  { return p.r.Read(b) }
func (p *pipes) Write(b []byte) (int, error) { return p.w.Write(b) }

func (p *pipes) Close() error {
	var errs []error
	for _, f := range []*os.File{p.r, p.w} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}

// clientProcess is the process of a client.
type clientProcess struct {
	*offspring.Process
	conn pipes
	log  string
}

func (p *clientProcess) Conn() io.ReadWriteCloser { return &p.conn }

// Ended says how the process ended and what it said last.
func (p *clientProcess) Ended() string {
	how := "exit status 0"
	if err := p.Err(); err != nil {
		how = err.Error()
	}
	text, err := os.ReadFile(p.log)
	if err != nil || len(bytes.TrimSpace(text)) == 0 {
		return how + ", without a word"
	}
	return how + ", saying: " + lastWords(string(text))
}

// Killed is true if the process was killed.
func (p *clientProcess) Killed() bool {
	var exit *exec.ExitError
	if !errors.As(p.Err(), &exit) {
		return false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}

// lastLines is how many lines of what a process said are kept in the record.
const lastLines = 20

// lastWords are the last lines of a log or, where it ends with that of a program
// of Go that panicked, the first ones from there on.
func lastWords(log string) string {
	lines := strings.Split(strings.TrimSpace(log), "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		if strings.HasPrefix(lines[i], "panic: ") || strings.HasPrefix(lines[i], "fatal error: ") {
			return strings.Join(lines[i:min(i+lastLines, len(lines))], "\n")
		}
	}
	return strings.Join(lines[max(0, len(lines)-lastLines):], "\n")
}

func (p *clientProcess) Freeze(ctx context.Context) (workloads.Standstill, error) {
	frozen, err := p.Process.Freeze(ctx)
	if err != nil {
		return nil, err
	}
	return frozen, nil
}

// serveClient is what the process of a client does.
func serveClient(ctx context.Context, subjects []workloads.Subject) int {
	// Else a read could not be ended, and what the client starts would have them.
	for _, ready := range []error{syscall.SetNonblock(3, true), syscall.SetNonblock(4, true)} {
		if ready != nil {
			fmt.Fprintf(os.Stderr, "holdfast: a client is started by the harness, and by nobody else: %v\n", ready)
			return checker.ExitInternal
		}
	}
	syscall.CloseOnExec(3)
	syscall.CloseOnExec(4)
	conn := &pipes{r: os.NewFile(3, "questions"), w: os.NewFile(4, "answers")}
	s := Scenario{Subjects: subjects}
	if err := workloads.ServeClient(ctx, conn, s.subject); err != nil {
		fmt.Fprintf(os.Stderr, "holdfast: %v\n", err)
		return checker.ExitInternal
	}
	return 0
}
