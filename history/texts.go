package history

import (
	"hash/maphash"
	"strings"
)

// texts makes strings of bytes, and the same string of the same bytes where they
// were seen not long ago: names come back on every line, a value when it is read
// and built upon, a key as long as it is held. What is new is cut out of large
// pieces, so that a history of millions of texts is few objects to the garbage
// collector. A piece lives as long as any of its texts; those of one journal
// live together.
type texts struct {
	seed   maphash.Seed
	recent []string
	piece  strings.Builder
}

const (
	recentTexts = 1 << 15
	pieceBytes  = 1 << 16
	longText    = 1 << 10
)

func newTexts() *texts {
	return &texts{seed: maphash.MakeSeed(), recent: make([]string, recentTexts)}
}

func (t *texts) text(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if len(b) > longText {
		return string(b)
	}
	place := &t.recent[maphash.Bytes(t.seed, b)%recentTexts]
	if *place == string(b) {
		return *place
	}
	if t.piece.Cap()-t.piece.Len() < len(b) {
		t.piece.Reset()
		t.piece.Grow(pieceBytes)
	}
	// The builder never moves what it holds while it need not grow.
	from := t.piece.Len()
	t.piece.Write(b)
	*place = t.piece.String()[from:]
	return *place
}
