package holdfast

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/etcd-holdfast/holdfast/faults"
	"github.com/etcd-holdfast/holdfast/internal/offspring"
)

// hookLines and hookBytes are how much of the end of what a command of a hook says
// is kept.
const (
	hookLines = 10
	hookBytes = 4 << 10
)

// commander runs the commands of hooks as processes that die with this one, with all
// that they start.
type commander struct {
	parent *offspring.Parent
	// secret is not to be kept, whoever says it; "" is none.
	secret string
}

// makeCommander makes what runs the commands of hooks, if there are any.
func (r *run) makeCommander() error {
	if len(r.scenario.Hooks) == 0 {
		return nil
	}
	parent, err := offspring.NewParent()
	if err != nil {
		return fmt.Errorf("run the commands of hooks: %w", err)
	}
	r.commander = &commander{parent: parent, secret: r.login.Password}
	return nil
}

// errInterrupted is why a command was killed although it had time left.
var errInterrupted = errors.New("the run was interrupted")

// interruption returns what ends when ctx is cancelled, as by Ctrl-C, and not when its
// time is over: that is no reason to stop a command halfway. Rest is ctx for all others:
// it ends right after, so that what they begin then knows of the interruption.
func interruption(ctx context.Context) (interrupted, rest context.Context, release func()) {
	interrupted, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	rest, end := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		if errors.Is(ctx.Err(), context.Canceled) {
			cancel(errInterrupted)
		}
		end()
	})
	return interrupted, rest, func() {
		stop()
		cancel(nil)
		end()
	}
}

// Command runs a command; see faults.Commander.
func (c *commander) Command(ctx context.Context, command faults.HookCommand) (string, error) {
	if ctx.Err() != nil {
		return "", fmt.Errorf("%s: it was not run: %w", command.Argv[0], context.Cause(ctx))
	}
	outs, errs := &ending{}, &ending{}
	var readers sync.WaitGroup
	var theirs []*os.File
	defer func() {
		for _, f := range theirs {
			_ = f.Close()
		}
	}()
	for _, e := range []*ending{outs, errs} {
		r, w, err := os.Pipe()
		if err != nil {
			return "", err
		}
		theirs = append(theirs, w)
		readers.Go(func() {
			_, _ = io.Copy(e, r)
			_ = r.Close()
		})
	}
	p, err := c.parent.Start(offspring.Command{
		Name: command.Argv[0], Argv: command.Argv, Env: command.Env, Stdout: theirs[0], Stderr: theirs[1], Tree: true,
	})
	for _, f := range theirs {
		_ = f.Close()
	}
	if err != nil {
		readers.Wait()
		return "", err
	}
	within, cancel := context.WithTimeout(ctx, command.Timeout)
	defer cancel()
	var late error
	select {
	case <-p.Done():
	case <-within.Done():
		late = fmt.Errorf("it had not ended after %v and was killed, with all that it had started", command.Timeout)
		if ctx.Err() != nil {
			late = fmt.Errorf("it was killed, with all that it had started: %w", context.Cause(ctx))
		}
		late = errors.Join(late, p.Kill())
	}
	readers.Wait()
	said := c.clean(outs.String())
	if err = cmp.Or(late, p.Err()); err == nil {
		return said, nil
	}
	words := strings.Trim(said+"; "+c.clean(errs.String()), "; ")
	if words == "" {
		words = "nothing"
	}
	return said, fmt.Errorf("%s: %w; it said: %s", command.Argv[0], err, words)
}

// clean takes the secret out of what a command said.
func (c *commander) clean(text string) string {
	if c.secret == "" {
		return text
	}
	return strings.ReplaceAll(text, c.secret, "[password]")
}

func (c *commander) close() error { return c.parent.Close() }

// ending keeps the end of what is written to it.
type ending struct {
	mu   sync.Mutex
	text []byte
}

func (e *ending) Write(b []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.text = append(e.text, b...)
	if n := len(e.text) - 2*hookBytes; n > 0 {
		e.text = slices.Delete(e.text, 0, n)
	}
	return len(b), nil
}

// String is the last lines.
func (e *ending) String() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	text := strings.ToValidUTF8(string(e.text[max(0, len(e.text)-hookBytes):]), "?")
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-hookLines):], "; ")
}

// hooksOf says which hooks the scenario has, and why none can be run, if so.
func (s *Scenario) hooksOf(can *faults.Capabilities) {
	can.Hooks = slices.Sorted(maps.Keys(s.Hooks))
	b, ok := backendOf(s.Cluster.Kind)
	switch {
	case ok && b.virtual:
		can.NoHooks = fmt.Errorf("the commands of hooks take real time, of which a cluster of kind %s has none (the others have)", s.Cluster.Kind)
	case runtime.GOOS != "linux":
		can.NoHooks = offspring.ErrUnsupported
	}
}

// hookMistakes judges the hooks themselves.
func (s *Scenario) hookMistakes(wrong complain) {
	for _, name := range slices.Sorted(maps.Keys(s.Hooks)) {
		hook := s.Hooks[name]
		if !nameForm.MatchString(name) {
			wrong("hooks."+name, "%q is not a name of up to 64 letters, digits, dots, dashes and underscores", name)
		}
		mistakes := hook.Mistakes()
		for _, field := range slices.Sorted(maps.Keys(mistakes)) {
			wrong("hooks."+name+"."+field, "%v", mistakes[field])
		}
		for field, argv := range map[string][]string{"inject": hook.Inject, "prove": hook.Prove, "heal": hook.Heal} {
			if len(argv) == 0 || argv[0] == "" {
				continue
			}
			if _, err := exec.LookPath(argv[0]); err != nil {
				wrong("hooks."+name+"."+field, "%s cannot be run: %v", argv[0], err)
			}
		}
	}
}
