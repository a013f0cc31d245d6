package pipe

import (
	"context"
	"errors"
	"fmt"
	"path"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

func withoutEffect(err error) error { return workloads.WithoutEffect(err) }

// Subject is the program as a subject, by the name under which it is known.
func (c *Command) Subject(name string, h Hello) workloads.Subject {
	s := workloads.Subject{
		Name: name, Summary: "a program: " + c.Line, Origin: history.FromUser, Layout: h.Layout, DeadlinesOnly: !h.Can("cancel"),
		Attach: func(ctx context.Context, a workloads.Attachment) (workloads.Partner, error) {
			p, err := c.Start(ctx, a)
			if err != nil {
				return nil, err
			}
			if p.Primitive != h.Primitive {
				p.Kill()
				return nil, &workloads.BreachError{Rule: refused, Story: fmt.Sprintf("it calls itself a %s, and was a %s before", p.Primitive, h.Primitive)}
			}
			return p, nil
		},
	}
	of := func(session *workloads.Session, prefix string) calls {
		return calls{p: session.Partner.(*Program), prefix: prefix}
	}
	switch h.Primitive {
	case history.RWMutex:
		s.NewRWLock = func(session *workloads.Session, prefix string) workloads.RWLock {
			return &rwLock{of(session, prefix)}
		}
	case history.Election:
		s.NewElection = func(session *workloads.Session, prefix string) workloads.Election {
			return &election{of(session, prefix)}
		}
	default:
		s.NewLock = func(session *workloads.Session, prefix string) workloads.Lock {
			return &lock{of(session, prefix)}
		}
	}
	return s
}

// calls are those on one object.
type calls struct {
	p      *Program
	prefix string
}

// Lacks is true for calls that the program does not offer.
func (c *calls) Lacks(kind history.Kind) bool { return !c.p.Can(opOf(kind)) }

// Works is true if the program does its work itself.
func (c *calls) Works() bool { return c.p.Can("work") }

func (c *calls) request(op string) request {
	return request{"op": op, "object": path.Base(c.prefix), "prefix": c.prefix}
}

func (c *calls) ask(ctx context.Context, r request) (*fields, error) {
	return c.p.call(ctx, r, nil)
}

func (c *calls) win(ctx context.Context, r request) (workloads.Grant, error) {
	f, err := c.ask(ctx, r)
	if err != nil {
		return workloads.Grant{}, err
	}
	return c.p.granted(f, c.prefix)
}

func (c *calls) moded(op string, mode history.Mode) request {
	r := c.request(op)
	if mode != "" {
		r["mode"] = mode
	}
	return r
}

// Work has the program work under a hold for that long.
func (c *calls) Work(ctx context.Context, mode history.Mode, length time.Duration, ask func(write bool, token int64) (string, error)) error {
	r := c.moded("work", mode)
	r["ms"] = length.Milliseconds()
	_, err := c.p.callWith(ctx, r, func(f *fields) request { return c.p.reply(f, mode, ask) }, nil)
	return err
}

// reply is the answer to one question.
func (p *Program) reply(f *fields, mode history.Mode, ask func(write bool, token int64) (string, error)) request {
	what, token := f.text("call"), f.integer("token")
	var value string
	var err error
	switch {
	case f.wrong != "":
		err = errors.New(f.wrong)
		p.note(noProtocol, "in a question %s", f.wrong)
	case what == "write" && mode == history.ReadMode:
		err = errors.New("a reader does not write")
	case what == "read", what == "write":
		value, err = ask(what == "write", token)
	default:
		err = fmt.Errorf("there is no call %q; there are read and write", what)
		p.note(noProtocol, "%v", err)
	}
	r := request{"ok": err == nil}
	if id, ok := f.by["id"]; ok {
		r["answer"] = id
	}
	switch {
	case errors.Is(err, workloads.ErrStale):
		r["stale"] = true
		fallthrough
	case err != nil:
		r["error"] = err.Error()
	default:
		r["value"] = value
	}
	return r
}

type lock struct{ calls }

func (l *lock) Acquire(ctx context.Context) (workloads.Grant, error) {
	return l.win(ctx, l.request("acquire"))
}

func (l *lock) TryAcquire(ctx context.Context) (workloads.Grant, error) {
	return l.win(ctx, l.request("try-acquire"))
}

func (l *lock) Release(ctx context.Context) error {
	_, err := l.ask(ctx, l.request("release"))
	return err
}

type rwLock struct{ calls }

func (l *rwLock) Acquire(ctx context.Context) (workloads.Grant, error) {
	return l.win(ctx, l.moded("acquire", history.WriteMode))
}

func (l *rwLock) AcquireRead(ctx context.Context) (workloads.Grant, error) {
	return l.win(ctx, l.moded("acquire", history.ReadMode))
}

func (l *rwLock) Release(ctx context.Context) error {
	_, err := l.ask(ctx, l.moded("release", history.WriteMode))
	return err
}

func (l *rwLock) ReleaseRead(ctx context.Context) error {
	_, err := l.ask(ctx, l.moded("release", history.ReadMode))
	return err
}

type election struct{ calls }

func (e *election) Campaign(ctx context.Context, value string) (workloads.Grant, error) {
	r := e.request("campaign")
	r["value"] = value
	return e.win(ctx, r)
}

func (e *election) Proclaim(ctx context.Context, value string) error {
	r := e.request("proclaim")
	r["value"] = value
	_, err := e.ask(ctx, r)
	return err
}

func (e *election) Resign(ctx context.Context) error {
	_, err := e.ask(ctx, e.request("resign"))
	return err
}

func (e *election) Leader(ctx context.Context) (workloads.Leadership, error) {
	f, err := e.ask(ctx, e.request("leader"))
	if err != nil {
		return workloads.Leadership{}, err
	}
	if f.truth("none") || !f.has("value") {
		return workloads.Leadership{}, workloads.ErrNoLeader
	}
	l := leadership(f)
	if f.wrong != "" {
		e.p.note(noProtocol, "in its answer to leader %s", f.wrong)
		return workloads.Leadership{}, errors.New(f.wrong)
	}
	return l, nil
}

func leadership(f *fields) workloads.Leadership {
	return workloads.Leadership{Value: f.text("value"), Key: f.text("key"), Token: f.integer("token"), Revision: f.integer("revision")}
}

// Observe has the program tell who leads, until ctx ends or the program says
// that it cannot go on.
func (e *election) Observe(ctx context.Context) <-chan workloads.Leadership {
	leaderships := make(chan workloads.Leadership)
	go func() {
		defer close(leaderships)
		// That it ended is all that counts.
		_, _ = e.p.call(ctx, e.request("observe"), func(q *pending) error { return e.p.follow(ctx, q, leaderships) })
	}()
	return leaderships
}

// follow passes on what a program observes.
func (p *Program) follow(ctx context.Context, q *pending, leaderships chan<- workloads.Leadership) error {
	for {
		select {
		case f := <-q.observed:
			l := leadership(f)
			if f.wrong != "" {
				p.note(noProtocol, "in an event %s", f.wrong)
				continue
			}
			select {
			case leaderships <- l:
			case <-ctx.Done():
				return nil
			}
		case <-q.over:
			return nil
		case <-p.ended:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}
