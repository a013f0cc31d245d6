package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/etcd-holdfast/holdfast/internal/playground"
)

// ownCluster gives each script clusters of its own, and takes down those that
// one which failed left behind.
func ownCluster(env *testscript.Env) error {
	home, err := os.MkdirTemp("", "holdfast") // the script's directory may be too long for a socket
	if err != nil {
		return err
	}
	env.Setenv(playground.HomeVariable, home)
	program, err := exec.LookPath("holdfast")
	if err != nil {
		return err
	}
	env.Defer(func() {
		places, _ := filepath.Glob(filepath.Join(home, "clusters", "*")) // the pattern is good
		for _, place := range places {
			down := exec.Command(program, "cluster", "down", "--name", filepath.Base(place))
			down.Env = append(os.Environ(), playground.HomeVariable+"="+home)
			_ = down.Run() // if it fails, the script's own failure says more
		}
		_ = os.RemoveAll(home)
	})
	return nil
}

// killCluster is the script command "killcluster NAME": it kills the process of
// a cluster and waits until it has ended.
func killCluster(ts *testscript.TestScript, negated bool, args []string) {
	if negated || len(args) != 1 {
		ts.Fatalf("usage: killcluster NAME")
	}
	place := playground.Place{Name: args[0], Directory: filepath.Join(ts.Getenv(playground.HomeVariable), "clusters", args[0])}
	answer, err := place.Ask(context.Background(), playground.Order{Do: playground.DoStatus})
	ts.Check(err)
	process, err := os.FindProcess(answer.State.PID)
	ts.Check(err)
	ts.Check(process.Kill())
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for {
		if stale, err := place.Stale(); err == nil && stale != nil {
			return
		}
		select {
		case <-ticker.C:
		case <-deadline.C:
			ts.Fatalf("process %d never ended", answer.State.PID)
		}
	}
}
