package faults

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/etcd-holdfast/holdfast/cluster"
)

// HookPrefix begins the names of the faults that are hooks: what follows is the
// hook's own.
const HookPrefix = "hook/"

// Hook is a fault that commands carry out: they do what holdfast itself cannot, where
// somebody else runs the cluster. A command is a list of arguments, without a shell.
// What it is about it finds in its environment; see docs/scenarios.md.
type Hook struct {
	// Inject does the harm. If it fails the fault counts as not injected, and Heal is
	// run all the same.
	Inject []string `yaml:"inject"`
	// Prove succeeds if the harm is there. What it says is the evidence.
	Prove []string `yaml:"prove"`
	// Heal undoes the harm, and returns when the member is as it was; none is that it
	// heals by itself.
	Heal []string `yaml:"heal,omitempty"`
	// Timeout is how long each of them may take: it, and all that it has started, is
	// killed then. Zero is DefaultHookTimeout.
	Timeout time.Duration `yaml:"timeout,omitempty"`
	// Member is whom it hits: "" is drawn, "leader" is who leads then, else a name.
	Member string `yaml:"member,omitempty"`
	// Downs is how many members it takes out so that their clients go to others. One
	// that takes none out cannot be survivable.
	Downs int `yaml:"downs,omitempty"`
}

// DefaultHookTimeout is a Hook.Timeout that is not said.
const DefaultHookTimeout = 30 * time.Second

// lateProof is how long a proof may take that begins when the run was interrupted.
const lateProof = 3 * time.Second

// HookCommand is one command of a hook.
type HookCommand struct {
	Argv, Env []string
	Timeout   time.Duration
}

// Commander runs the commands of hooks.
type Commander interface {
	// Command runs one and returns the end of what it said on its standard output. The
	// error has the end of all that it said. When the time is over, or ctx ends, it is
	// killed with all that it has started.
	Command(ctx context.Context, c HookCommand) (said string, err error)
}

// hookKind is the kind of the hook of that name. Proved by what its own command says.
func hookKind(name string) Kind {
	return Kind{
		Name: HookPrefix + name, Summary: "what the commands of the scenario's hook " + name + " do", Draws: true,
		needs: []need{needsHook(name)},
		inject: func(ctx context.Context, w *World, choice *rand.Rand, _ string) (*effect, error) {
			hook, ok := w.Hooks[name]
			if !ok || w.Commander == nil {
				return nil, fmt.Errorf("there is no hook %q", name)
			}
			member, leader, err := hook.victim(w.Cluster, choice)
			if err != nil {
				return nil, err
			}
			target := member
			if member == leader {
				target += " (leader)"
			}
			s := &strike{hook: hook, commander: w.Commander, env: environ(ctx, w, name, member, leader), interrupted: w.Interrupted}
			e := &effect{target: target, prove: s.prove}
			if len(hook.Heal) > 0 {
				e.heal = s.heal
			}
			if _, err := s.command(ctx, "inject", hook.Inject); err != nil {
				return e, err
			}
			return e, nil
		},
	}
}

// victim is whom a hook hits, and who leads, if that is known.
func (h *Hook) victim(c cluster.Cluster, choice *rand.Rand) (member, leader string, err error) {
	if _, ok := c.(cluster.StatusReader); ok {
		leader, _ = leaderOf(c)
	}
	switch drawn := anyMember(c, choice); {
	case h.Member == "":
		return drawn, leader, nil
	case h.Member != "leader" && !slices.Contains(c.Members(), h.Member):
		return "", "", fmt.Errorf("there is no member %q; there are %s", h.Member, strings.Join(c.Members(), ", "))
	case h.Member != "leader":
		return h.Member, leader, nil
	case leader == "":
		return "", "", errNobody
	}
	return leader, leader, nil
}

// strike is a hook at work.
type strike struct {
	hook      Hook
	commander Commander
	env       []string
	// interrupted ends when the run is, if it is not nil.
	interrupted context.Context
}

func (s *strike) command(ctx context.Context, step string, argv []string) (string, error) {
	timeout := s.hook.Timeout
	if timeout == 0 {
		timeout = DefaultHookTimeout
	}
	// A command has the time that its scenario gives it, and not that of other faults.
	ctx = context.WithoutCancel(ctx)
	switch {
	case step == "heal" || s.interrupted == nil:
	case step == "prove" && s.interrupted.Err() != nil: // what was injected is worth a look
		timeout = min(timeout, lateProof)
	default:
		ctx = s.interrupted
	}
	said, err := s.commander.Command(ctx, HookCommand{
		Argv: argv, Timeout: timeout, Env: append(slices.Clone(s.env), "HOLDFAST_STEP="+step),
	})
	return said, err
}

func (s *strike) prove(ctx context.Context) (bool, string) {
	said, err := s.command(ctx, "prove", s.hook.Prove)
	switch {
	case err != nil:
		return false, "prove: " + err.Error()
	case said == "":
		return true, "its proof succeeded, without a word"
	}
	return true, said
}

func (s *strike) heal(ctx context.Context) error {
	_, err := s.command(ctx, "heal", s.hook.Heal)
	return err
}

// environ is what the commands of a hook are told.
func environ(ctx context.Context, w *World, name, member, leader string) []string {
	endpoint := func(string) string { return "" }
	if addressed, ok := w.Cluster.(cluster.Addressed); ok {
		endpoint = addressed.Endpoint
	}
	var endpoints []string
	for _, m := range w.Cluster.Members() {
		if e := endpoint(m); e != "" {
			endpoints = append(endpoints, e)
		}
	}
	return []string{
		"HOLDFAST_HOOK=" + name, "HOLDFAST_RUN=" + w.Run, "HOLDFAST_FAULT_ID=" + strconv.FormatInt(faultOf(ctx), 10),
		"HOLDFAST_MEMBER=" + member, "HOLDFAST_MEMBERS=" + strings.Join(w.Cluster.Members(), " "), "HOLDFAST_LEADER=" + leader,
		"HOLDFAST_ENDPOINT=" + endpoint(member), "HOLDFAST_ENDPOINTS=" + strings.Join(endpoints, ","),
	}
}

// needsHook is the need of a hook of that name, and of commands.
func needsHook(name string) need {
	return func(c Capabilities) error {
		if !slices.Contains(c.Hooks, name) {
			there := "there is none"
			if len(c.Hooks) > 0 {
				there = "there are " + strings.Join(c.Hooks, ", ")
			}
			return fmt.Errorf("the scenario has no hook %q; %s", name, there)
		}
		return c.NoHooks
	}
}

// Mistakes returns what is wrong with a hook, by field.
func (h *Hook) Mistakes() map[string]error {
	wrong := make(map[string]error)
	for field, argv := range map[string][]string{"inject": h.Inject, "prove": h.Prove} {
		if len(argv) == 0 {
			wrong[field] = errors.New("there is no command; it is a list such as [kubectl, delete, pod, etcd-0]")
		}
	}
	for field, argv := range map[string][]string{"inject": h.Inject, "prove": h.Prove, "heal": h.Heal} {
		if len(argv) > 0 && argv[0] == "" {
			wrong[field] = errors.New("the program has no name")
		}
	}
	if h.Timeout < 0 || h.Timeout > time.Hour {
		wrong["timeout"] = fmt.Errorf("%v is not between 0s, which is %v, and 1h", h.Timeout, DefaultHookTimeout)
	}
	if h.Downs < 0 {
		wrong["downs"] = fmt.Errorf("%d is less than none", h.Downs)
	}
	return wrong
}

// faultKey is under what a context has the ID of the fault at hand.
type faultKey struct{}

func withFault(ctx context.Context, id int64) context.Context {
	return context.WithValue(ctx, faultKey{}, id)
}

func faultOf(ctx context.Context) int64 {
	id, _ := ctx.Value(faultKey{}).(int64)
	return id
}
