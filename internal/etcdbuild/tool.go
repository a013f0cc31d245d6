package etcdbuild

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"sync"

	"github.com/etcd-holdfast/holdfast/internal/offspring"
)

// tool is the go command, in a directory of its own. Nothing of the user's module
// or workspace reaches it; where modules are got from is the user's.
type tool struct {
	path, directory string
	parent          *offspring.Parent
}

func newTool(path, directory string) (*tool, error) {
	parent, err := offspring.NewParent()
	if err != nil {
		return nil, err
	}
	return &tool{path, directory, parent}, nil
}

func (t *tool) close() error { return t.parent.Close() }

// environment undoes what else would decide about the build.
func environment() []string {
	return []string{"GOWORK=off", "GOFLAGS=-mod=mod", "GO111MODULE=on", "CGO_ENABLED=0", "GOOS=", "GOARCH=", "GOEXPERIMENT="}
}

// run runs the go command and returns what it wrote to its output. Each line of
// its error output is given to said, if that is not nil. Whatever it starts dies
// with it, when ctx ends, and with this process.
func (t *tool) run(ctx context.Context, said func(line string), args ...string) (string, error) {
	return run(ctx, t.parent, said, offspring.Command{
		Name: "go " + args[0], Argv: append([]string{t.path}, args...), Dir: t.directory, Env: environment(), Tree: true,
	})
}

// run runs a command to its end.
func run(ctx context.Context, parent *offspring.Parent, said func(line string), c offspring.Command) (string, error) {
	out, ourOut, err := os.Pipe()
	if err != nil {
		return "", err
	}
	errs, ourErrs, err := os.Pipe()
	if err != nil {
		return "", errors.Join(err, out.Close(), ourOut.Close())
	}
	c.Stdout, c.Stderr = ourOut, ourErrs
	started, err := parent.Start(c)
	err = errors.Join(err, ourOut.Close(), ourErrs.Close())
	if err != nil {
		if started != nil {
			err = errors.Join(err, started.Kill())
		}
		return "", errors.Join(err, out.Close(), errs.Close())
	}
	var (
		group sync.WaitGroup
		text  bytes.Buffer
		last  []string
	)
	group.Go(func() { _, _ = io.Copy(&text, out) })
	group.Go(func() {
		lines := bufio.NewScanner(errs)
		for lines.Scan() {
			last = append(last, lines.Text())
			last = last[max(0, len(last)-8):]
			if said != nil {
				said(lines.Text())
			}
		}
		_, _ = io.Copy(io.Discard, errs) // a line that is too long
	})
	select {
	case <-started.Done():
	case <-ctx.Done():
		err = errors.Join(ctx.Err(), started.Kill())
	}
	group.Wait()
	err = errors.Join(err, out.Close(), errs.Close())
	if err == nil && started.Err() != nil {
		err = fmt.Errorf("%s: %w: %s", c.Name, started.Err(), strings.Join(last, "; "))
	}
	return text.String(), err
}

// download is what "go mod download -json" says.
type download struct{ Error string }

// have gets the server's module, and says what is wrong if it cannot be had.
func (t *tool) have(ctx context.Context, v version, from origin) error {
	out, failed := t.run(ctx, nil, "mod", "download", "-json", from.module+"@"+from.version)
	var d download
	if err := json.Unmarshal([]byte(out), &d); err != nil && failed == nil {
		return fmt.Errorf("build etcd %s: what the go command says is not understood: %w", v, err)
	}
	if failed == nil && d.Error == "" {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	reason := strings.Join(strings.Fields(d.Error), " ")
	if reason == "" {
		reason = failed.Error()
	}
	// Is it this version that there is none of, or is nothing to be had?
	versions, err := t.run(ctx, nil, "list", "-m", "-versions", "-json", from.module)
	var listed struct{ Versions []string }
	if err == nil {
		err = json.Unmarshal([]byte(versions), &listed)
	}
	if err != nil {
		return fmt.Errorf("build etcd %s: its modules cannot be had: %s; look at go env GOPROXY and at the network, or name a binary with --etcd PATH", v, reason)
	}
	return &UnavailableError{Version: v.String(), Reason: reason, Near: near(v, listed.Versions)}
}

var goVersion = regexp.MustCompile(`^go(\d+\.\d+)`)

// language is the version of Go that the toolchain speaks.
func (t *tool) language(ctx context.Context) (string, error) {
	out, err := t.run(ctx, nil, "env", "GOVERSION")
	if err != nil {
		return "", err
	}
	if m := goVersion.FindStringSubmatch(strings.TrimSpace(out)); m != nil {
		return m[1], nil
	}
	return "1.26", nil // a toolchain between releases
}

var etcdVersion = regexp.MustCompile(`(?m)^etcd Version: (\S+)$`)

// says asks a server for its version.
func says(ctx context.Context, path string) (v string, err error) {
	parent, err := offspring.NewParent()
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, parent.Close()) }()
	out, err := run(ctx, parent, nil, offspring.Command{Name: path + " --version", Argv: []string{path, "--version"}})
	if err != nil {
		return "", err
	}
	m := etcdVersion.FindStringSubmatch(out)
	if m == nil {
		return "", fmt.Errorf("%s --version does not say which etcd it is", path)
	}
	return m[1], nil
}

// VersionOf asks an etcd server for its version, such as "3.5.12". The error says
// so if it is none.
func VersionOf(ctx context.Context, path string) (string, error) { return says(ctx, path) }
