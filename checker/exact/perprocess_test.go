package exact

import (
	"testing"

	"github.com/etcd-holdfast/holdfast/history"
)

// TestFewOfManyProcesses: what a check finds does not depend on how high the
// numbers of the processes are.
func TestFewOfManyProcesses(t *testing.T) {
	lock := func(first int32) []history.Call {
		calls := []history.Call{
			{Function: history.FunctionAcquire, Invoke: 1, Return: 2},
			{Function: history.FunctionRelease, Invoke: 5, Return: 6},
			{Function: history.FunctionAcquire, Process: 1, Invoke: 3, Return: 4},
		}
		for i := range calls {
			calls[i].Process += first
			calls[i].Known = history.Succeeded
		}
		calls[1], calls[2] = calls[2], calls[1]
		return calls
	}
	for _, first := range []int32{0, 2_000_000_000} {
		if v, decided := Mutex(lock(first)); v == nil || !decided || len(v.Witness) != 3 {
			t.Errorf("processes from %d on: %v, decided %v", first, v, decided)
		}
		if v, decided := Semaphore(lock(first), 1); v == nil || !decided {
			t.Errorf("processes from %d on: %v, decided %v", first, v, decided)
		}
		if v, decided := Semaphore(lock(first), 2); v != nil || !decided {
			t.Errorf("processes from %d on, two permits: %v, decided %v", first, v, decided)
		}
	}
}
