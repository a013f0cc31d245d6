package console

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// command is one that a user can type.
type command struct {
	name    string
	aliases []string
	// arguments is how help spells them, in brackets what may be left out.
	arguments string
	summary   string
	least     int
	most      int // -1: any number, which make one value
	// blocks makes the command go on in the background when it waits.
	blocks bool
	// alone is set for commands on the primitive's one object, of which only
	// one can run.
	alone bool
	// local commands need no etcd; a paused console does them too.
	local bool
	// lasting commands end only when they are cancelled: nobody awaits them.
	lasting bool

	run func(j *job, args []string) error
	// waits says what the command waits for, given the key that it watches, as
	// soon as the console is not paused. nil says nothing.
	waits func(j *job, behind string)
}

func (d *command) is(name string) bool { return d.name == name || slices.Contains(d.aliases, name) }

func (d *command) usage() string { return strings.TrimSpace(d.name + " " + d.arguments) }

// check complains if there are too few arguments or too many.
func (d *command) check(args []string) error {
	if len(args) < d.least || d.most >= 0 && len(args) > d.most {
		return fmt.Errorf("usage: %s", d.usage())
	}
	return nil
}

// find returns the command of that name.
func (c *Console) find(name string) (*command, error) {
	for _, d := range c.commands {
		if d.is(name) {
			return d, nil
		}
	}
	var names []string
	for _, d := range c.commands {
		names = append(names, d.name)
	}
	return nil, fmt.Errorf("there is no command %q; there are %s", name, strings.Join(names, ", "))
}

// Complete returns what the line up to the cursor can be completed to, and all
// candidates for its last word if there are several. It returns line if there
// is nothing to add.
func (c *Console) Complete(line string) (completed string, candidates []string) {
	before, word := "", line
	if at := strings.LastIndexByte(line, ' '); at >= 0 {
		before, word = line[:at+1], line[at+1:]
	}
	if first := strings.TrimSpace(before); first != "" && !slices.Contains([]string{"help", "await", "cancel"}, first) {
		return line, nil
	}
	for _, d := range c.commands {
		if strings.HasPrefix(d.name, word) {
			candidates = append(candidates, d.name)
		}
		for _, alias := range d.aliases {
			if word != "" && strings.HasPrefix(alias, word) && !strings.HasPrefix(d.name, word) {
				candidates = append(candidates, alias)
			}
		}
	}
	switch len(candidates) {
	case 0:
		return line, nil
	case 1:
		return before + candidates[0] + " ", nil
	}
	return before + commonPrefix(candidates), candidates
}

func commonPrefix(words []string) string {
	prefix := words[0]
	for _, w := range words[1:] {
		for !strings.HasPrefix(w, prefix) {
			prefix = prefix[:len(prefix)-1]
		}
	}
	return prefix
}

// errQuit ends a console at its user's wish.
var errQuit = errors.New("quit")

// ErrCrashed is returned when the user made the console crash: the program must
// end without closing anything.
var ErrCrashed = errors.New("the console crashed, as it was told to")

// commonCommands are those that every console has.
func (c *Console) commonCommands() []*command {
	return []*command{
		{name: "status", summary: "what this console believes, and what etcd says", run: c.status},
		{name: "keys", summary: "all keys of the object: since which revision, on whose lease", run: c.keys},
		{name: "await", arguments: "[COMMAND | keys N | lost]", most: 2, run: c.await,
			summary: "wait for what runs in the background to end, for N keys, or for the loss of the session"},
		{name: "cancel", arguments: "[COMMAND]", most: 1, local: true, summary: "end what runs in the background", run: c.cancel},
		{name: "cut", local: true, summary: "cut this console's links to etcd", run: c.cut},
		{name: "pause", local: true, run: c.pause,
			summary: "stop like a process under SIGSTOP: nothing leaves, nothing arrives, nothing is told until heal"},
		{name: "heal", local: true, summary: "end cut and pause", run: c.heal},
		{name: "crash", local: true, summary: "die without a goodbye; the lease is left to run out", run: c.crash},
		{name: "sleep", arguments: "DURATION", least: 1, most: 1, local: true, summary: "do nothing for a while, as 2s", run: c.sleep},
		{name: "help", aliases: []string{"?"}, arguments: "[COMMAND]", most: 1, local: true, summary: "this", run: c.help},
		{name: "quit", aliases: []string{"exit"}, local: true, summary: "close the session and leave (also Ctrl-D)",
			run: func(*job, []string) error { return errQuit }},
	}
}

func (c *Console) help(_ *job, args []string) error {
	if len(args) == 1 {
		d, err := c.find(args[0])
		if err != nil {
			return err
		}
		text := d.usage() + ": " + d.summary
		if len(d.aliases) > 0 {
			text += "; also " + strings.Join(d.aliases, ", ")
		}
		if d.blocks {
			text += "; goes on in the background while it waits: await or cancel it"
		}
		c.out.line(plain, "%s", text)
		return nil
	}
	var lines []string
	for _, d := range c.commands {
		lines = append(lines, fmt.Sprintf("  %-34s %s", d.usage(), d.summary))
	}
	c.out.line(plain, "%s\nTab completes, Ctrl-C cancels, Ctrl-D quits.", strings.Join(lines, "\n"))
	return nil
}
