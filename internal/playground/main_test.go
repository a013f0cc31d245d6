package playground

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// roleVariable makes the test binary the process of a cluster.
const roleVariable = "HOLDFAST_PLAYGROUND_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(roleVariable) {
	case "serve":
		os.Exit(serve())
	case "fail":
		fmt.Println("the last words")
		os.Exit(3)
	case "hang":
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		defer stop()
		select {
		case <-ctx.Done():
		case <-time.After(time.Minute): // never stays behind
		}
		os.Exit(4)
	}
	goleak.VerifyTestMain(m)
}

func serve() int {
	p, err := At("test")
	if err == nil {
		lock, progress, inherited := p.Inherited()
		if err = inherited; err == nil {
			defer func() { _ = lock.Close() }()
			err = Serve(context.Background(), p, Config{Members: 1}, progress)
		}
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}
