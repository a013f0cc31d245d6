// Package console is an interactive console for one of etcd's primitives: its
// user takes locks, runs for leader, waits, and harms the console's own links
// to see what happens to what it believes.
//
// # Usage
//
//	c, err := console.Open(ctx, console.Config{Primitive: "mutex", Endpoints: urls, Out: os.Stdout})
//	if err != nil { … }
//	defer c.Close()
//	err = c.Run(ctx, lines, console.RunOptions{Echo: true})
//
// or, where a person types, [OpenTerminal] and [Terminal.Run].
//
// # What it prints
//
// Each line names the etcd key and the revision behind it. Revisions of writes
// are those of etcd's answers to the very requests that the recipe made, which
// the console listens in on; nothing is asked a second time but where a line
// says "as of rev", which is a linearizable read of the console's own.
//
// # Commands that wait
//
// A command runs until it has ended or is found waiting, which is when the
// recipe opens a watch; then it goes on in the background and tells when it
// ends. Where etcd's calls take no context, as those of the locker and of all
// recipes, they are given a client whose requests end when the command is
// cancelled; the console then deletes the key that they leave behind.
//
// # Obligations of the caller
//
// All methods but Interrupt and Complete are for one goroutine at a time. Out
// is written to by several, one line or more a call, never two at once.
package console
