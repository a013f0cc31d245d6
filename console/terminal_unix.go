//go:build unix

package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// The rules of the terminal:
//
//   - What a command prints appears above the prompt, and the line that is
//     being typed stays as it is.
//   - Ctrl-C is a key, not a signal: it cancels the command that was started
//     last and empties the line, at any time, even while a command keeps the
//     prompt away.
//   - The terminal is as it was found when Close returns.

// The keys that the terminal does not leave to x/term.
const (
	keyCtrlC     = 0x03
	clearTheLine = "\x05\x15" // to its end, and delete all before it
	keyTab       = '\t'
)

// Terminal is a terminal at which somebody types. It is the Out of its console.
type Terminal struct {
	*term.Terminal
	in, out  *os.File
	before   *term.State
	keyboard *keyboard
	closing  sync.Once
}

// OpenTerminal takes the terminal over. It fails if in or out is none.
func OpenTerminal(in, out *os.File) (*Terminal, error) {
	if !term.IsTerminal(int(in.Fd())) || !term.IsTerminal(int(out.Fd())) {
		return nil, errors.New("not a terminal")
	}
	before, err := term.MakeRaw(int(in.Fd()))
	if err != nil {
		return nil, err
	}
	k := newKeyboard()
	t := &Terminal{
		Terminal: term.NewTerminal(struct {
			io.Reader
			io.Writer
		}{k, out}, ""),
		in: in, out: out, before: before, keyboard: k,
	}
	t.fit()
	return t, nil
}

// fit learns the terminal's size.
func (t *Terminal) fit() {
	if width, height, err := term.GetSize(int(t.out.Fd())); err == nil && width > 0 && height > 0 {
		_ = t.SetSize(width, height) // as the terminal itself says
	}
}

// Close gives the terminal back as it was.
func (t *Terminal) Close() (err error) {
	t.closing.Do(func() { err = term.Restore(int(t.in.Fd()), t.before) })
	return err
}

// Run executes what is typed until the user quits or ctx ends. It does not
// close the console. It returns ErrCrashed or nil, or says why nothing can be
// read.
func (t *Terminal) Run(ctx context.Context, c *Console) error {
	defer context.AfterFunc(ctx, func() {
		c.cancelAll()
		t.keyboard.end(io.EOF)
	})()
	t.AutoCompleteCallback = func(line string, at int, key rune) (string, int, bool) {
		if key != keyTab {
			return "", 0, false
		}
		completed, candidates := c.Complete(line[:at])
		if completed == line[:at] && len(candidates) > 1 {
			c.out.line(plain, "%s", strings.Join(candidates, "  "))
		}
		return completed + line[at:], len(completed), true
	}
	end, err := t.watch(c)
	if err != nil {
		return err
	}
	defer end()
	for {
		t.SetPrompt(c.Prompt())
		line, err := t.ReadLine()
		switch {
		case errors.Is(err, io.EOF):
			t.SetPrompt("")
			_, err = fmt.Fprintf(t, "%squit\n", c.Prompt()) // in place of the prompt
			return err
		case err != nil:
			return err
		}
		err = c.Execute(line)
		switch {
		case errors.Is(err, ErrCrashed):
			return ErrCrashed
		case IsQuit(err):
			return nil
		}
	}
}

// watch reads keys, and the terminal's size whenever it changes, until end is
// called.
func (t *Terminal) watch(c *Console) (end func(), err error) {
	wake, poke, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	sizes := make(chan os.Signal, 1)
	signal.Notify(sizes, syscall.SIGWINCH)
	var work sync.WaitGroup
	work.Go(func() { t.keyboard.end(t.read(int(wake.Fd()), c)) })
	work.Go(func() {
		for range sizes {
			t.fit()
		}
	})
	return func() {
		_ = poke.Close() // which wakes the reader
		signal.Stop(sizes)
		close(sizes)
		work.Wait()
		_ = wake.Close()
	}, nil
}

// read passes keys on until the terminal is gone or wake is readable.
func (t *Terminal) read(wake int, c *Console) error {
	buffer := make([]byte, 256)
	for {
		files := []unix.PollFd{{Fd: int32(t.in.Fd()), Events: unix.POLLIN}, {Fd: int32(wake), Events: unix.POLLIN}}
		if _, err := unix.Poll(files, -1); err != nil && !errors.Is(err, unix.EINTR) {
			return err
		}
		if files[1].Revents != 0 {
			return io.EOF
		}
		if files[0].Revents == 0 {
			continue
		}
		n, err := t.in.Read(buffer)
		if err != nil || n == 0 { // hung up
			return io.EOF
		}
		for _, key := range buffer[:n] {
			if key != keyCtrlC {
				t.keyboard.press(key)
				continue
			}
			t.keyboard.press([]byte(clearTheLine)...)
			c.Interrupt()
		}
	}
}

// keyboard is what was typed and not read yet: commands must not keep Ctrl-C
// from being seen.
type keyboard struct {
	mu      sync.Mutex
	changed *sync.Cond
	typed   []byte
	err     error
}

func newKeyboard() *keyboard {
	k := &keyboard{}
	k.changed = sync.NewCond(&k.mu)
	return k
}

func (k *keyboard) press(keys ...byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.typed = append(k.typed, keys...)
	k.changed.Broadcast()
}

// end makes Read fail once everything is read.
func (k *keyboard) end(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.err == nil {
		k.err = err
	}
	k.changed.Broadcast()
}

// Read waits for a key.
func (k *keyboard) Read(p []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for len(k.typed) == 0 && k.err == nil {
		k.changed.Wait()
	}
	if len(k.typed) == 0 {
		return 0, k.err
	}
	n := copy(p, k.typed)
	k.typed = k.typed[n:]
	return n, nil
}
