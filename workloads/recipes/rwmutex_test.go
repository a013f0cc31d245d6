package recipes

import (
	"testing"

	"github.com/etcd-holdfast/holdfast/workloads"
)

func forEachRWLock(t *testing.T, test func(t *testing.T, subject workloads.Subject)) {
	forSome(t, func(s workloads.Subject) bool { return s.NewRWLock != nil }, test)
}

func TestReadersShare(t *testing.T) {
	forEachRWLock(t, func(t *testing.T, subject workloads.Subject) {
		a, b, prefix := open(t), open(t), prefixOf(t)
		first, second := subject.NewRWLock(a, prefix), subject.NewRWLock(b, prefix)
		mustHold(t, first.AcquireRead)
		grant := mustHold(t, second.AcquireRead)
		if !exists(t, a.Client, grant) {
			t.Errorf("etcd has no key %q of create revision %d", grant.Key, grant.Token)
		}
		must(t, first.ReleaseRead)
		must(t, second.ReleaseRead)
		awaitKeys(t, a.Client, prefix, 0)
	})
}

func TestWriterWaitsForReaderAndReaderForWriter(t *testing.T) {
	forEachRWLock(t, func(t *testing.T, subject workloads.Subject) {
		sessions, prefix := []*workloads.Session{open(t), open(t), open(t)}, prefixOf(t)
		reader, writer, later := subject.NewRWLock(sessions[0], prefix), subject.NewRWLock(sessions[1], prefix), subject.NewRWLock(sessions[2], prefix)
		mustHold(t, reader.AcquireRead)
		writing := startWaiting(t, sessions[1], func() (workloads.Grant, error) { return writer.Acquire(within(t)) })
		reading := startWaiting(t, sessions[2], func() (workloads.Grant, error) { return later.AcquireRead(within(t)) })
		select {
		case o := <-writing:
			t.Fatalf("the writer returned %+v beside a reader", o)
		case o := <-reading:
			t.Fatalf("the reader returned %+v before an older writer", o)
		default:
		}
		must(t, reader.ReleaseRead)
		if o := result(t, writing); o.err != nil {
			t.Fatal(o.err)
		}
		select {
		case o := <-reading:
			t.Fatalf("the reader returned %+v beside a writer", o)
		default:
		}
		must(t, writer.Release)
		if o := result(t, reading); o.err != nil {
			t.Fatal(o.err)
		}
		must(t, later.ReleaseRead)
		awaitKeys(t, sessions[0].Client, prefix, 0)
	})
}
