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
	"sync"
	"syscall"
	"time"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/internal/datedlog"
	"github.com/etcd-holdfast/holdfast/internal/offspring"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// clientRole is what the processes of clients are started as.
const clientRole = "client"

// clientLogDirectory is in that of a run.
const clientLogDirectory = "clients"

// clientLogs is the directory of what clients say that are not in the process of their
// run.
type clientLogs struct {
	path string
	now  func() time.Duration // on the run's clock
}

// newClientLogs makes it in the directory of a run.
func newClientLogs(directory string, now func() time.Duration) (clientLogs, error) {
	logs := clientLogs{filepath.Join(directory, clientLogDirectory), now}
	if err := os.Mkdir(logs.path, 0o755); err != nil {
		return logs, fmt.Errorf("make the directory of the clients' logs: %w", err)
	}
	return logs, nil
}

// open opens the log of a client.
func (l clientLogs) open(client string) (*datedlog.Writer, error) {
	return datedlog.Open(l.of(client), l.now)
}

// of is the path of a client's log.
func (l clientLogs) of(client string) string { return filepath.Join(l.path, client+".log") }

// tidy removes the logs of those that said nothing.
func (l clientLogs) tidy() error {
	logs, err := os.ReadDir(l.path)
	for _, log := range logs {
		if info, unknown := log.Info(); unknown == nil && info.Size() == 0 {
			err = errors.Join(err, os.Remove(filepath.Join(l.path, log.Name())))
		}
	}
	if left, unknown := os.ReadDir(l.path); unknown == nil && len(left) == 0 {
		err = errors.Join(err, os.Remove(l.path))
	}
	return err
}

// nursery starts the clients of a run that are not in its process.
type nursery interface {
	// launch starts one, and close ends those that have not ended.
	launch(client string) (workloads.Process, error)
	close() error
}

// processNursery starts clients as processes.
type processNursery struct {
	parent  *offspring.Parent
	logs    clientLogs
	reading sync.WaitGroup // what clients say
}

// newProcessNursery returns what starts clients as processes, and keeps what they say,
// and when, below a directory. It has to be closed.
func newProcessNursery(directory string, now func() time.Duration) (*processNursery, error) {
	logs, err := newClientLogs(directory, now)
	if err != nil {
		return nil, err
	}
	parent, err := offspring.NewParent()
	if err != nil {
		return nil, err
	}
	return &processNursery{parent: parent, logs: logs}, nil
}

// close ends the processes that have not ended, and removes the logs of those that
// said nothing.
func (n *processNursery) close() error {
	err := n.parent.Close()
	n.reading.Wait()
	return errors.Join(err, n.logs.tidy())
}

// launch starts the process of a client.
func (n *processNursery) launch(client string) (_ workloads.Process, err error) {
	p := &clientProcess{log: n.logs.of(client), read: make(chan struct{})}
	defer func() {
		if err != nil {
			_ = p.conn.Close()
		}
	}()
	log, err := n.logs.open(client)
	if err != nil {
		return nil, err
	}
	said, says, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, log.Close())
	}
	defer func() {
		_ = says.Close() // it has its own
		if err != nil {
			_ = errors.Join(said.Close(), log.Close())
		}
	}()
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
		Stdout: says, Stderr: says, Files: []*os.File{theirs.r, theirs.w},
	})
	if err != nil {
		return nil, err
	}
	n.reading.Go(func() { p.listen(said, log) })
	n.reading.Go(func() {
		<-p.Done()
		// What it has written can be read; whatever it has started is not waited for.
		_ = said.SetReadDeadline(time.Now().Add(time.Second))
	})
	return p, nil
}

// listen keeps what the client says until it has ended.
func (p *clientProcess) listen(said *os.File, log *datedlog.Writer) {
	defer close(p.read)
	_, _ = io.Copy(log, said) // there is nobody to tell
	_ = errors.Join(said.Close(), log.Close())
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
	read chan struct{} // closed when the log has all that it said
}

func (p *clientProcess) Conn() io.ReadWriteCloser { return &p.conn }

// Ended says how the process ended and what it said last.
func (p *clientProcess) Ended() string {
	how := "exit status 0"
	if err := p.Err(); err != nil {
		how = err.Error()
	}
	<-p.read
	return how + lastSaid(p.log)
}

// lastSaid tells what a client said last, by its log.
func lastSaid(log string) string {
	text, err := os.ReadFile(log)
	text = datedlog.Text(text)
	if err != nil || len(bytes.TrimSpace(text)) == 0 {
		return ", without a word"
	}
	return ", saying: " + lastWords(string(text))
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
	return serveClientOn(ctx, &pipes{r: os.NewFile(3, "questions"), w: os.NewFile(4, "answers")}, subjects)
}

// serveClientOn is what a client does that is told what to do on a connection.
func serveClientOn(ctx context.Context, conn io.ReadWriteCloser, subjects []workloads.Subject) int {
	s := Scenario{Subjects: subjects}
	if err := workloads.ServeClient(ctx, conn, s.subject); err != nil {
		fmt.Fprintf(os.Stderr, "holdfast: %v\n", err)
		return checker.ExitInternal
	}
	return 0
}
