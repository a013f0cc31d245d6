package broken

import (
	"testing"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// A writes, reader B waits for it, reader C sees B's key and walks in.
func TestReaderBesideWriterFollowsAReaderThatWaits(t *testing.T) {
	a, b, c, prefix := open(t), open(t), open(t), prefixOf(t)
	subject := subjectNamed(t, "reader-beside-writer")
	writer, waiter, follower := subject.NewRWLock(a, prefix), subject.NewRWLock(b, prefix), subject.NewRWLock(c, prefix)
	writing := mustHold(t, writer.Acquire)
	waiting := startWaiting(t, b, func() (workloads.Grant, error) { return waiter.AcquireRead(within(t)) })
	reading := mustHold(t, follower.AcquireRead)
	if !exists(t, a.Client, writing) || !exists(t, c.Client, reading) {
		t.Error("the reader and the writer do not hold at the same time")
	}
	must(t, writer.Release)
	if o := result(t, waiting); o.err != nil {
		t.Fatal(o.err)
	}
}
