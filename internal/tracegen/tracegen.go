// Package tracegen makes histories of any length for measurements: what a few
// clients would have been told by a correct lock or register, with a share of
// calls whose outcome nobody knows, and with one lie if asked for. A history
// is a function of its options.
package tracegen

import (
	"fmt"
	"math/rand/v2"
	"strconv"

	"github.com/etcd-holdfast/holdfast/history"
)

// Options describe a history.
type Options struct {
	// Model is "mutex", "rwmutex" or "cas-register".
	Model string
	// Calls is about how many calls it has.
	Calls int
	// Clients is how many run at a time.
	Clients int
	// Unknown is the share of calls, in 0..1, that never return. Their process
	// is replaced by a new one.
	Unknown float64
	// Violated plants one lie, three quarters of the way: a lock granted while it was
	// taken, or a read of a value that had been overwritten for long.
	Violated bool
	Seed     uint64
}

// Trace makes a history. Positions count events.
func Trace(o Options) (*history.Trace, error) {
	g := &generator{Options: o, random: rand.New(rand.NewPCG(o.Seed, 1)), trace: &history.Trace{
		Source: "generated", Objects: []string{""}, Calls: make([]history.Call, 0, o.Calls+o.Clients),
	}, value: history.Nil, old: history.Nil, next: history.Nil}
	for range o.Clients {
		g.clients = append(g.clients, client{process: g.process()})
	}
	var step func(*client)
	switch o.Model {
	case "mutex", "rwmutex":
		step = g.lockStep
	case "cas-register":
		step = g.registerStep
	default:
		return nil, fmt.Errorf("no histories of model %q are made", o.Model)
	}
	for len(g.trace.Calls) < o.Calls {
		step(&g.clients[g.random.IntN(len(g.clients))])
		g.position++
	}
	// Who is still at work is cut off by the end of the record.
	for i := range g.clients {
		if c := &g.clients[i]; c.stage != idle && c.stage != holding {
			g.lose(c)
		}
	}
	return g.trace, nil
}

type stage int

const (
	idle stage = iota
	calling
	holding
	releasing
)

type client struct {
	process int32
	call    int // the open call
	stage   stage
	shared  bool
	// seen is the value that a register's client read last.
	seen history.Value
}

type generator struct {
	Options
	random   *rand.Rand
	trace    *history.Trace
	clients  []client
	position int64
	lied     bool

	writers, readers int
	value, last      history.Value
	// old can be read by nobody any more, nor soon next.
	old, next history.Value
}

func (g *generator) process() int32 {
	g.trace.Processes = append(g.trace.Processes, strconv.Itoa(len(g.trace.Processes)))
	return int32(len(g.trace.Processes) - 1)
}

func (g *generator) invoke(c *client, f history.Function) *history.Call {
	c.call = len(g.trace.Calls)
	g.trace.Calls = append(g.trace.Calls, history.Call{
		ID: g.position, Invoke: g.position, Process: c.process, Function: f, Shared: c.shared, Value: history.Nil, Argument: history.Nil,
	})
	return &g.trace.Calls[c.call]
}

func (g *generator) returns(c *client) *history.Call {
	call := &g.trace.Calls[c.call]
	call.Return, call.Known = g.position, history.Succeeded
	return call
}

// lose leaves the open call without a return; another process takes over.
func (g *generator) lose(c *client) {
	g.trace.Calls[c.call].Return = history.NoReturn
	*c = client{process: g.process()}
}

// due is true once, when it is time for the lie.
func (g *generator) due() bool { return g.Violated && !g.lied && len(g.trace.Calls) > g.Calls*3/4 }

func (g *generator) lockStep(c *client) {
	switch c.stage {
	case idle:
		c.shared = g.Model == "rwmutex" && g.random.IntN(10) < 7
		g.invoke(c, history.FunctionAcquire)
		c.stage = calling
		if g.random.Float64() < g.Unknown {
			g.lose(c)
		}
	case calling:
		taken := g.writers > 0 || !c.shared && g.readers > 0
		if taken && g.due() {
			taken, g.lied = false, true
		}
		if taken {
			return
		}
		if c.shared {
			g.readers++
		} else {
			g.writers++
		}
		g.returns(c)
		c.stage = holding
	case holding:
		if c.shared {
			g.readers--
		} else {
			g.writers--
		}
		g.invoke(c, history.FunctionRelease)
		c.stage = releasing
		if g.random.Float64() < g.Unknown {
			g.lose(c)
		}
	case releasing:
		g.returns(c)
		c.stage, c.shared = idle, false
	}
}

// registerStep: a call takes effect at the step before it returns. Every value
// is written once.
func (g *generator) registerStep(c *client) {
	switch c.stage {
	case idle:
		kind := g.random.IntN(10)
		switch {
		case kind < 5:
			g.invoke(c, history.FunctionRead)
		case kind < 8:
			g.last++
			g.invoke(c, history.FunctionWrite).Value = g.last
		default:
			g.last++
			call := g.invoke(c, history.FunctionCompareAndSet)
			call.Value, call.Argument = g.last, c.seen
		}
		c.stage = calling
		if g.random.Float64() < g.Unknown {
			if g.random.IntN(2) == 0 {
				// It may take effect any time later: its value is never surely gone.
				old, next := g.old, g.next
				g.apply(c)
				g.old, g.next = old, next
			}
			g.lose(c)
		}
	case calling:
		g.apply(c)
		c.stage = releasing
	case releasing:
		call := g.returns(c)
		switch {
		case call.Function == history.FunctionRead:
			call.Value = c.seen
			if g.due() && g.old > 0 {
				call.Value, g.lied = g.old, true
			}
		case call.Function == history.FunctionCompareAndSet && !c.shared:
			call.Known = history.Refused
		}
		c.stage, c.shared = idle, false
	}
}

// apply lets the open call take effect. A compare-and-set that does is marked
// by shared.
func (g *generator) apply(c *client) {
	switch call := &g.trace.Calls[c.call]; call.Function {
	case history.FunctionRead:
		c.seen = g.value
	case history.FunctionWrite:
		g.set(call.Value)
	case history.FunctionCompareAndSet:
		if c.shared = call.Argument == g.value; c.shared {
			g.set(call.Value)
		}
	}
}

// set writes. A value that is more than a hundred writes old, and whose write
// returned, can be read by nobody any more.
func (g *generator) set(v history.Value) {
	g.value = v
	if v%100 == 0 {
		g.old, g.next = g.next, v
	}
}
