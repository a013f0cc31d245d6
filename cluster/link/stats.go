package link

// Stats is what a link has seen since it was created. Every connection that
// was attributed to the link counts once in Accepted, Refused or Unreached.
type Stats struct {
	// From dials To.
	From, To string
	// Open connections now.
	Open int64
	// Accepted connections reached the target.
	Accepted int64
	// Refused connections found the link cut.
	Refused int64
	// Unreached connections found nobody at the target.
	Unreached int64
	// Severed connections were open when a cut, a crash of the target or the
	// removal of the link closed them.
	Severed int64
	// Held bytes were taken from their sender and are being kept back by a
	// stall now. More may wait in the sender's own socket.
	Held Bytes
	// HeldTotal counts every byte that a stall ever kept back, once for each
	// stall: that it has grown proves that a stall had an effect.
	HeldTotal Bytes
	// Rejected packets were answered with a reset, and Dropped ones stayed with their
	// sender, which tried again, each try counted: of links that harm packets, and
	// have no bytes to count. Those of this package have none.
	Rejected, Dropped Packets
	// Passed bytes were handed on to their receiver.
	Passed Bytes
	// Requests are what a client asked for: see Link.Requests. KeepAlives are
	// its messages that keep a lease alive.
	Requests, KeepAlives int64
	// Blind connections of a client are those in which no message is recognised
	// any more, since they speak TLS or anything else but gRPC over cleartext
	// HTTP/2.
	Blind int64
}

// Bytes counts bytes for each direction.
type Bytes struct {
	ToTarget, ToDialler int64
}

// In returns the count of one direction.
func (b Bytes) In(d Direction) int64 {
	if d == ToTarget {
		return b.ToTarget
	}
	return b.ToDialler
}

// Total returns the sum of both directions.
func (b Bytes) Total() int64 { return b.ToTarget + b.ToDialler }

// Packets counts packets for each direction.
type Packets struct {
	ToTarget, ToDialler int64
}

// Total returns the sum of both directions.
func (p Packets) Total() int64 { return p.ToTarget + p.ToDialler }

func (b *Bytes) add(d Direction, n int64) {
	if d == ToTarget {
		b.ToTarget += n
	} else {
		b.ToDialler += n
	}
}
