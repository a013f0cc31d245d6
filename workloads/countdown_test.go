package workloads

import "testing"

func TestCountdown(t *testing.T) {
	if !isClosed(newCountdown(0).over) {
		t.Error("nothing to wait for, and it is not over")
	}
	c := newCountdown(2)
	c.done()
	if isClosed(c.over) {
		t.Error("over after one of two")
	}
	c.done()
	if !isClosed(c.over) {
		t.Error("not over after two of two")
	}
}
