package netguard

import (
	"maps"
	"net/netip"
	"time"
)

// Role is the role of offspring.Role in which this program is a guard; see Guard.
const Role = "netguard"

// protocol is the version of what follows: a guard may be of another program.
const protocol = 1

// Both sides say one JSON object a line. The guard speaks first.

// hello is what a guard says of where it is.
type hello struct {
	Protocol int `json:"holdfast_netguard"`
	// Problem is why it can do nothing, if it can do nothing.
	Problem string `json:"problem,omitempty"`
	// NoDelay is why it cannot delay packets, if it cannot.
	NoDelay string `json:"no_delay,omitempty"`
	// Table is the name of its table.
	Table string `json:"table,omitempty"`
}

// request is what a guard is asked for. It answers each, in order, with what it
// has counted.
type request struct {
	ID int64 `json:"id"`
	// Orders, if not nil, are what is to be in force from now on, and nothing else.
	Orders *orders `json:"orders,omitempty"`
	// Replaces are the tables of guards before it, which are to go as the orders
	// come into force.
	Replaces []string `json:"replaces,omitempty"`
	// End has it take its rules away and end.
	End bool `json:"end,omitempty"`
}

// orders are what is done in one namespace.
type orders struct {
	// Port is the one at which members are dialled.
	Port uint16 `json:"port"`
	// Cuts are those who may not dial the member here.
	Cuts []netip.Addr `json:"cuts,omitempty"`
	// Questions are those to whom nothing may be sent that the member here dialled,
	// and Answers those to whom nothing may be sent that dialled it.
	Questions []netip.Addr `json:"questions,omitempty"`
	Answers   []netip.Addr `json:"answers,omitempty"`
	Losses    []loss       `json:"losses,omitempty"`
	Delay     *delay       `json:"delay,omitempty"`
}

// loss is a share of the packets that arrive from somebody.
type loss struct {
	From       netip.Addr `json:"from"`
	PerMillion uint32     `json:"per_million"`
}

// delay is of each packet that leaves on the way to somebody.
type delay struct {
	To     netip.Addr    `json:"to"`
	Delay  time.Duration `json:"delay"`
	Jitter time.Duration `json:"jitter"`
}

// answer is what a guard says to one request.
type answer struct {
	ID    int64  `json:"id"`
	Error string `json:"error,omitempty"`
	Counts
}

// Counts are what a guard has counted since it began, but for Open.
type Counts struct {
	// Open connections there are now, and Severed ones were destroyed, by who
	// dialled.
	Open    map[netip.Addr]int64 `json:"open,omitempty"`
	Severed map[netip.Addr]int64 `json:"severed,omitempty"`
	// Packets of each counter; see counter.
	Packets map[string]int64 `json:"packets,omitempty"`
	// Delayed packets.
	Delayed int64 `json:"delayed,omitempty"`
}

// What is counted of the packets from or to somebody.
const (
	refused   = "refused"    // attempts to open a connection
	rejected  = "rejected"   // of those that dialled, on connections
	resetBack = "reset-back" // to those that dialled
	questions = "questions"  // kept back, to who was dialled
	answers   = "answers"    // kept back, to who dialled
	arrived   = "arrived"    // while some are lost
	lost      = "lost"
)

// counter is the name of what is counted of the packets from or to somebody.
func counter(what string, who netip.Addr) string { return what + "-" + who.String() }

// plus adds what an earlier guard had counted.
func (c Counts) plus(before Counts) Counts {
	c.Severed, c.Packets = sum(c.Severed, before.Severed), sum(c.Packets, before.Packets)
	c.Delayed += before.Delayed
	return c
}

func sum[K comparable](a, b map[K]int64) map[K]int64 {
	all := maps.Clone(a)
	if all == nil {
		all = make(map[K]int64)
	}
	for k, n := range b {
		all[k] += n
	}
	return all
}
