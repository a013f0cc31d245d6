package console

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestMistakes(t *testing.T) {
	a := sit(t, "election", "a")
	for _, test := range []struct{ line, complaint string }{
		{"elct", `elct: there is no command "elct"; there are elect, proclaim`},
		{"lock", `lock: there is no command "lock"`},
		{"proclaim", `proclaim: usage: proclaim VALUE`},
		{"proclaim value", `proclaim: a has nothing`},
		{"resign", `resign: a has nothing`},
		{"rev", `rev: a has nothing`},
		{"resign now", `resign: usage: resign`},
		{"await keys many", `await: "many" is not a number of keys`},
		{"await keys", `await: usage: await [COMMAND | keys N | lost]`},
		{"await two things", `await: usage: await`},
		{"await watch", `await: watch ends only when it is cancelled`},
		{"await nonsense", `await: there is no command "nonsense"`},
		{"sleep long", `sleep: "long" is not a duration`},
		{"heal", `heal: there is nothing to heal`},
		{"help nonsense", `help: there is no command "nonsense"`},
	} {
		before := a.Failures()
		if err := a.Execute(test.line); err == nil {
			t.Errorf("%q: no error", test.line)
		} else if !strings.HasPrefix(err.Error(), test.complaint) {
			t.Errorf("%q: %v, want %s", test.line, err, test.complaint)
		}
		if a.Failures() != before+1 {
			t.Errorf("%q: not counted", test.line)
		}
		if !strings.Contains(a.screen.String(), test.complaint) {
			t.Errorf("%q: not told:\n%s", test.line, a.screen)
		}
	}
	a.types("", "  ", "# a comment", "elect")
	if err := a.Execute("elect"); err == nil {
		t.Error("elected twice")
	}
	a.sees(`elect: a leads with "a" already: key`)
}

func TestHelp(t *testing.T) {
	for _, primitive := range Primitives() {
		t.Run(primitive, func(t *testing.T) {
			a := sit(t, primitive, "a")
			a.types("help")
			for _, d := range a.commands {
				if d.summary == "" || !strings.Contains(a.screen.String(), "\n  "+d.usage()+" ") {
					t.Errorf("help does not tell of %s", d.usage())
				}
				for _, name := range append(d.aliases, d.name) {
					if found, err := a.find(name); err != nil || found != d {
						t.Errorf("%s is not found by the name %s", d.name, name)
					}
				}
			}
			a.types("help await")
			a.sees(`await \[COMMAND \| keys N \| lost\]: wait`)
		})
	}
}

func TestComplete(t *testing.T) {
	a := sit(t, "mutex", "a")
	for _, test := range []struct {
		line, completed string
		candidates      []string
	}{
		{"", "", nil}, // everything: not listed here
		{"l", "lock ", nil},
		{"un", "unlock ", nil},
		{"c", "c", []string{"cancel", "cut", "crash"}},
		{"ca", "cancel ", nil},
		{"q", "quit ", nil},
		{"ex", "exit ", nil},
		{"s", "s", []string{"status", "sleep"}},
		{"xyz", "xyz", nil},
		{"help tr", "help trylock ", nil},
		{"await ke", "await key", []string{"key", "keys"}},
		{"lock 1", "lock 1", nil},
	} {
		completed, candidates := a.Complete(test.line)
		if test.line == "" {
			if len(candidates) < len(a.commands) {
				t.Errorf("nothing typed: only %q", candidates)
			}
			continue
		}
		if len(candidates) == 1 {
			candidates = nil
		}
		if completed != test.completed || !slices.Equal(candidates, test.candidates) {
			t.Errorf("%q: %q, %q; want %q, %q", test.line, completed, candidates, test.completed, test.candidates)
		}
	}
}

func TestConfigIsCheckedAtOnce(t *testing.T) {
	err := Config{Primitive: "semaphore", Object: "a/b", As: "x y", TTL: 1500 * time.Millisecond, Endpoints: []string{"https://h:1", "h"}}.Validate()
	for _, complaint := range []string{
		`no primitive "semaphore"; there are barrier, election`, `"a/b" has a slash`, `"x y" has a slash or a space`,
		"1.5s: must be whole seconds", "endpoint https://h:1: want http://HOST:PORT", "endpoint http://h: want",
	} {
		if err == nil || !strings.Contains(err.Error(), complaint) {
			t.Errorf("%v does not say %q", err, complaint)
		}
	}
	if err := (Config{Primitive: "mutex", Endpoints: []string{"127.0.0.1:1", "http://localhost:2"}}).Validate(); err != nil {
		t.Error(err)
	}
	if err := (Config{Primitive: "mutex"}).Validate(); err == nil {
		t.Error("no endpoints, no error")
	}
}

func TestNames(t *testing.T) {
	parties := 0
	open := func(as string) (*Console, error) {
		parties++
		c, err := Open(bounded(t), Config{Primitive: "mutex", As: as, Prefix: prefix(t), Endpoints: endpoints(t, strconv.Itoa(parties)), Out: newScreen()})
		if err == nil {
			t.Cleanup(func() { _ = c.Close() })
		}
		return c, err
	}
	var names []string
	for _, as := range []string{"", "c2", "", "x"} {
		c, err := open(as)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, c.Name())
	}
	if want := []string{"c1", "c2", "c3", "x"}; !slices.Equal(names, want) {
		t.Errorf("names %q, want %q", names, want)
	}
	if _, err := open("x"); err == nil || !strings.Contains(err.Error(), "the name x is that of another console") {
		t.Errorf("a second x: %v", err)
	}
}

func TestNobodyAnswers(t *testing.T) {
	party := "nobody"
	urls := endpoints(t, party)
	etcd.Disconnect(t.Name() + "/" + party) // the ports are closed now
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if c, err := Open(ctx, Config{Primitive: "mutex", Prefix: prefix(t), Endpoints: urls, Out: newScreen()}); err == nil {
		_ = c.Close()
		t.Error("opened without etcd")
	}
}

func TestRaisedTTLIsTold(t *testing.T) {
	// Members with the default configuration grant no less than a second, and
	// consoles ask for no less: what is told is what etcd granted.
	a := sitWith(t, "mutex", "a", time.Second)
	a.sees(`session with lease \S+, TTL 1s`)
	a.hasNotSeen("raised")
}

func lines(all ...string) <-chan string {
	c := make(chan string, len(all))
	for _, line := range all {
		c <- line
	}
	close(c)
	return c
}

func TestRun(t *testing.T) {
	a := sit(t, "mutex", "a")
	if err := a.Run(t.Context(), lines("lock", "nonsense", "unlock"), RunOptions{Echo: true}); err != nil {
		t.Errorf("run: %v", err)
	}
	a.sees(`(?s)a mutex/lab> lock\na holds.*> nonsense\nnonsense: there is.*> unlock\na no longer`)
	if err := a.Run(t.Context(), lines("unlock", "lock"), RunOptions{FailFast: true}); !errors.Is(err, ErrFailed) {
		t.Errorf("run: %v, want %v", err, ErrFailed)
	}
	if _, err := a.believed(); err == nil {
		t.Error("went on after a command that failed")
	}
	if err := a.Run(t.Context(), lines("quit", "lock"), RunOptions{}); err != nil {
		t.Errorf("run: %v", err)
	}
	if _, err := a.believed(); err == nil {
		t.Error("went on after quit")
	}
	if err := sit(t, "mutex", "b").Run(t.Context(), lines("crash", "lock"), RunOptions{}); !errors.Is(err, ErrCrashed) {
		t.Errorf("run: %v, want %v", err, ErrCrashed)
	}
}
