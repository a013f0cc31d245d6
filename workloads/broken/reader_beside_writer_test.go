package broken

import (
	"testing"

	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/internal/testetcd"
)

// A writes, reader B waits for it, reader C sees B's key and walks in.
func TestReaderBesideWriterFollowsAReaderThatWaits(t *testing.T) {
	a, b, c, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
	subject := testetcd.Named(t, Subjects(), "reader-beside-writer")
	writer, waiter, follower := subject.NewRWLock(a, prefix), subject.NewRWLock(b, prefix), subject.NewRWLock(c, prefix)
	writing := testetcd.MustHold(t, writer.Acquire)
	waiting := testetcd.StartWaiting(t, b, func() (workloads.Grant, error) { return waiter.AcquireRead(testetcd.Within(t)) })
	reading := testetcd.MustHold(t, follower.AcquireRead)
	if !testetcd.Exists(t, a.Client, writing) || !testetcd.Exists(t, c.Client, reading) {
		t.Error("the reader and the writer do not hold at the same time")
	}
	testetcd.Must(t, writer.Release)
	if o := testetcd.Result(t, waiting); o.Err != nil {
		t.Fatal(o.Err)
	}
}
