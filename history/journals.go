package history

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
)

// The journals beside the history, of the revision log and of the faults, are
// JSON lines too. They see hundreds of records a second, not hundreds of
// thousands, so encoding/json writes them. They are read as the history is.

const (
	lineStart    = "start"
	lineChange   = "change"
	lineLeaseEnd = "lease-end"
	lineTick     = "tick"
	lineThrough  = "through"
	lineMissed   = "missed"
	lineGap      = "gap"
)

// revisionLine is the union of all lines of a revision journal.
type revisionLine struct {
	Type     string        `json:"type"`
	Revision int64         `json:"revision,omitempty"`
	Time     time.Duration `json:"time,omitempty"`
	Call     time.Duration `json:"call,omitempty"`
	Key      string        `json:"key,omitempty"`
	Deleted  bool          `json:"deleted,omitempty"`
	Create   int64         `json:"create,omitempty"`
	Version  int64         `json:"version,omitempty"`
	Lease    int64         `json:"lease,omitempty"`
	Value    string        `json:"value,omitempty"`
	Through  int64         `json:"through,omitempty"`
	Shared   bool          `json:"shared,omitempty"`
}

// journal appends JSON lines, each in one Write.
type journal struct {
	mu  sync.Mutex
	w   io.Writer // nil if no lines are wanted
	err error
}

// append writes a line; the lock is held.
func (j *journal) append(v any) {
	if j.err != nil {
		return
	}
	text, err := json.Marshal(v)
	if err == nil {
		_, err = j.w.Write(append(text, '\n'))
	}
	j.err = err
}

// Err is the first error of writing; records after it are lost.
func (j *journal) Err() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.err
}

// RevisionJournal records the revision log as it is observed, as lines, or as a
// Memory's does, which keeps it. Its methods are safe for concurrent use.
type RevisionJournal struct {
	journal
	memory *keptRevisions // nil if only lines are wanted
}

// NewRevisionJournal returns a journal on w of a log that sees every change
// from revision start on. The store must be the run's own: nobody else writes
// to it, so that a revision of which nothing was seen is a gap in the log.
func NewRevisionJournal(w io.Writer, start int64) *RevisionJournal {
	j := &RevisionJournal{journal: journal{w: w}}
	j.begin(start, false)
	return j
}

// NewSharedJournal is NewRevisionJournal for a store to which others write as well:
// a revision of which nothing was seen is theirs, unless Missed or Gap says
// otherwise.
func NewSharedJournal(w io.Writer, start int64) *RevisionJournal {
	j := &RevisionJournal{journal: journal{w: w}}
	j.begin(start, true)
	return j
}

func (j *RevisionJournal) begin(start int64, shared bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.w != nil {
		j.append(revisionLine{Type: lineStart, Revision: start, Shared: shared})
	}
	if j.memory != nil {
		j.memory.begin(start)
	}
}

// Change records a change of a key.
func (j *RevisionJournal) Change(c Change) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.w != nil {
		j.append(revisionLine{
			Type: lineChange, Revision: c.Revision, Time: c.Time, Key: c.Key, Deleted: c.Deleted,
			Create: c.Create, Version: c.Version, Lease: c.Lease, Value: c.Value,
		})
	}
	if j.memory != nil {
		j.memory.change(&c)
	}
}

// LeaseEnd records the end of a lease.
func (j *RevisionJournal) LeaseEnd(e LeaseEnd) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.w != nil {
		j.append(revisionLine{Type: lineLeaseEnd, Revision: e.Revision, Time: e.Time, Lease: e.Lease})
	}
	if j.memory != nil {
		j.memory.leaseEnd(e)
	}
}

// Tick records a dated revision.
func (j *RevisionJournal) Tick(t Tick) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.w != nil {
		j.append(revisionLine{Type: lineTick, Revision: t.Revision, Call: t.Call, Time: t.Return})
	}
	if j.memory != nil {
		j.memory.tick(t)
	}
}

// Through records that the log is complete through revision r.
func (j *RevisionJournal) Through(r int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.w != nil {
		j.append(revisionLine{Type: lineThrough, Through: r})
	}
	if j.memory != nil {
		j.memory.reaches(r)
	}
}

// Missed records that one of those who look at a shared store has not seen what
// happened in a range of revisions, both included. Others may have. In a log that
// was cut short nobody can tell, and the range is a gap.
func (j *RevisionJournal) Missed(g Gap) { j.absent(lineMissed, g) }

// Gap records that nobody has seen what happened in a range of revisions of a
// shared store, both included.
func (j *RevisionJournal) Gap(g Gap) { j.absent(lineGap, g) }

func (j *RevisionJournal) absent(kind string, g Gap) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.w != nil {
		j.append(revisionLine{Type: kind, Revision: g.From, Through: g.Through})
	}
}

// ReadRevisions reads what a RevisionJournal wrote. As with ReadJournal, a
// last line that was cut is dropped.
func ReadRevisions(r io.Reader) (*RevisionLog, error) {
	var (
		start, through int64
		changes        []Change
		ends           []LeaseEnd
		ticks          []Tick
		l              revisionLine
		own            = true // the store is the run's own
		missed, gaps   []Gap
	)
	names := newTexts()
	err := eachLine(r, func(_ int, text []byte, progress fraction) error {
		if err := l.decode(text, names); err != nil {
			return err
		}
		switch l.Type {
		case lineStart:
			start, own = l.Revision, !l.Shared
		case lineMissed:
			missed = append(missed, Gap{l.Revision, l.Through})
		case lineGap:
			gaps = append(gaps, Gap{l.Revision, l.Through})
		case lineChange:
			changes = append(grown(changes, progress), Change{
				Revision: l.Revision, Time: l.Time, Key: l.Key, Deleted: l.Deleted,
				Create: l.Create, Version: l.Version, Lease: l.Lease, Value: l.Value,
			})
		case lineLeaseEnd:
			ends = append(grown(ends, progress), LeaseEnd{Lease: l.Lease, Revision: l.Revision, Time: l.Time})
		case lineTick:
			ticks = append(grown(ticks, progress), Tick{Call: l.Call, Return: l.Time, Revision: l.Revision})
		case lineThrough:
			through = l.Through
		default:
			return fmt.Errorf("unknown line type %q", l.Type)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	switch {
	case own:
		return observedLog(start, through, changes, ends, ticks), nil
	case through == 0:
		gaps = missed
		if n := len(changes); n > 0 { // of the last one there may have been more
			gaps = append(gaps, Gap{changes[n-1].Revision, changes[n-1].Revision})
		}
	}
	return sharedLog(start, through, changes, ends, ticks, gaps), nil
}

// observedLog is the log of what was seen, in the order in which it was. Through
// is zero if it is not known how far it is complete.
func observedLog(start, through int64, changes []Change, ends []LeaseEnd, ticks []Tick) *RevisionLog {
	changes, ends, through = known(through, changes, ends)
	return NewRevisionLog(start, through, changes, ends, ticks, gapsBetween(start, through, changes))
}

// sharedLog is observedLog for a store that others write to as well.
func sharedLog(start, through int64, changes []Change, ends []LeaseEnd, ticks []Tick, gaps []Gap) *RevisionLog {
	changes, ends, through = known(through, changes, ends)
	return NewRevisionLog(start, through, changes, ends, ticks, gaps)
}

// known leaves out what may have been seen in part, and returns how far the rest is
// complete.
func known(through int64, changes []Change, ends []LeaseEnd) ([]Change, []LeaseEnd, int64) {
	if through == 0 {
		changes, ends, through = beforeLast(changes, ends)
	}
	// What was seen after the end may have been seen in part.
	changes = slices.DeleteFunc(changes, func(c Change) bool { return c.Revision > through })
	ends = slices.DeleteFunc(ends, func(e LeaseEnd) bool { return e.Revision > through })
	return changes, ends, through
}

// decode makes l the line that text is.
func (l *revisionLine) decode(text []byte, names *texts) error {
	*l = revisionLine{}
	if l.scan(plain{line: text, texts: names}) {
		return nil
	}
	*l = revisionLine{}
	if err := json.Unmarshal(text, l); err != nil {
		return misread(err)
	}
	return nil
}

// scan reads a line of the plain form; it returns false if it is of another.
func (l *revisionLine) scan(p plain) bool {
	ok := p.begin()
	for seen := 0; ok && !p.ended; {
		var name []byte
		if name, ok = p.name(); !ok {
			return false
		}
		field := 0
		switch string(name) {
		case "type":
			field, ok = 1<<0, p.text(&l.Type)
		case "revision":
			field, ok = 1<<1, p.number(&l.Revision)
		case "time":
			field, ok = 1<<2, p.number((*int64)(&l.Time))
		case "call":
			field, ok = 1<<3, p.number((*int64)(&l.Call))
		case "key":
			field, ok = 1<<4, p.text(&l.Key)
		case "deleted":
			field, ok = 1<<5, p.yes(&l.Deleted)
		case "create":
			field, ok = 1<<6, p.number(&l.Create)
		case "version":
			field, ok = 1<<7, p.number(&l.Version)
		case "lease":
			field, ok = 1<<8, p.number(&l.Lease)
		case "value":
			field, ok = 1<<9, p.text(&l.Value)
		case "through":
			field, ok = 1<<10, p.number(&l.Through)
		case "shared":
			field, ok = 1<<11, p.yes(&l.Shared)
		default:
			return false
		}
		ok = ok && seen&field == 0
		seen |= field
	}
	return ok
}

// beforeLast leaves out, from a log that was cut short, the revisions of which
// there may have been more: the last one written, and the highest. They differ
// where one member's watch ran ahead of another's.
func beforeLast(changes []Change, ends []LeaseEnd) ([]Change, []LeaseEnd, int64) {
	highest, written := int64(0), int64(0)
	for _, e := range ends {
		highest = max(highest, e.Revision)
	}
	for _, c := range changes {
		highest, written = max(highest, c.Revision), c.Revision
	}
	changes = slices.DeleteFunc(changes, func(c Change) bool { return c.Revision == written })
	ends = slices.DeleteFunc(ends, func(e LeaseEnd) bool { return e.Revision == written })
	return changes, ends, max(highest-1, 0)
}

// gapsBetween returns the revisions that no change was seen of.
func gapsBetween(start, through int64, changes []Change) []Gap {
	seen := make([]int64, 0, len(changes)+1)
	for _, c := range changes {
		seen = append(seen, c.Revision)
	}
	if !slices.IsSorted(seen) {
		slices.Sort(seen)
	}
	seen = append(seen, through+1)
	var gaps []Gap
	next := start
	for _, r := range seen {
		if r > next {
			gaps = append(gaps, Gap{From: next, Through: r - 1})
		}
		next = max(next, r+1)
	}
	return gaps
}

// FaultJournal records each state of each fault, as lines, or as a Memory's
// does, which keeps the last. Its methods are safe for concurrent use.
type FaultJournal struct {
	journal
	memory *keptFaults // nil if only lines are wanted
}

// NewFaultJournal returns a journal on w.
func NewFaultJournal(w io.Writer) *FaultJournal { return &FaultJournal{journal: journal{w: w}} }

// Record records the fault as it is now.
func (j *FaultJournal) Record(f Fault) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.w != nil {
		j.append(f)
	}
	if j.memory != nil {
		j.memory.record(&f)
	}
}

// ReadFaults reads what a FaultJournal wrote: for each fault its last state, in
// the order in which they first appeared. An empty journal is no fault.
func ReadFaults(r io.Reader) ([]Fault, error) {
	var faults []Fault
	index := make(map[int64]int)
	decoder := json.NewDecoder(r)
	for {
		var f Fault
		err := decoder.Decode(&f)
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return faults, nil
		}
		if err != nil {
			return nil, fmt.Errorf("fault %d: %w", len(faults)+1, err)
		}
		if k, ok := index[f.ID]; ok {
			faults[k] = f
			continue
		}
		index[f.ID] = len(faults)
		faults = append(faults, f)
	}
}
