package pipe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/internal/offspring"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// Program is one that runs and has answered hello. All methods are safe for
// concurrent use.
type Program struct {
	Hello

	patience Patience
	process  *offspring.Process
	stdin    *os.File
	stdout   *os.File
	log      io.WriteCloser
	life     context.Context
	// finished are the goroutines that read what it writes.
	finished sync.WaitGroup
	out, err tail
	// turn is had by whoever has a request on its way.
	turn   chan struct{}
	frozen atomic.Int32
	// writing is had by whoever writes a line to it.
	writing sync.Mutex

	mu      sync.Mutex
	last    int64 // request
	pending map[int64]*pending
	stray   int
	events  budget
	lease   int64
	notes   []note
	told    map[string]bool // rules whose breach was noted
	// ending is true once it was asked to end, and killed once it was killed: what
	// it does then is no breach.
	ending, killed bool
	isLost         bool

	// logged is closed when all of its log was read.
	lost, ended, logged chan struct{}
}

var _ workloads.Partner = (*Program)(nil)

// note is a breach of a rule.
type note struct{ rule, story string }

// budget limits events.
type budget struct {
	left  float64
	since time.Time
}

func (b *budget) spend() bool {
	now := time.Now()
	b.left = min(maxBurst, b.left+now.Sub(b.since).Seconds()*maxRate) - 1
	b.since = now
	return b.left >= 0
}

// Lease is the lease of which the program has told last, or zero.
func (p *Program) Lease() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lease
}

// Lost is closed when the program has told that it lost what it held.
func (p *Program) Lost() <-chan struct{} { return p.lost }

// Ended is closed when the program is dead, or cannot be spoken to any more.
func (p *Program) Ended() <-chan struct{} { return p.ended }

// Breach returns a rule that the program has broken and what it did, and
// forgets it. Of each rule it tells once.
func (p *Program) Breach() (rule, story string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.notes) == 0 {
		return "", ""
	}
	first := p.notes[0]
	p.notes = p.notes[1:]
	return first.rule, first.story
}

// note keeps a breach, with the last lines of the program.
func (p *Program) note(rule, format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.killed || p.told[rule] {
		return
	}
	p.told[rule] = true
	p.notes = append(p.notes, note{rule, fmt.Sprintf(format, args...) + p.lastLines()})
}

// lastLines are those that the program has written last.
func (p *Program) lastLines() string {
	text := ""
	if out := p.out.String(); out != "" {
		text += "; its last lines: " + out
	}
	if err := p.err.String(); err != "" {
		text += "; its log ends with: " + err
	}
	return text
}

// greet says hello.
func (p *Program) greet(ctx context.Context, a workloads.Attachment) error {
	within, cancel := context.WithTimeout(ctx, p.patience.Hello)
	defer cancel()
	endpoints := a.Endpoints
	if endpoints == nil {
		endpoints = []string{}
	}
	answer, err := p.call(within, request{
		"op": "hello", "version": Version, "client": a.Client, "endpoints": endpoints, "prefix": a.Prefix, "ttl_ms": a.TTL.Milliseconds(),
	}, nil)
	if rule, story := p.Breach(); rule != "" && (err != nil || rule != noJSON) {
		return &workloads.BreachError{Rule: rule, Story: "hello: " + story}
	} else if rule != "" { // it goes on, and is told of at the first call
		p.mu.Lock()
		p.notes = append([]note{{rule, story}}, p.notes...)
		p.mu.Unlock()
	}
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return &workloads.BreachError{Rule: refused, Story: fmt.Sprintf("hello was answered by an error: %v%s", err, p.lastLines())}
	}
	hello, err := readHello(answer)
	if err != nil {
		return &workloads.BreachError{Rule: refused, Story: fmt.Sprintf("its answer to hello: %v%s", err, p.lastLines())}
	}
	p.Hello = hello
	p.mu.Lock()
	p.lease = hello.Lease
	p.mu.Unlock()
	return nil
}

// errEnded is why nothing is asked of a program any more.
var errEnded = errors.New("the program has ended")

// Kill ends the program at once, with everything that it has started.
func (p *Program) Kill() {
	p.mu.Lock()
	p.killed = true
	p.mu.Unlock()
	p.kill()
}

// kill ends the program for what it did. That it dies is no breach then.
func (p *Program) kill() {
	p.mu.Lock()
	p.ending = true
	p.mu.Unlock()
	_ = p.process.Kill() // the parent kills what is left, and tells
	_ = p.stdin.Close()
}

// Close asks the program to give up what it has, if it can be asked to, and to
// end. One that does not is killed.
func (p *Program) Close(ctx context.Context) error {
	p.mu.Lock()
	p.ending = true
	p.mu.Unlock()
	err := errors.New("it was not asked to give its lease up, which is left to expire")
	if p.Can("bye") {
		_, err = p.call(ctx, request{"op": "bye"}, nil)
	}
	p.finish()
	p.finished.Wait()
	return err
}

// finish ends the program's input, and the program if it does not end then.
func (p *Program) finish() {
	_ = p.stdin.Close()
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for left := p.patience.End; left > 0; {
		select {
		case <-p.process.Done():
			return
		case <-p.life.Done():
			p.kill()
			return
		case <-ticker.C:
			if p.frozen.Load() == 0 { // else it cannot hear
				left -= tick
			}
		}
	}
	ctx, cancel := context.WithTimeout(p.life, p.patience.End)
	defer cancel()
	last := "SIGTERM ended it"
	if well, _ := p.process.Stop(ctx); !well {
		last = fmt.Sprintf("%v after SIGTERM it still ran, and was killed", p.patience.End)
	}
	p.note(notEnded, "%v after the end of its input it still ran; %s", p.patience.End, last)
}

// Freeze stops the program and all that it has started with SIGSTOP.
func (p *Program) Freeze(ctx context.Context) (workloads.Standstill, error) {
	p.frozen.Add(1)
	f, err := p.process.Freeze(ctx)
	if err != nil {
		p.frozen.Add(-1)
		return nil, err
	}
	return &standstill{Frozen: f, program: p}, nil
}

// standstill is a program that was stopped. While it is, it is not waited for.
type standstill struct {
	*offspring.Frozen
	program *Program
	once    sync.Once
}

// Thaw lets the program go on.
func (s *standstill) Thaw() {
	s.Frozen.Thaw()
	s.once.Do(func() { s.program.frozen.Add(-1) })
}

// PID is the id of its process.
func (p *Program) PID() int { return p.process.PID() }

// certainty is the error of an answer that is none of success.
func certainty(f *fields, text string) error {
	err := errors.New(text)
	switch {
	case f.truth("taken"):
		return fmt.Errorf("%s: %w", text, workloads.ErrTaken)
	case f.truth("none"):
		return fmt.Errorf("%s: %w", text, workloads.ErrNoLeader)
	case f.truth("certain"):
		return workloads.WithoutEffect(err)
	}
	return err
}

// granted reads what an acquire or campaign of an object won, whose keys are below
// the prefix.
func (p *Program) granted(f *fields, prefix string) (workloads.Grant, error) {
	g := workloads.Grant{Key: f.text("key"), Token: f.integer("token")}
	lease := f.integer("lease")
	if f.wrong != "" {
		p.note(noProtocol, "in an answer %s", f.wrong)
		return workloads.Grant{}, errors.New(f.wrong)
	}
	if g.Key != "" && !strings.HasPrefix(g.Key, prefix+"/") {
		p.note(outside, "its grant names the key %s, which does not begin with %q", quoted([]byte(g.Key)), prefix+"/")
		return workloads.Grant{}, errors.New("the key of the grant is outside its prefix")
	}
	if lease != 0 {
		p.mu.Lock()
		p.lease = lease
		p.mu.Unlock()
	}
	return g, nil
}

var _ workloads.Limited = (*calls)(nil)

// opOf is what the protocol calls a kind of operation: as records do.
func opOf(kind history.Kind) string { return string(kind) }
