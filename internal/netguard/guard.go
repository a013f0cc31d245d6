package netguard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"reflect"
	"sync"
	"time"
)

const (
	// callPatience is how long a guard may take for one answer, and for its first
	// word.
	callPatience = 5 * time.Second
	// endPatience is how long one may take to end.
	endPatience = 2 * time.Second
)

// Dial starts a guard in a member's namespace, and returns the stream on which it
// listens and speaks. The guard ends when the stream is closed. What it writes on
// standard error is not part of it.
type Dial func(ctx context.Context) (io.ReadWriteCloser, error)

// guard is the guard of one member, seen from the harness: one process after
// another, if they die.
type guard struct {
	name    string
	address netip.Addr
	dial    Dial

	mu      sync.Mutex    // one call at a time
	stream  *conversation // nil if there is none
	hello   hello
	obeyed  *orders // what the present process has in force; nil if that is not known
	tables  []string
	counted Counts // at last, all in all
	before  Counts // by the processes before the present one
}

// settle has the guard bring orders into force, if they are not. It starts the
// guard anew if it has died.
func (g *guard) settle(ctx context.Context, orders func() orders) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.again(ctx, func(ctx context.Context) error {
		want := orders()
		if g.obeyed != nil && reflect.DeepEqual(*g.obeyed, want) {
			return nil
		}
		// From here on until it has answered it is not known what is in force.
		g.obeyed = nil
		if err := g.call(ctx, request{Orders: &want, Replaces: g.tables}); err != nil {
			return err
		}
		g.obeyed, g.tables = &want, nil
		return nil
	})
}

// count asks the guard what it has counted; without an answer it is what it had.
func (g *guard) count(ctx context.Context) Counts {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stream != nil {
		_ = g.bounded(ctx, func(ctx context.Context) error { return g.call(ctx, request{}) })
	}
	return g.counted
}

// again does something that needs the guard, and once more if the guard turns
// out to have died.
func (g *guard) again(ctx context.Context, do func(context.Context) error) error {
	attempt := func(ctx context.Context) error {
		if err := g.connect(ctx); err != nil {
			return err
		}
		return do(ctx)
	}
	err := g.bounded(ctx, attempt)
	if errors.Is(err, errLost) {
		err = g.bounded(ctx, attempt)
	}
	if err != nil {
		return fmt.Errorf("guard of %s: %w", g.name, err)
	}
	return nil
}

func (g *guard) bounded(ctx context.Context, do func(context.Context) error) error {
	within, cancel := context.WithTimeout(ctx, callPatience)
	defer cancel()
	return do(within)
}

// connect starts a guard if there is none.
func (g *guard) connect(ctx context.Context) error {
	if g.stream != nil {
		return nil
	}
	raw, err := g.dial(ctx)
	if err != nil {
		return fmt.Errorf("start it: %w", err)
	}
	stream := converse(raw)
	var h hello
	err = stream.hear(ctx, &h)
	switch {
	case err != nil:
		err = fmt.Errorf("hear its first word: %w", err)
	case h.Problem != "":
		err = errors.New(h.Problem)
	case h.Protocol != protocol:
		err = fmt.Errorf("it speaks version %d of the protocol, and this is version %d: it is of another holdfast", h.Protocol, protocol)
	}
	if err != nil {
		return errors.Join(err, stream.close())
	}
	g.stream, g.hello, g.before = stream, h, g.counted
	g.before.Open = nil
	return nil
}

// call asks for one thing. If there is no answer, the guard counts as dead.
func (g *guard) call(ctx context.Context, r request) error {
	r.ID = g.stream.next()
	var a answer
	err := g.stream.say(ctx, r)
	for err == nil && a.ID != r.ID {
		err = g.stream.hear(ctx, &a)
	}
	if err != nil {
		g.abandon()
		return err
	}
	if a.Error != "" {
		return errors.New(a.Error)
	}
	g.counted = a.Counts.plus(g.before)
	return nil
}

// abandon leaves a guard to end by itself. Its rules go, at the latest with the
// next one's first orders.
func (g *guard) abandon() {
	_ = g.stream.close()
	g.stream, g.obeyed = nil, nil
	g.tables = append(g.tables, g.hello.Table)
}

// end has the guard take its rules away and end.
func (g *guard) end(ctx context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stream == nil {
		return nil
	}
	within, cancel := context.WithTimeout(ctx, endPatience)
	defer cancel()
	err := g.stream.say(within, request{ID: g.stream.next(), End: true})
	if err == nil {
		err = g.stream.ended(within)
	}
	err = errors.Join(err, g.stream.close())
	g.stream, g.obeyed = nil, nil
	if err != nil {
		return fmt.Errorf("end the guard of %s: %w", g.name, err)
	}
	return nil
}
