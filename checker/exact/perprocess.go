package exact

import "github.com/etcd-holdfast/holdfast/history"

// perProcess keeps something for each process of some calls. It is a slice,
// unless the processes' numbers are far higher than the calls are many: of a
// history of many objects each sees few of the processes.
type perProcess[T any] struct {
	dense   []T
	sparse  map[int32]*T
	initial T
}

func newPerProcess[T any](calls []history.Call, initial T) *perProcess[T] {
	highest := int32(-1)
	for i := range calls {
		highest = max(highest, calls[i].Process)
	}
	p := &perProcess[T]{initial: initial}
	if int(highest) >= 4*len(calls)+16 {
		p.sparse = make(map[int32]*T)
		return p
	}
	p.dense = make([]T, highest+1)
	for i := range p.dense {
		p.dense[i] = initial
	}
	return p
}

// of returns what is kept for a process.
func (p *perProcess[T]) of(process int32) *T {
	if p.sparse == nil {
		return &p.dense[process]
	}
	kept := p.sparse[process]
	if kept == nil {
		kept = new(T)
		*kept = p.initial
		p.sparse[process] = kept
	}
	return kept
}
