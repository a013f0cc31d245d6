package console

import (
	"context"
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// openPty returns both ends of a new pseudo-terminal of 200 columns.
func openPty(t *testing.T) (keyboard, terminal *os.File) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("there are no pseudo-terminals here: ", err)
	}
	t.Cleanup(func() { _ = keyboard.Close() })
	if err := unix.IoctlSetPointerInt(int(keyboard.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(keyboard.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = terminal.Close() })
	if err := unix.IoctlSetWinsize(int(terminal.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 50, Col: 200}); err != nil {
		t.Fatal(err)
	}
	return keyboard, terminal
}

// typist is somebody at a real terminal.
type typist struct {
	*user
	keyboard *os.File
	ended    chan error
}

// atTerminal runs a console at a pseudo-terminal until the test ends.
func atTerminal(ctx context.Context, t *testing.T, primitive, as string) *typist {
	t.Helper()
	keyboard, tty := openPty(t)
	terminal, err := OpenTerminal(tty, tty)
	if err != nil {
		t.Fatal(err)
	}
	p := &typist{user: &user{t: t, screen: newScreen()}, keyboard: keyboard, ended: make(chan error, 1)}
	shown := make(chan struct{})
	go func() { // until the terminal's side is closed
		defer close(shown)
		buffer := make([]byte, 4096)
		for {
			n, err := keyboard.Read(buffer)
			if err != nil {
				return
			}
			_, _ = p.screen.Write(buffer[:n])
		}
	}()
	p.Console, err = Open(bounded(t), Config{
		Primitive: primitive, As: as, Prefix: prefix(t), Endpoints: endpoints(t, as), Out: terminal, Coloured: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		err := terminal.Run(ctx, p.Console)
		if closeErr := p.Close(); err == nil {
			err = closeErr
		}
		p.ended <- err
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.press("\x04") // Ctrl-D
		<-p.ended
		if err := terminal.Close(); err != nil {
			t.Error(err)
		}
		_ = tty.Close()
		<-shown
		if t.Failed() {
			t.Logf("%s saw:\n%q", as, p.screen)
		}
	})
	p.sees(as + ` ` + primitive + `/lab> `)
	return p
}

// press types keys, as they come from a keyboard.
func (p *typist) press(keys string) {
	p.t.Helper()
	if _, err := p.keyboard.WriteString(keys); err != nil {
		p.t.Fatal(err)
	}
}

const (
	enter = "\r"
	up    = "\x1b[A"
	ctrlC = "\x03"
	ctrlD = "\x04"
)

func TestTerminal(t *testing.T) {
	other := sit(t, "mutex", "other")
	other.types("lock")
	p := atTerminal(t.Context(), t, "mutex", "me")

	p.press("hel\t" + "un\t" + enter) // help unlock
	p.sees(`unlock: give the lock back`)
	p.press("loc\t" + enter)
	p.sees(`\x1b\[33mme waits with key \S+ created at rev \d+, behind key`)
	p.sees(`me mutex/lab> `)
	p.press("await" + enter) // which keeps the prompt away
	p.runs("await")
	p.press("keys" + ctrlC) // cancels it, and empties the line
	p.sees(`await is cancelled`)
	p.press(ctrlC)
	p.sees(`lock is cancelled`)
	p.ends("lock") // which is a moment after it has said so
	p.press(ctrlC)
	p.sees(`nothing runs; Ctrl-D or quit leaves`)
	p.press("c\t") // several candidates
	p.sees(`cancel  cut  crash`)
	p.press("ut" + ctrlC)
	p.sees(`nothing runs`)
	p.press(up + up + enter) // await, and before it lock
	p.sees(`me waits with key`)

	// What is told comes above what is being typed, which stays.
	p.press("un")
	p.sees(`un`)
	other.types("unlock")
	p.sees(`me holds the lock: key \S+ created at rev \d+, as of rev \d+\S*\r\nme mutex/lab> un`)
	p.press("lo\t" + enter)
	p.sees(`me no longer holds the lock: key \S+ deleted at rev`)
	p.hasNotSeen("there is no command")
	p.press(ctrlD)
	p.sees(`me leaves: lease \S+ and its keys are gone`)
	if err := <-p.ended; err != nil {
		t.Error(err)
	}
}

// The terminal is given back as it was found, and one that is none refused.
func TestTerminalIsGivenBack(t *testing.T) {
	_, tty := openPty(t)
	before, err := term.GetState(int(tty.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	terminal, err := OpenTerminal(tty, tty)
	if err != nil {
		t.Fatal(err)
	}
	if during, err := term.GetState(int(tty.Fd())); err != nil || *during == *before {
		t.Errorf("the terminal was not taken over: %v", err)
	}
	for range 2 {
		if err := terminal.Close(); err != nil {
			t.Error(err)
		}
	}
	if after, err := term.GetState(int(tty.Fd())); err != nil || *after != *before {
		t.Errorf("the terminal is not as before: %v", err)
	}
	none, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenTerminal(none, none); err == nil {
		t.Error("a file is a terminal")
	}
	_ = none.Close()
}

// A signal ends a console at a terminal as Ctrl-D does, even while a command
// keeps the prompt away.
func TestTerminalEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p := atTerminal(ctx, t, "queue", "me")
	p.press("await keys 3" + enter)
	p.runs("await")
	cancel()
	if err := <-p.ended; err != nil {
		t.Error(err)
	}
	p.sees("me leaves: lease")
	p.hasNotSeen("etcd does not answer")
}

func TestCrashAtATerminal(t *testing.T) {
	p := atTerminal(t.Context(), t, "mutex", "me")
	p.press("lock" + enter + "crash" + enter)
	if err := <-p.ended; err != ErrCrashed {
		t.Errorf("ended with %v, want %v", err, ErrCrashed)
	}
	p.sees(`me crashed: nobody is told`)
}
