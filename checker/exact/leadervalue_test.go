package exact

import (
	"slices"
	"testing"

	"github.com/etcd-holdfast/holdfast/history"
)

func TestMisreadLeaderValues(t *testing.T) {
	// Nobody leads, then 1 from [10,20] on, then 2 from [30,40] on, then 1 again, which may not have begun.
	states := []Reign{{Value: 0}, {10, 20, 1}, {30, 40, 2}, {50, history.NoReturn, 1}}
	read := func(invoke, end int64, v history.Value) history.Call {
		return history.Call{Invoke: invoke, Return: end, Value: v, Function: history.FunctionRead, Known: history.Succeeded}
	}
	for _, c := range []struct {
		name  string
		reads []history.Call
		want  []Misread
	}{
		{"each while it may be true", []history.Call{read(0, 5, 0), read(9, 10, 1), read(40, 45, 1), read(100, 101, 2)}, nil},
		{"the old one, as long as the new one may not have begun", []history.Call{read(20, 25, 0)}, nil},
		{"before it can have begun", []history.Call{read(0, 9, 1)}, []Misread{{0, -1, 0}}},
		{"after it was surely over", []history.Call{read(21, 25, 0)}, []Misread{{0, -1, 1}}},
		{"back after a later one was seen", []history.Call{read(12, 14, 1), read(15, 18, 0)}, []Misread{{1, 0, 1}}},
		{"not back if they touch", []history.Call{read(12, 14, 1), read(14, 18, 0)}, nil},
		{"again, once it can have come back", []history.Call{read(35, 36, 2), read(37, 50, 1)}, nil},
		{"again, before it can have come back", []history.Call{read(35, 36, 2), read(37, 49, 1)}, []Misread{{1, 0, 2}}},
		{"a value that never was", []history.Call{read(0, 100, 3)}, []Misread{{0, -1, 0}}},
		{"a misread counts for nobody else", []history.Call{read(0, 9, 2), read(10, 11, 0)}, []Misread{{0, -1, 0}}},
	} {
		if got := LeaderValue(states, c.reads); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
