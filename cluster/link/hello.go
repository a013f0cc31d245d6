package link

import (
	"bytes"
	"crypto/tls"
	"errors"
	"net"
	"time"
)

// helloTimeout bounds how long a dialler may take to say who it is.
const helloTimeout = 10 * time.Second

var errHeard = errors.New("link: heard enough")

// readHello reads the TLS ClientHello that opens conn and returns the server
// name which it asks for, together with every byte read. Nothing is answered.
func readHello(conn net.Conn, timeout time.Duration) (name string, read []byte, err error) {
	if err := conn.SetReadDeadline(time.Now().Add(timeout)); err != nil {
		return "", nil, err
	}
	recorder := &recordingConn{Conn: conn}
	heard := false
	err = tls.Server(recorder, &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			heard, name = true, hello.ServerName
			return nil, errHeard
		},
	}).Handshake()
	if !heard {
		return "", nil, err
	}
	if name == "" {
		return "", nil, errors.New("the TLS hello names no server")
	}
	return name, recorder.read.Bytes(), conn.SetReadDeadline(time.Time{})
}

// recordingConn keeps what is read and drops what is written: the alert with
// which crypto/tls ends a handshake that it was told to abort.
type recordingConn struct {
	net.Conn
	read bytes.Buffer
}

func (c *recordingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.read.Write(p[:n])
	return n, err
}

func (c *recordingConn) Write(p []byte) (int, error) { return len(p), nil }
