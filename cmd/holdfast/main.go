// Command holdfast puts etcd's locks and elections to the test.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"google.golang.org/grpc/grpclog"

	"github.com/etcd-holdfast/holdfast"
	"github.com/etcd-holdfast/holdfast/checker"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() {
		<-ctx.Done()
		stop() // a second signal ends the process at once
	}()
	if code, handled := holdfast.Subprocess(ctx); handled {
		os.Exit(code)
	}
	// What a cluster in this process thinks of a client's requests is no word of
	// holdfast's: its members have logs of their own.
	grpclog.SetLoggerV2(grpclog.NewLoggerV2(io.Discard, io.Discard, io.Discard))
	os.Exit(execute(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// exitError carries an exit code through the command tree.
type exitError struct{ code int }

func (e exitError) Error() string { return fmt.Sprintf("exit %d", e.code) }

// usageError is a mistake of the user's.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func exitCode(err error) int {
	var exit exitError
	var usage usageError
	var scenario *holdfast.ScenarioError
	var selection *holdfast.SelectionError
	var malformed *holdfast.MalformedError
	var pipe *holdfast.PipeError
	switch {
	case err == nil:
		return checker.ExitHolds
	case errors.As(err, &exit):
		return exit.code
	case errors.As(err, &usage), errors.As(err, &scenario), errors.As(err, &selection), errors.As(err, &malformed), errors.As(err, &pipe):
		return checker.ExitUsage
	default:
		return checker.ExitInternal
	}
}
