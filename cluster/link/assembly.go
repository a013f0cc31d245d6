package link

import "encoding/binary"

// messageHeader is what comes before each gRPC message: whether it is
// compressed, and its length.
const messageHeader = 5

// assembly follows the gRPC messages of one direction of a stream, which DATA
// frames may split anywhere.
type assembly struct {
	header  [messageHeader]byte
	have    int    // bytes of header
	left    uint32 // bytes of the message that have not come yet
	excerpt []byte // its beginning, if wanted
}

// feed takes the next bytes of the stream's data, up to the end of the next
// message. It returns how many it took, and whether a message ends there. The
// excerpt is kept if wanted.
func (a *assembly) feed(data []byte, wanted bool) (n int, whole bool) {
	if a.have < messageHeader {
		n = copy(a.header[a.have:], data)
		if a.have += n; a.have < messageHeader {
			return n, false
		}
		a.left = binary.BigEndian.Uint32(a.header[1:])
		a.excerpt = a.excerpt[:0]
	}
	body := data[n:]
	if uint64(len(body)) > uint64(a.left) {
		body = body[:a.left]
	}
	if wanted {
		a.excerpt = append(a.excerpt, body[:min(len(body), excerptSize-len(a.excerpt))]...)
	}
	a.left -= uint32(len(body))
	if a.left == 0 {
		a.have = 0
		return n + len(body), true
	}
	return n + len(body), false
}

// compressed is true if nobody can look into the message that ended last.
func (a *assembly) compressed() bool { return a.header[0] != 0 }
