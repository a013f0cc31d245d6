package link

import (
	"bytes"
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"time"
)

// helloTimeout bounds how long a dialler may take to say who it is.
const helloTimeout = 10 * time.Second

var errHeard = errors.New("link: heard enough")

// hello is what a TLS ClientHello says of who sends it.
type hello struct {
	server string   // the name that it asks for
	suites []uint16 // see Signature
}

// readHello reads the TLS ClientHello that opens conn and returns what it says,
// together with every byte read. Nothing is answered.
func readHello(conn net.Conn, timeout time.Duration) (said hello, read []byte, err error) {
	if err := conn.SetReadDeadline(time.Now().Add(timeout)); err != nil {
		return hello{}, nil, err
	}
	recorder := &recordingConn{Conn: conn}
	heard := false
	err = tls.Server(recorder, &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetConfigForClient: func(info *tls.ClientHelloInfo) (*tls.Config, error) {
			heard, said = true, hello{info.ServerName, Signature(info.CipherSuites)}
			return nil, errHeard
		},
	}).Handshake()
	if !heard {
		return hello{}, nil, err
	}
	return said, recorder.read.Bytes(), conn.SetReadDeadline(time.Time{})
}

// Signature is that by which a dialler is recognised whose hello names no server:
// the cipher suites of TLS 1.2 that it offers, in rising order. Those of TLS 1.3
// are left out, for whoever configures suites cannot choose among them, and so is
// what is no suite but a signal (RFC 5746, RFC 7507, RFC 8701).
func Signature(offered []uint16) []uint16 {
	known := make(map[uint16]bool)
	for _, suites := range [][]*tls.CipherSuite{tls.CipherSuites(), tls.InsecureCipherSuites()} {
		for _, s := range suites {
			known[s.ID] = slices.Contains(s.SupportedVersions, tls.VersionTLS12)
		}
	}
	var signature []uint16
	for _, id := range offered {
		if known[id] {
			signature = append(signature, id)
		}
	}
	slices.Sort(signature)
	return slices.Compact(signature)
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
