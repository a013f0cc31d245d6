package link

import (
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// dialogue follows what a client and a member say to each other on one
// connection: gRPC over cleartext HTTP/2, from its first byte on. What is not
// that, or is malformed, makes it blind: it then recognises nothing more, and
// changes nothing either, since it only reads along.
type dialogue struct {
	requests, keepAlives, blindness *atomic.Int64

	mu      sync.Mutex
	blind   bool
	sides   [directions]side
	streams map[uint32]*stream
	headers *hpack.Decoder
	method  string // while headers are decoded: ":path", if it is a gRPC call
	grpc    bool
	marks   [directions][]mark
}

// stream is one call.
type stream struct {
	method string
	parts  [directions]assembly
}

// mark is a message that ends within a chunk of bytes. start is where those of
// its bytes begin that come last.
type mark struct {
	start   int
	message Message
}

// tableSize is the largest table of headers that a client may use; etcd's
// members announce 4096 bytes.
const tableSize = 64 << 10

// newDialogue counts what clients ask for, and connections not understood.
func newDialogue(requests, keepAlives, blindness *atomic.Int64) *dialogue {
	d := &dialogue{requests: requests, keepAlives: keepAlives, blindness: blindness, streams: make(map[uint32]*stream)}
	d.headers = hpack.NewDecoder(4096, d.hear)
	d.headers.SetAllowedMaxDynamicTableSize(tableSize)
	d.headers.SetMaxStringLength(largestBlock)
	return d
}

func (d *dialogue) hear(f hpack.HeaderField) {
	switch f.Name {
	case ":path":
		d.method = f.Value
	case "content-type":
		d.grpc = strings.HasPrefix(f.Value, "application/grpc")
	}
}

// follow reads the next bytes of one direction and returns the messages that
// end in them, in order. They are valid until the next call for that direction.
func (d *dialogue) follow(direction Direction, bytes []byte) []mark {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.marks[direction] = d.marks[direction][:0]
	if d.blind {
		return nil
	}
	if !d.read(direction, bytes) {
		d.blind = true
		d.streams, d.headers = nil, nil
		d.sides = [directions]side{}
		d.blindness.Add(1)
	}
	return d.marks[direction]
}

// read returns false if it did not understand.
func (d *dialogue) read(direction Direction, bytes []byte) bool {
	s := &d.sides[direction]
	at := 0
	if direction == ToTarget && s.preface < len(http2.ClientPreface) {
		for ; at < len(bytes) && s.preface < len(http2.ClientPreface); at++ {
			if bytes[at] != http2.ClientPreface[s.preface] {
				return false
			}
			s.preface++
		}
	}
	for at < len(bytes) {
		if s.have < frameHeader {
			at += s.begin(bytes[at:])
			if s.have < frameHeader {
				return true
			}
			if !d.opens(direction) {
				return false
			}
		}
		n := min(s.left, len(bytes)-at)
		if !d.take(direction, bytes[at:at+n], at) {
			return false
		}
		at += n
		if s.left == 0 {
			s.have = 0
			if !d.closes(direction) {
				return false
			}
		}
	}
	return true
}

// opens judges the header of a frame.
func (d *dialogue) opens(direction Direction) bool {
	s := &d.sides[direction]
	if direction == ToDialler {
		// A member's preface is a frame of settings.
		first := s.preface == 0
		s.preface = 1
		return !first || s.frame.Type == http2.FrameSettings
	}
	// Between the fragments of one block nothing else may come.
	continues := s.frame.Type == http2.FrameContinuation
	return continues == (s.opening != 0) && (!continues || s.frame.StreamID == s.opening)
}

// take reads bytes of a frame, which begin at offset at of the chunk.
func (d *dialogue) take(direction Direction, bytes []byte, at int) bool {
	s := &d.sides[direction]
	switch s.frame.Type {
	case http2.FrameData:
		data, from, ok := s.data(bytes)
		if !ok {
			return false
		}
		d.assemble(direction, s.frame.StreamID, data, at+from)
		return true
	case http2.FrameHeaders, http2.FrameContinuation:
		if direction == ToTarget {
			if s.gather = append(s.gather, bytes...); len(s.gather)+len(s.block) > largestBlock {
				return false
			}
		}
	}
	s.left -= len(bytes)
	return true
}

// assemble puts messages together and marks those that end.
func (d *dialogue) assemble(direction Direction, id uint32, data []byte, at int) {
	st := d.streams[id]
	if st == nil {
		return
	}
	part := &st.parts[direction]
	for len(data) > 0 {
		n, whole := part.feed(data, st.method == watchMethod || st.method == keepAliveMethod || st.method == grantMethod)
		if whole {
			m := Message{Method: st.method, Direction: direction}
			if !part.compressed() {
				m.Content = contentOf(st.method, direction, part.excerpt)
				if m.Content == KeepAlive || st.method == grantMethod && direction == ToDialler {
					m.Lease, m.TTL = keptAlive(direction, part.excerpt)
				}
				d.marks[direction] = append(d.marks[direction], mark{at, m})
			}
			d.count(m)
		}
		data, at = data[n:], at+n
	}
}

// count counts what begins something new.
func (d *dialogue) count(m Message) {
	switch {
	case m.Direction != ToTarget:
	case m.Method == keepAliveMethod:
		d.keepAlives.Add(1)
	case m.Method != watchMethod || m.Content == WatchCreate:
		d.requests.Add(1)
	}
}

// closes is called at the end of each frame.
func (d *dialogue) closes(direction Direction) bool {
	s := &d.sides[direction]
	switch s.frame.Type {
	case http2.FrameHeaders, http2.FrameContinuation:
		if direction == ToDialler {
			// A member ends a call with its trailers.
			if s.frame.Type == http2.FrameHeaders && s.frame.Flags.Has(http2.FlagHeadersEndStream) {
				delete(d.streams, s.frame.StreamID)
			}
			return true
		}
		return d.header()
	case http2.FrameRSTStream:
		delete(d.streams, s.frame.StreamID)
	}
	return true
}

// header takes a HEADERS or CONTINUATION frame of the client. What the last
// one of a block says opens a call.
func (d *dialogue) header() bool {
	s := &d.sides[ToTarget]
	fragment, ok := s.fragment()
	if !ok {
		return false
	}
	s.opening = s.frame.StreamID
	if s.opening == 0 {
		return false
	}
	s.block = append(s.block, fragment...)
	if !s.frame.Flags.Has(http2.FlagHeadersEndHeaders) { // the same bit in both types
		return true
	}
	d.method, d.grpc = "", false
	if _, err := d.headers.Write(s.block); err != nil {
		return false
	}
	if err := d.headers.Close(); err != nil {
		return false
	}
	if id := s.opening; d.grpc && d.method != "" && d.streams[id] == nil {
		d.streams[id] = &stream{method: d.method}
	}
	s.opening, s.block = 0, s.block[:0]
	return true
}
