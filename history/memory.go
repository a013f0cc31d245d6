package history

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// Memory records a run in memory: nothing is written or decoded. It is for runs
// that are short and many. Its recorder and journals stamp, order, refuse and
// tell their listeners as those on files do, and may be used concurrently.
type Memory struct {
	recorder  *Recorder
	revisions *RevisionJournal
	faults    *FaultJournal

	history  keptHistory
	log      keptRevisions
	injected keptFaults
	whole    *History // once it was asked for
}

// NewMemory returns a memory of a run that has recorded nothing yet.
func NewMemory(h Header, clock *Clock) (*Memory, error) {
	h.Version, h.Subjects = FormatVersion, slices.Clone(h.Subjects)
	line, err := appendHeader(nil, &h)
	if err != nil {
		return nil, err
	}
	m := &Memory{recorder: newRecorder(clock), revisions: &RevisionJournal{}, faults: &FaultJournal{}}
	m.recorder.memory, m.revisions.memory, m.faults.memory = &m.history, &m.log, &m.injected
	m.history.History.Header = h
	m.history.digest.header(line)
	return m, nil
}

// Reuse returns a memory of another run, in the space of this one: that takes
// half the time where runs are many. This run's record is ended, and the history
// and all that was read from it must not be used any more.
func (m *Memory) Reuse(h Header, clock *Clock) (*Memory, error) {
	next, err := NewMemory(h, clock)
	if err != nil {
		return nil, err
	}
	m.History()
	m.recorder.mu.Lock()
	defer m.recorder.mu.Unlock()
	m.revisions.mu.Lock()
	defer m.revisions.mu.Unlock()
	m.faults.mu.Lock()
	defer m.faults.mu.Unlock()
	next.history.Operations, next.history.Events = emptied(m.history.Operations), emptied(m.history.Events)
	next.history.digest.pending = append(m.history.digest.pending[:0], next.history.digest.pending...)
	next.log.digest.pending, next.injected.digest.pending = m.log.digest.pending[:0], m.injected.digest.pending[:0]
	next.log.changes, next.log.ends, next.log.ticks = emptied(m.log.changes), emptied(m.log.ends), emptied(m.log.ticks)
	next.injected.last = emptied(m.injected.last)
	// Whoever still has this one's recorder or journals records nothing.
	m.history, m.log, m.injected = keptHistory{}, keptRevisions{ended: true}, keptFaults{ended: true}
	return next, nil
}

// emptied is a slice with the space of another, of which it keeps no text alive.
func emptied[T any](s []T) []T {
	clear(s)
	return s[:0]
}

// Tee has every record written as well, as a Recorder, a RevisionJournal and a
// FaultJournal on these writers would; a nil one is none. It must be called
// before the first record, and before RevisionJournal.
func (m *Memory) Tee(history, revisions, faults io.Writer) error {
	m.recorder.w, m.revisions.w, m.faults.w = history, revisions, faults
	if history == nil {
		return nil
	}
	line, err := appendHeader(nil, &m.history.History.Header)
	if err != nil {
		return err
	}
	if _, err := history.Write(line); err != nil {
		return fmt.Errorf("write history header: %w", err)
	}
	return nil
}

// Recorder records operations and events.
func (m *Memory) Recorder() *Recorder { return m.recorder }

// RevisionJournal records the revision log, which sees every change from
// revision start on; see NewRevisionJournal. Without it there is no log.
func (m *Memory) RevisionJournal(start int64) *RevisionJournal {
	m.revisions.begin(start, false)
	return m.revisions
}

// FaultJournal records faults.
func (m *Memory) FaultJournal() *FaultJournal { return m.faults }

// History ends the record, as Recorder.Seal does, and returns it: what reading
// the journals of the same run gives, if all texts are valid UTF-8. It returns
// the same history each time.
func (m *Memory) History() *History {
	m.recorder.Seal()
	m.revisions.mu.Lock()
	defer m.revisions.mu.Unlock()
	m.faults.mu.Lock()
	defer m.faults.mu.Unlock()
	if m.whole == nil {
		m.whole = &m.history.History
		m.whole.Revisions = m.log.end()
		m.whole.Faults = m.injected.end()
	}
	return m.whole
}

// Digest is a hash of all that was recorded so far.
func (m *Memory) Digest() Digest {
	m.recorder.mu.Lock()
	defer m.recorder.mu.Unlock()
	m.revisions.mu.Lock()
	defer m.revisions.mu.Unlock()
	m.faults.mu.Lock()
	defer m.faults.mu.Unlock()
	return sum(&m.history.digest, &m.log.digest, &m.injected.digest)
}

// keptHistory is what a recorder has recorded; the recorder's lock guards it.
type keptHistory struct {
	History
	digest stream
}

// invoked keeps of an operation what is known at its call: the caller goes on to
// use it.
func (k *keptHistory) invoked(op *Operation) {
	k.digest.invocation(op)
	k.Operations = append(k.Operations, *op)
	kept := &k.Operations[len(k.Operations)-1]
	kept.Return, kept.Outcome, kept.Error, kept.Panicked, kept.Requests, kept.slot, kept.alone = 0, Pending, "", false, 0, 0, false
	k.End = op.Call
}

func (k *keptHistory) completed(c *Completion, at time.Duration) error {
	k.digest.completion(c, at)
	k.End = at
	op := k.Operation(c.ID)
	if op == nil || op.Completed() {
		return fmt.Errorf("keep history: operation %d completes but is not open", c.ID)
	}
	if c.Outcome == Pending {
		return errors.New("keep history: a completion has no outcome")
	}
	op.complete(c, at)
	return nil
}

func (k *keptHistory) happened(e *Event) {
	k.digest.event(e)
	k.Events = append(k.Events, *e)
	k.End = e.Time
}

// keptRevisions is what a revision journal has recorded; its lock guards it.
type keptRevisions struct {
	begun, ended   bool
	start, through int64
	changes        []Change
	ends           []LeaseEnd
	ticks          []Tick
	digest         stream
}

func (k *keptRevisions) begin(start int64) {
	if k.ended {
		return
	}
	k.begun, k.start = true, start
	k.digest.revision(recordStart, start)
}

func (k *keptRevisions) change(c *Change) {
	if k.ended {
		return
	}
	k.changes = append(k.changes, *c)
	k.digest.change(c)
}

func (k *keptRevisions) leaseEnd(e LeaseEnd) {
	if k.ended {
		return
	}
	k.ends = append(k.ends, e)
	k.digest.leaseEnd(&e)
}

func (k *keptRevisions) tick(t Tick) {
	if k.ended {
		return
	}
	k.ticks = append(k.ticks, t)
	k.digest.tick(&t)
}

func (k *keptRevisions) reaches(through int64) {
	if k.ended {
		return
	}
	k.through = through
	k.digest.revision(recordThrough, through)
}

// end returns the log, or nil if there is none.
func (k *keptRevisions) end() *RevisionLog {
	k.ended = true
	if !k.begun {
		return nil
	}
	return observedLog(k.start, k.through, k.changes, k.ends, k.ticks)
}

// keptFaults is what a fault journal has recorded; its lock guards it.
type keptFaults struct {
	ended  bool
	last   []Fault
	index  map[int64]int
	digest stream
}

func (k *keptFaults) record(f *Fault) {
	if k.ended {
		return
	}
	k.digest.fault(f)
	if i, ok := k.index[f.ID]; ok {
		k.last[i] = *f
		return
	}
	if k.index == nil {
		k.index = make(map[int64]int)
	}
	k.index[f.ID] = len(k.last)
	k.last = append(k.last, *f)
}

func (k *keptFaults) end() []Fault {
	k.ended = true
	return k.last
}
