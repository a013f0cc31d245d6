package exact

import (
	"context"
	"slices"

	"github.com/anishathalye/porcupine"

	"github.com/etcd-holdfast/holdfast/history"
)

// Model is a kind of object: what calls on it mean, and how a history of them
// is judged.
type Model struct {
	Name, Summary string
	// Functions are those that its histories consist of.
	Functions []history.Function
	check     func(ctx context.Context, calls []history.Call, p Parameters, l Limits) Result
	// oracle is the specification as porcupine wants it. It shares no code with
	// check.
	oracle func(p Parameters) porcupine.NondeterministicModel
	// operations writes calls for porcupine; nil is oracleOperations.
	operations func(calls []history.Call) []porcupine.Operation
}

// Parameters are what some models need to know. The zero value works for all.
type Parameters struct {
	// Initial is a register's value at the beginning; nil is history.Nil.
	Initial *history.Value
	// Permits is a semaphore's number of permits; zero is 1.
	Permits int
	// Parties is how many must meet at a double barrier; zero is 2.
	Parties int
}

func (p *Parameters) initial() history.Value {
	if p.Initial == nil {
		return history.Nil
	}
	return *p.Initial
}

func (p *Parameters) permits() int { return max(p.Permits, 1) }

func (p *Parameters) parties() int {
	if p.Parties == 0 {
		return 2
	}
	return p.Parties
}

// ModelNamed returns the model of that name.
func ModelNamed(name string) (Model, bool) {
	all := Models()
	i := slices.IndexFunc(all, func(m Model) bool { return m.Name == name })
	if i < 0 {
		return Model{}, false
	}
	return all[i], true
}

// Check judges the calls of one object, which are in the order of their
// invocations. The general search, where a model needs it, ends with ctx or at
// its limits. Unless the limits say otherwise, porcupine is asked about the witness of a violation alone: if it
// finds it legal the result is unknown, and if it comes to no answer the
// violation's sentence says so.
func (m *Model) Check(ctx context.Context, calls []history.Call, p Parameters, l Limits) Result {
	result := m.check(ctx, calls, p, l)
	if result.Violation == nil || l.Unconfirmed {
		return result
	}
	return m.confirm(result, p)
}
