package console

import (
	"context"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// listener listens in on what a recipe sends.
type listener struct {
	// job says for which command a request is, nil if for none.
	job func(ctx context.Context) *job
	// bounds makes requests end with their command, whatever context they came
	// with: etcd's recipes give none.
	bounds bool
}

// client returns a client that sends through real and is listened in on.
func (l listener) client(real *clientv3.Client) *clientv3.Client {
	c := clientv3.NewCtxClient(real.Ctx())
	c.KV = heardKV{real.KV, l}
	c.Watcher = heardWatcher{real.Watcher, l}
	c.Lease = real.Lease
	return c
}

// bound returns a context that ends with ctx, and with the job if it has to.
func (l listener) bound(ctx context.Context, j *job) (context.Context, context.CancelFunc) {
	if !l.bounds || j == nil {
		return ctx, func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(j.ctx, cancel)
	return ctx, func() { stop(); cancel() }
}

// heardWatcher tells the job that it waits.
type heardWatcher struct {
	clientv3.Watcher
	listener
}

func (w heardWatcher) Watch(ctx context.Context, key string, options ...clientv3.OpOption) clientv3.WatchChan {
	j := w.job(ctx)
	if j == nil {
		return w.Watcher.Watch(ctx, key, options...)
	}
	j.watches(key)
	if w.bounds {
		var release context.CancelFunc
		ctx, release = w.bound(ctx, j)
		context.AfterFunc(ctx, release) // recipes end the context of a watch when they have read enough
	}
	return w.Watcher.Watch(ctx, key, options...)
}

// heardKV tells the job what was read, what was written, and at which revision.
type heardKV struct {
	clientv3.KV
	listener
}

func (kv heardKV) Get(ctx context.Context, key string, options ...clientv3.OpOption) (*clientv3.GetResponse, error) {
	j := kv.job(ctx)
	ctx, release := kv.bound(ctx, j)
	defer release()
	reply, err := kv.KV.Get(ctx, key, options...)
	if err == nil && j != nil {
		j.hasRead(reply.Kvs)
	}
	return reply, err
}

func (kv heardKV) Delete(ctx context.Context, key string, options ...clientv3.OpOption) (*clientv3.DeleteResponse, error) {
	j := kv.job(ctx)
	ctx, release := kv.bound(ctx, j)
	defer release()
	reply, err := kv.KV.Delete(ctx, key, options...)
	switch {
	case j == nil:
	case err != nil:
		j.gaveWriteUp()
	default:
		j.wrote(write{key: key, deletes: true, count: reply.Deleted, revision: reply.Header.Revision})
	}
	return reply, err
}

func (kv heardKV) Txn(ctx context.Context) clientv3.Txn {
	j := kv.job(ctx)
	ctx, release := kv.bound(ctx, j)
	return &heardTxn{Txn: kv.KV.Txn(ctx), job: j, release: release}
}

// heardTxn is a transaction whose writes are told.
type heardTxn struct {
	clientv3.Txn
	job           *job
	release       context.CancelFunc
	then, instead []clientv3.Op
}

func (t *heardTxn) If(conditions ...clientv3.Cmp) clientv3.Txn {
	t.Txn = t.Txn.If(conditions...)
	return t
}

func (t *heardTxn) Then(operations ...clientv3.Op) clientv3.Txn {
	t.Txn, t.then = t.Txn.Then(operations...), operations
	return t
}

func (t *heardTxn) Else(operations ...clientv3.Op) clientv3.Txn {
	t.Txn, t.instead = t.Txn.Else(operations...), operations
	return t
}

func (t *heardTxn) Commit() (*clientv3.TxnResponse, error) {
	defer t.release()
	reply, err := t.Txn.Commit()
	if t.job == nil {
		return reply, err
	}
	if err != nil {
		t.job.gaveWriteUp()
		return reply, err
	}
	done := t.then
	if !reply.Succeeded {
		done = t.instead
	}
	for i, op := range done {
		w := write{key: string(op.KeyBytes()), revision: reply.Header.Revision}
		switch {
		case op.IsPut():
			t.job.wrote(w)
		case op.IsDelete():
			w.deletes, w.count = true, reply.Responses[i].GetResponseDeleteRange().GetDeleted()
			t.job.wrote(w)
		}
	}
	return reply, err
}
