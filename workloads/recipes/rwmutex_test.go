package recipes

import (
	"testing"

	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/internal/testetcd"
)

func forEachRWLock(t *testing.T, test func(t *testing.T, subject workloads.Subject)) {
	forSome(t, func(s workloads.Subject) bool { return s.NewRWLock != nil }, test)
}

func TestReadersShare(t *testing.T) {
	forEachRWLock(t, func(t *testing.T, subject workloads.Subject) {
		a, b, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
		first, second := subject.NewRWLock(a, prefix), subject.NewRWLock(b, prefix)
		testetcd.MustHold(t, first.AcquireRead)
		grant := testetcd.MustHold(t, second.AcquireRead)
		if !testetcd.Exists(t, a.Client, grant) {
			t.Errorf("etcd has no key %q of create revision %d", grant.Key, grant.Token)
		}
		testetcd.Must(t, first.ReleaseRead)
		testetcd.Must(t, second.ReleaseRead)
		testetcd.AwaitKeys(t, a.Client, prefix, 0)
	})
}

func TestWriterWaitsForReaderAndReaderForWriter(t *testing.T) {
	forEachRWLock(t, func(t *testing.T, subject workloads.Subject) {
		sessions, prefix := []*workloads.Session{testetcd.Open(t), testetcd.Open(t), testetcd.Open(t)}, testetcd.Prefix(t)
		reader, writer, later := subject.NewRWLock(sessions[0], prefix), subject.NewRWLock(sessions[1], prefix), subject.NewRWLock(sessions[2], prefix)
		testetcd.MustHold(t, reader.AcquireRead)
		writing := testetcd.StartWaiting(t, sessions[1], func() (workloads.Grant, error) { return writer.Acquire(testetcd.Within(t)) })
		reading := testetcd.StartWaiting(t, sessions[2], func() (workloads.Grant, error) { return later.AcquireRead(testetcd.Within(t)) })
		select {
		case o := <-writing:
			t.Fatalf("the writer returned %+v beside a reader", o)
		case o := <-reading:
			t.Fatalf("the reader returned %+v before an older writer", o)
		default:
		}
		testetcd.Must(t, reader.ReleaseRead)
		if o := testetcd.Result(t, writing); o.Err != nil {
			t.Fatal(o.Err)
		}
		select {
		case o := <-reading:
			t.Fatalf("the reader returned %+v beside a writer", o)
		default:
		}
		testetcd.Must(t, writer.Release)
		if o := testetcd.Result(t, reading); o.Err != nil {
			t.Fatal(o.Err)
		}
		testetcd.Must(t, later.ReleaseRead)
		testetcd.AwaitKeys(t, sessions[0].Client, prefix, 0)
	})
}
