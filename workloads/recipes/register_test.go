package recipes

import (
	"errors"
	"testing"

	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/internal/testetcd"
)

func TestRegisterTellsWhatItHolds(t *testing.T) {
	forSome(t, func(s workloads.Subject) bool { return s.NewRegister != nil }, func(t *testing.T, subject workloads.Subject) {
		ctx := testetcd.Within(t)
		r := subject.NewRegister(testetcd.Open(t), testetcd.Prefix(t))
		read := func(value string, made int64) {
			t.Helper()
			got, err := r.Get(ctx)
			if err != nil || got.Value != value || got.Made != made || got.Revision < made {
				t.Errorf("read %+v (%v), want %q made at %d", got, err, value, made)
			}
		}
		read("", 0)
		if at, err := r.CompareAndSet(ctx, "x", "a"); !errors.Is(err, workloads.ErrDiffers) || at == 0 {
			t.Errorf("compared nothing with x: rev %d, %v", at, err)
		}
		made, err := r.CompareAndSet(ctx, "", "a")
		if err != nil {
			t.Fatal(err)
		}
		read("a", made)
		if _, err := r.CompareAndSet(ctx, "", "b"); !errors.Is(err, workloads.ErrDiffers) || !workloads.Certain(err) {
			t.Errorf("compared a with nothing: %v", err)
		}
		if made, err = r.CompareAndSet(ctx, "a", "c"); err != nil {
			t.Fatal(err)
		}
		read("c", made)
		if made, err = r.Put(ctx, "d"); err != nil {
			t.Fatal(err)
		}
		read("d", made)
	})
}
