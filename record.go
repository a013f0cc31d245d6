package holdfast

import (
	"errors"

	"github.com/etcd-holdfast/holdfast/history"
)

// record is where a run is recorded: in the files of its directory, in memory, or
// both.
type record struct {
	recorder  *history.Recorder
	revisions func(start int64) *history.RevisionJournal
	faults    *history.FaultJournal
	// memory is nil if the run is in files only.
	memory *history.Memory
}

// newRecord opens the files of a directory, if there is one. With memory the run
// is kept in memory, too. Without a directory it is there only, in the space of
// one that is spent, if there is one.
func newRecord(d *directory, clock *history.Clock, h history.Header, memory bool, spent *history.Memory) (*record, error) {
	if d == nil {
		begin := history.NewMemory
		if spent != nil {
			begin = spent.Reuse
		}
		m, err := begin(h, clock)
		if err != nil {
			return nil, err
		}
		return recordIn(m), nil
	}
	operations, err := d.append(HistoryFile)
	revisions, err2 := d.append(RevisionsFile)
	faults, err3 := d.append(FaultsFile)
	if err := errors.Join(err, err2, err3); err != nil {
		return nil, err
	}
	if memory {
		m, err := history.NewMemory(h, clock)
		if err != nil {
			return nil, err
		}
		return recordIn(m), m.Tee(operations, revisions, faults)
	}
	recorder, err := history.NewRecorder(operations, clock, h)
	journal := history.NewRevisionJournal
	if h.Shared {
		journal = history.NewSharedJournal
	}
	return &record{
		recorder: recorder, faults: history.NewFaultJournal(faults),
		revisions: func(start int64) *history.RevisionJournal { return journal(revisions, start) },
	}, err
}

func recordIn(m *history.Memory) *record {
	return &record{recorder: m.Recorder(), revisions: m.RevisionJournal, faults: m.FaultJournal(), memory: m}
}
