package console

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
)

// errCancelled ends a command at its user's wish.
var errCancelled = errors.New("cancelled")

// job is one command while it runs.
type job struct {
	command *command
	began   time.Time
	ctx     context.Context
	cancel  context.CancelCauseFunc

	// waiting is closed when the command has opened its first watch, and it
	// was told what it waits for.
	waiting chan struct{}
	// done is closed when the command has ended and err is set.
	done chan struct{}
	err  error

	mu     sync.Mutex
	waits  bool
	read   map[string]*mvccpb.KeyValue // what the recipe read last, by key
	writes []write                     // in order
	unsure bool                        // a write was given up, so nobody knows what became of it
}

// write is what etcd answered to a request that changes keys.
type write struct {
	key      string
	deletes  bool
	count    int64 // of keys deleted
	revision int64 // of the store after it
}

// jobKey is under which a context carries its job.
type jobKey struct{}

func newJob(ctx context.Context, cmd *command) *job {
	j := &job{command: cmd, began: time.Now(), waiting: make(chan struct{}), done: make(chan struct{}), read: make(map[string]*mvccpb.KeyValue)}
	ctx, j.cancel = context.WithCancelCause(ctx)
	j.ctx = context.WithValue(ctx, jobKey{}, j)
	return j
}

// watches tells, once, that the command waits for a change of key. The recipe
// goes on when it is told, so what it says in the end comes after.
func (j *job) watches(key string) {
	j.mu.Lock()
	first := !j.waits
	j.waits = true
	j.mu.Unlock()
	if !first {
		return
	}
	if j.command.waits != nil {
		j.command.waits(j, key)
	}
	close(j.waiting)
}

func (j *job) hasRead(kvs []*mvccpb.KeyValue) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, kv := range kvs {
		j.read[string(kv.Key)] = kv
	}
}

func (j *job) wrote(w write) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.writes = append(j.writes, w)
}

func (j *job) gaveWriteUp() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.unsure = true
}

// last returns the last write that put a key, or deleted some.
func (j *job) last(deletes bool) (write, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for i := len(j.writes) - 1; i >= 0; i-- {
		if j.writes[i].deletes == deletes {
			return j.writes[i], true
		}
	}
	return write{}, false
}

// cancelled is true if the command ended, or will, because its user wished so.
func (j *job) cancelled() bool { return errors.Is(context.Cause(j.ctx), errCancelled) }
