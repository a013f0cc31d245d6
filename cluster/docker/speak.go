package docker

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/client"

	"github.com/etcd-holdfast/holdfast/internal/offspring"
)

// inPod starts this program in a role in the namespace of a pod, and returns what it
// says on standard output and is told on standard input. It ends when the stream is
// closed, if it heeds the end of its input. What it writes on standard error is lost.
func (e *engine) inPod(ctx context.Context, p *pod, role string) (io.ReadWriteCloser, error) {
	created, err := e.ExecCreate(ctx, p.id, client.ExecCreateOptions{
		AttachStdin: true, AttachStdout: true, AttachStderr: true,
		Env: []string{offspring.RoleVariable + "=" + role}, Cmd: []string{program},
	})
	if err != nil {
		return nil, fmt.Errorf("start a %s in the pod: %w", role, err)
	}
	attached, err := e.ExecAttach(ctx, created.ID, client.ExecAttachOptions{})
	if err != nil {
		return nil, fmt.Errorf("start a %s in the pod: %w", role, err)
	}
	return newStream(attached.HijackedResponse, io.Discard), nil
}

// stream is the standard input and output of a program in a container.
type stream struct {
	attached client.HijackedResponse
	reader   *io.PipeReader
	writer   *io.PipeWriter
	errors   io.Writer // gets what it writes on standard error
	ended    chan struct{}
}

func newStream(attached client.HijackedResponse, errors io.Writer) *stream {
	s := &stream{attached: attached, errors: errors, ended: make(chan struct{})}
	s.reader, s.writer = io.Pipe()
	go s.listen()
	return s
}

// listen takes apart what comes over the one connection.
func (s *stream) listen() {
	defer close(s.ended)
	_, err := stdcopy.StdCopy(s.writer, s.errors, s.attached.Reader)
	_ = s.writer.CloseWithError(err) // nil is the end
}

func (s *stream) Read(p []byte) (int, error) { return s.reader.Read(p) }

func (s *stream) Write(p []byte) (int, error) { return s.attached.Conn.Write(p) }

// Close ends the program's input, and returns when nobody reads any more.
func (s *stream) Close() error {
	err := errors.Join(s.attached.Conn.Close(), s.reader.Close())
	<-s.ended
	return err
}
