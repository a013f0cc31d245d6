package history

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/cespare/xxhash/v2"
)

// Digest is a hash of a run's record: of its header, of every invocation,
// completion and event, of all that was seen of the store, and of each state of
// each fault, with their times and in the order in which they were recorded. Two
// runs have the same one if and only if they recorded the same, but for the
// chance of 64 bits. It is the same wherever it is computed; another version of
// holdfast may compute another.
type Digest uint64

// String is the digest in 16 hexadecimal digits.
func (d Digest) String() string { return fmt.Sprintf("%016x", uint64(d)) }

// The kinds of record, as they are hashed.
const (
	recordHeader byte = iota
	recordInvocation
	recordCompletion
	recordEvent
	recordStart
	recordChange
	recordLeaseEnd
	recordTick
	recordThrough
	recordFault
)

// stream is the running hash of one journal. Records of different journals are
// recorded under different locks, so that their order among each other is only
// in their times.
//
// A record is hashed as its kind and all its fields, each number in eight bytes,
// each text after its length: no two records look the same.
type stream struct {
	hash  xxhash.Digest
	begun bool
	// pending are records that are not hashed yet: many at once take half the time.
	pending []byte
}

// pendingBytes is how many are hashed at once.
const pendingBytes = 4 << 10

func sum(streams ...*stream) Digest {
	var all []byte
	for _, s := range streams {
		s.flush()
		all = binary.LittleEndian.AppendUint64(all, s.hash.Sum64())
	}
	return Digest(xxhash.Sum64(all))
}

// add takes the pending records with one more.
func (s *stream) add(records []byte) {
	s.pending = records
	if len(records) >= pendingBytes {
		s.flush()
	}
}

func (s *stream) flush() {
	if !s.begun {
		s.hash.Reset()
		s.begun = true
	}
	_, _ = s.hash.Write(s.pending) // it never fails
	s.pending = s.pending[:0]
}

func (s *stream) header(line []byte) {
	s.add(digestText(append(s.pending, recordHeader), string(line)))
}

func (s *stream) invocation(op *Operation) {
	b := append(s.pending, recordInvocation)
	b = digestNumbers(b, op.ID, int64(op.Call), int64(op.Deadline), op.Lease, op.Token, op.Hold, op.Revision, op.Number)
	b = digestText(b, op.Client)
	b = digestText(b, op.Subject)
	b = digestText(b, op.Object)
	b = digestText(b, string(op.Kind))
	b = digestText(b, string(op.Mode))
	b = digestText(b, op.Key)
	b = digestText(b, op.Value)
	b = digestText(b, op.Prior)
	s.add(b)
}

func (s *stream) completion(c *Completion, at time.Duration) {
	b := append(s.pending, recordCompletion, digestTruth(c.Panicked))
	b = digestNumbers(b, c.ID, int64(at), c.Token, c.Revision, c.Number, c.Requests)
	b = digestText(b, string(c.Outcome))
	b = digestText(b, c.Error)
	b = digestText(b, c.Key)
	b = digestText(b, c.Value)
	if c.Breach != "" || c.Lease != 0 {
		b = digestText(digestNumbers(b, c.Lease), c.Breach)
	}
	s.add(b)
}

func (s *stream) event(e *Event) {
	b := append(s.pending, recordEvent, digestTruth(e.Heeded))
	b = digestNumbers(b, int64(e.Time), e.Lease, int64(e.TTL), e.Operation, e.Token, e.Revision)
	b = digestText(b, string(e.Kind))
	b = digestText(b, e.Client)
	b = digestText(b, e.Subject)
	b = digestText(b, e.Object)
	b = digestText(b, e.Value)
	b = digestText(b, e.Key)
	b = digestText(b, e.Detail)
	s.add(b)
}

func (s *stream) revision(kind byte, revision int64) {
	s.add(digestNumbers(append(s.pending, kind), revision))
}

func (s *stream) change(c *Change) {
	b := append(s.pending, recordChange, digestTruth(c.Deleted))
	b = digestNumbers(b, c.Revision, int64(c.Time), c.Create, c.Version, c.Lease)
	b = digestText(b, c.Key)
	b = digestText(b, c.Value)
	s.add(b)
}

func (s *stream) leaseEnd(e *LeaseEnd) {
	s.add(digestNumbers(append(s.pending, recordLeaseEnd), e.Lease, e.Revision, int64(e.Time)))
}

func (s *stream) tick(t *Tick) {
	s.add(digestNumbers(append(s.pending, recordTick), int64(t.Call), int64(t.Return), t.Revision))
}

func (s *stream) fault(f *Fault) {
	b := append(s.pending, recordFault, digestTruth(f.Verified), digestTruth(f.Unfired), digestTruth(f.Uninjected))
	b = digestNumbers(b, f.ID, int64(f.Planned), int64(f.From), int64(f.To), int64(f.Entry))
	b = digestText(b, f.Kind)
	b = digestText(b, f.Target)
	b = digestText(b, f.Evidence)
	b = digestText(b, f.When)
	b = digestText(b, f.Error)
	s.add(b)
}

func digestNumbers(b []byte, numbers ...int64) []byte {
	for _, n := range numbers {
		b = binary.LittleEndian.AppendUint64(b, uint64(n))
	}
	return b
}

func digestText(b []byte, text string) []byte {
	return append(binary.LittleEndian.AppendUint64(b, uint64(len(text))), text...)
}

func digestTruth(v bool) byte {
	if v {
		return 1
	}
	return 0
}
