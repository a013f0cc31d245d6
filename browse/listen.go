package browse

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// DefaultAddress is where pages are served if nothing else is said.
const DefaultAddress = "127.0.0.1:7070"

// How long a client may take, so that none can keep a connection for nothing.
const (
	headerTime   = 5 * time.Second
	requestTime  = 10 * time.Second
	answerTime   = 30 * time.Second
	idleTime     = time.Minute
	shutdownTime = 3 * time.Second
	maxHeader    = 16 << 10
)

// AddressError says that an address cannot be served at.
type AddressError struct{ Err error }

func (e *AddressError) Error() string { return e.Err.Error() }

// Unwrap returns what was wrong.
func (e *AddressError) Unwrap() error { return e.Err }

// Listen listens at an address of this machine, as in 127.0.0.1:7070; port 0 is any
// that is free. Others than loopback addresses are refused unless anywhere is true:
// whoever can connect can read all runs, and nothing is encrypted. What is wrong
// with the address is an *AddressError.
func Listen(ctx context.Context, address string, anywhere bool) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, &AddressError{fmt.Errorf("%q is no address with a port, as in %s", address, DefaultAddress)}
	}
	if !anywhere && !loopback(host) {
		return nil, &AddressError{fmt.Errorf("%s is not a loopback address: whoever reaches it could read all runs, unencrypted. Serve at %s, by a tunnel if need be (ssh -L 7070:127.0.0.1:7070 HOST), or ask for it: --insecure-listen", address, DefaultAddress)}
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, &AddressError{fmt.Errorf("something listens at %s already, another holdfast serve perhaps; choose another port, or 0 for any that is free", address)}
	case err != nil:
		return nil, &AddressError{fmt.Errorf("listen at %s: %w", address, err)}
	}
	return listener, nil
}

// loopback is true for a host that is this machine for certain.
func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}

// Serve answers with a handler until ctx ends, and then lets answers under way be
// finished for a moment. It closes the listener.
func Serve(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: headerTime, ReadTimeout: requestTime, WriteTimeout: answerTime, IdleTimeout: idleTime,
		MaxHeaderBytes: maxHeader,
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer cancel()
	err := server.Shutdown(within)
	if errors.Is(err, context.DeadlineExceeded) { // somebody is still reading
		err = server.Close()
	}
	<-served
	return err
}
