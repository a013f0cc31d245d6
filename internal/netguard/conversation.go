package netguard

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
)

// longest is the longest line that a guard may say, and excerpt how much is shown
// of one that is not understood.
const (
	longest = 1 << 20
	excerpt = 200
)

// errLost is why there will be no answer.
var errLost = errors.New("the connection to it is lost")

// conversation is a stream of JSON lines in both directions, of which nothing
// waits for longer than a context allows.
type conversation struct {
	stream io.ReadWriteCloser
	lines  chan []byte // closed when no more will come
	why    error       // set before lines is closed
	closed chan struct{}
	once   sync.Once
	err    error // of closing
	group  sync.WaitGroup
	id     int64
}

func converse(stream io.ReadWriteCloser) *conversation {
	c := &conversation{stream: stream, lines: make(chan []byte), closed: make(chan struct{})}
	c.group.Go(c.listen)
	return c
}

func (c *conversation) listen() {
	defer close(c.lines)
	heard := bufio.NewScanner(c.stream)
	heard.Buffer(nil, longest)
	for heard.Scan() {
		select {
		case c.lines <- append([]byte(nil), heard.Bytes()...):
		case <-c.closed:
			return
		}
	}
	c.why = heard.Err()
}

func (c *conversation) next() int64 {
	c.id++
	return c.id
}

// say sends one line. If it cannot be sent in time the stream is closed.
func (c *conversation) say(ctx context.Context, what any) error {
	line, err := json.Marshal(what)
	if err != nil {
		return err
	}
	sent := make(chan error, 1)
	c.group.Go(func() {
		_, err := c.stream.Write(append(line, '\n'))
		sent <- err
	})
	select {
	case err := <-sent:
		if err != nil {
			return fmt.Errorf("%w: %w", errLost, err)
		}
		return nil
	case <-ctx.Done():
		return errors.Join(fmt.Errorf("it does not listen: %w", ctx.Err()), c.close())
	}
}

// hear receives one line.
func (c *conversation) hear(ctx context.Context, what any) error {
	select {
	case line, ok := <-c.lines:
		if !ok {
			if c.why != nil {
				return fmt.Errorf("%w: %w", errLost, c.why)
			}
			return errLost
		}
		if err := json.Unmarshal(line, what); err != nil {
			return fmt.Errorf("it said %q: %w", line[:min(len(line), excerpt)], err)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("it does not answer: %w", ctx.Err())
	}
}

// ended waits until the other side has closed the stream.
func (c *conversation) ended(ctx context.Context) error {
	for {
		select {
		case _, ok := <-c.lines:
			if !ok {
				return nil
			}
		case <-ctx.Done():
			return fmt.Errorf("it does not end: %w", ctx.Err())
		}
	}
}

// close ends the conversation, and returns when nobody uses the stream any more.
func (c *conversation) close() error {
	c.once.Do(func() {
		close(c.closed)
		c.err = c.stream.Close()
	})
	c.group.Wait()
	return c.err
}
