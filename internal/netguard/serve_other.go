//go:build !linux

package netguard

import (
	"errors"
	"io"
)

// ErrUnsupported is returned where there are no network namespaces.
var ErrUnsupported = errors.New("network namespaces are to be had on Linux only")

// Serve returns ErrUnsupported.
func Serve(io.Reader, io.Writer) error { return ErrUnsupported }

// NoDelayHere returns nil: containers are on no kernel of this machine's.
func NoDelayHere() error { return nil }
