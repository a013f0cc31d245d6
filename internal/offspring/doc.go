// Package offspring starts processes that die with the one that started them,
// however it dies, and that can be frozen and killed with evidence from /proc.
//
// Three things see to it: the kernel sends SIGKILL to each child when its
// [Parent] is gone (PR_SET_PDEATHSIG); a program that may start others runs
// under a keeper, a process of this same program that adopts all of its
// descendants (PR_SET_CHILD_SUBREAPER) and kills them when the harness's end of
// a pipe is closed; and whatever all that should miss carries a mark in its
// environment, by which [Leftovers] finds it.
//
// # Obligations of the caller
//
// A program that uses this package starts itself anew in other roles. It has to
// look at [Role] before it does anything else, do what the role says, and exit.
// [Keep] is what the role "keeper" does.
package offspring

import (
	"errors"
	"os"
	"slices"
	"strings"
	"time"
)

const (
	// RoleVariable is the variable that says to this program what it was started as.
	RoleVariable = "HOLDFAST_ROLE"
	// markVariable is in the environment of every process that was started, and
	// of all that these start: whose it is.
	markVariable = "HOLDFAST_HARNESS"
)

// Keeper is the role of a process that keeps others; see Keep.
const Keeper = "keeper"

// ErrUnsupported is returned where processes cannot be made to die with this one.
var ErrUnsupported = errors.New("processes that die with this one are to be had on Linux only")

// Role is what this process was started as: Command.Role, or "" if it was not
// started by this package in a role.
func Role() string { return os.Getenv(RoleVariable) }

// Secret is an environment variable that no process is given which was started by
// this package, but by its Command.Env.
const Secret = "HOLDFAST_PASSWORD"

// environ is this process's environment without what is for itself alone.
func environ() []string {
	return slices.DeleteFunc(os.Environ(), func(entry string) bool { return strings.HasPrefix(entry, Secret+"=") })
}

// As is this process's environment, for what it becomes by exec in another role.
func As(role string) []string {
	environ := slices.DeleteFunc(os.Environ(), func(entry string) bool { return strings.HasPrefix(entry, RoleVariable+"=") })
	return append(environ, RoleVariable+"="+role)
}

// Command is a process to start.
type Command struct {
	// Name is how errors call it, for example "member m1".
	Name string
	// Role, if not "", starts this program itself, which finds it in Role.
	Role string
	// Argv is the program and its arguments, or, with a Role, what comes after the
	// program's name: it says to people what the process is.
	Argv []string
	// Dir is its working directory; "" is this process's.
	Dir string
	// Env is added to this process's environment.
	Env []string
	// Stdin, Stdout and Stderr are its own; nil is /dev/null. Files are its
	// descriptors from 3 on. The caller closes them.
	Stdin, Stdout, Stderr *os.File
	Files                 []*os.File
	// Tree says that it may start others. They are frozen and killed with it.
	Tree bool
}

// Leftover is a process that a harness which is dead has left behind.
type Leftover struct {
	PID     int
	Command string
	// Harness is the process id of the harness that started it.
	Harness int
}

const (
	killPatience   = 10 * time.Second
	freezePatience = 5 * time.Second
	lookPause      = 2 * time.Millisecond
)
