package broken

import (
	"errors"
	"testing"

	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/internal/testetcd"
)

func TestRegisters(t *testing.T) {
	registers := func(name string) (a *workloads.Session, one, two workloads.Register) {
		a, b, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
		subject := testetcd.Named(t, Subjects(), name)
		return a, subject.NewRegister(a, prefix), subject.NewRegister(b, prefix)
	}
	put := func(r workloads.Register, value string) {
		t.Helper()
		if _, err := r.Put(testetcd.Within(t), value); err != nil {
			t.Fatal(err)
		}
	}
	read := func(r workloads.Register) string {
		t.Helper()
		reading, err := r.Get(testetcd.Within(t))
		if err != nil {
			t.Fatal(err)
		}
		return reading.Value
	}
	t.Run("a write between look and put is lost", func(t *testing.T) {
		a, one, two := registers("register-looks-and-puts")
		put(one, "v")
		if _, err := one.CompareAndSet(testetcd.Within(t), "other", "w"); !errors.Is(err, workloads.ErrDiffers) {
			t.Errorf("compared with what is not there: %v", err)
		}
		a.Client.KV = &beforePut{a.Client.KV, func() { put(two, "between") }}
		if _, err := one.CompareAndSet(testetcd.Within(t), "v", "w"); err != nil {
			t.Errorf("the comparison noticed: %v", err)
		}
	})
	t.Run("an answer is no success", func(t *testing.T) {
		_, one, two := registers("register-ignores-outcome")
		put(one, "v")
		if _, err := one.CompareAndSet(testetcd.Within(t), "v", "w"); err != nil || read(two) != "w" {
			t.Errorf("compared with what is there: %v, and it is %q", err, read(two))
		}
		if _, err := one.CompareAndSet(testetcd.Within(t), "other", "x"); err != nil || read(two) != "w" {
			t.Errorf("compared with what is not there: %v, and it is %q", err, read(two))
		}
	})
	t.Run("what is read is old", func(t *testing.T) {
		_, one, two := registers("register-from-cache")
		put(one, "v")
		cached := one.(*cachedRegister)
		if got := read(one); got != "v" {
			t.Errorf("read %q", got)
		}
		cached.fresh = 1 << 62 // as if no time went by
		put(two, "w")
		if got := read(one); got != "v" {
			t.Errorf("read %q, which is not from memory", got)
		}
		put(one, "x")
		if got := read(one); got != "x" {
			t.Errorf("read %q after a write of one's own", got)
		}
	})
}
