package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// ErrNotClear is returned by Secure where a target does not answer in the clear as one
// that speaks HTTP/2 does.
var ErrNotClear = errors.New("it does not speak HTTP/2 in the clear")

// greeting is what a client of HTTP/2 begins with: the preface, and settings that say
// nothing (RFC 9113, 3.4).
const greeting = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + "\x00\x00\x00\x04\x00\x00\x00\x00\x00"

// settingsFrame is the type of the frame that a server has to answer with first.
const settingsFrame = 4

// greet finds out whether who is at the other end speaks HTTP/2 in the clear. One that
// says nothing may be busy: that is no error.
func greet(ctx context.Context, conn net.Conn) error {
	within, cancel := context.WithTimeout(ctx, refusalPatience)
	defer cancel()
	defer context.AfterFunc(within, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	if _, err := io.WriteString(conn, greeting); err != nil {
		return fmt.Errorf("%w: %w", ErrNotClear, err)
	}
	var head [9]byte
	_, err := io.ReadFull(conn, head[:])
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case isTimeout(err):
		return nil
	case err != nil:
		return fmt.Errorf("%w: it hung up", ErrNotClear)
	case head[3] != settingsFrame:
		return ErrNotClear
	}
	return nil
}
