package process

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/etcd-holdfast/holdfast/cluster/members"
	"github.com/etcd-holdfast/holdfast/internal/offspring"
)

// Role is the role of offspring.Role in which this program is a member.
const Role = "member"

// bindPatience is how long a process may take to tell where it listens.
const bindPatience = 30 * time.Second

// told is what a process of this program tells of itself, one JSON object a line.
type told struct {
	Peers   string `json:"peers,omitempty"`
	Clients string `json:"clients,omitempty"`
	// Why says why it ends, unless it was asked to.
	Why string `json:"why,omitempty"`
}

// ears hear what a process of this program tells.
type ears struct {
	bound chan told // receives the addresses

	log *members.Tail

	mu  sync.Mutex
	why string
}

// listen hears a process until it has ended. It closes file.
func (e *ears) listen(file *os.File) {
	defer close(e.bound)
	defer func() { _ = file.Close() }()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var t told
		if json.Unmarshal(lines.Bytes(), &t) != nil {
			continue // its last line may be cut off
		}
		if t.Peers != "" {
			e.bound <- t
		}
		e.mu.Lock()
		e.why = t.Why
		e.mu.Unlock()
	}
}

// reason is why the process ended, as far as it said.
func (e *ears) reason() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.why == "" {
		return e.log.Why()
	}
	return e.why
}

// beginOwn starts a member that is a process of this program.
func (c *Cluster) beginOwn(ctx context.Context, p *members.Place) (*life, error) {
	log, err := members.NewTail(p.Log)
	if err != nil {
		return nil, err
	}
	e := &ears{bound: make(chan told, 1), log: log}
	process, gate, err := c.startOwn(p, e)
	if err != nil {
		return nil, err
	}
	timer := time.NewTimer(bindPatience)
	defer timer.Stop()
	select {
	case t, ok := <-e.bound:
		if ok {
			return c.newLife(p.Name, process, gate, t.Peers, t.Clients, e.reason)
		}
		err = errors.New("it ended before it listened")
		if why := e.reason(); why != "" {
			err = errors.New(why)
		}
	case <-timer.C:
		err = fmt.Errorf("it did not listen within %v", bindPatience)
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	return nil, errors.Join(err, process.Kill(), gate.close())
}

// startOwn starts the process, tells it what it has to know, and listens to it.
func (c *Cluster) startOwn(p *members.Place, e *ears) (*offspring.Process, *gate, error) {
	theirSpec, spec, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = theirSpec.Close() }()
	answers, theirAnswers, err := os.Pipe()
	if err != nil {
		return nil, nil, errors.Join(err, spec.Close())
	}
	defer func() { _ = theirAnswers.Close() }()
	process, gate, err := c.startProcess(offspring.Command{
		Name: "its process", Role: Role, Argv: []string{Role, p.Name},
		Stdout: p.Log, Stderr: p.Log, Files: []*os.File{theirSpec, theirAnswers},
	})
	if err != nil {
		return nil, nil, errors.Join(err, spec.Close(), answers.Close())
	}
	c.listening.Go(func() { e.listen(answers) })
	// What it has to know is smaller than the pipe: nobody has to read for this to
	// return.
	if err := errors.Join(json.NewEncoder(spec).Encode(c.Spec(p)), spec.Close()); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("tell it what to serve: %w", err), process.Kill(), gate.close())
	}
	return process, gate, nil
}
