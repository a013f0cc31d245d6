package link

import (
	"encoding/binary"

	"golang.org/x/net/http2"
)

// frameHeader is the size of what every HTTP/2 frame begins with.
const frameHeader = 9

// largestBlock bounds the headers of one call that are gathered, in bytes. A
// sender with more is not understood.
const largestBlock = 64 << 10

// side follows the HTTP/2 frames of one direction of a connection (RFC 9113,
// section 4), in pieces of any size.
type side struct {
	// preface is how many bytes of the client's preface have come; of a
	// member's, which is a frame, whether it has begun: 0 or 1.
	preface int

	header [frameHeader]byte
	have   int // bytes of header
	left   int // bytes of the frame that have not come yet
	frame  http2.FrameHeader

	// padding is how many bytes at the end of a DATA frame say nothing, or -1
	// while that is not known.
	padding int

	// block gathers the header fragments of the stream opening, which is
	// 0 if none is being gathered.
	block   []byte
	opening uint32
	gather  []byte // of the frame at hand
}

// begin takes bytes of a frame's header and returns how many. Once the header
// is whole, have is frameHeader.
func (s *side) begin(data []byte) int {
	n := copy(s.header[s.have:], data)
	if s.have += n; s.have == frameHeader {
		s.left = int(s.header[0])<<16 | int(s.header[1])<<8 | int(s.header[2])
		s.frame = http2.FrameHeader{
			Length: uint32(s.left), Type: http2.FrameType(s.header[3]), Flags: http2.Flags(s.header[4]),
			StreamID: binary.BigEndian.Uint32(s.header[5:]) & (1<<31 - 1),
		}
		s.gather = s.gather[:0]
		s.padding = 0
		if s.frame.Type == http2.FrameData && s.frame.Flags.Has(http2.FlagDataPadded) {
			s.padding = -1
		}
	}
	return n
}

// data takes the padding out of the next bytes of a DATA frame. It returns
// what is left of them and at which of them that begins, and false if the frame
// is malformed.
func (s *side) data(bytes []byte) (data []byte, from int, ok bool) {
	if s.padding < 0 {
		if len(bytes) == 0 {
			return nil, 0, s.left > 0
		}
		s.padding, bytes, from = int(bytes[0]), bytes[1:], 1
		s.left--
		if s.padding > s.left {
			return nil, 0, false
		}
	}
	data = bytes[:min(len(bytes), max(s.left-s.padding, 0))]
	s.left -= len(bytes)
	return data, from, true
}

// fragment returns the header fragment of a whole HEADERS or CONTINUATION
// frame, without padding and priority, and false if the frame is malformed.
func (s *side) fragment() ([]byte, bool) {
	b := s.gather
	if s.frame.Type != http2.FrameHeaders {
		return b, true
	}
	padding := 0
	if s.frame.Flags.Has(http2.FlagHeadersPadded) {
		if len(b) == 0 {
			return nil, false
		}
		padding, b = int(b[0]), b[1:]
	}
	if s.frame.Flags.Has(http2.FlagHeadersPriority) {
		if len(b) < 5 {
			return nil, false
		}
		b = b[5:]
	}
	if padding > len(b) {
		return nil, false
	}
	return b[:len(b)-padding], true
}
