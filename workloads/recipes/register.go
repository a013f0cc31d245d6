package recipes

import (
	"context"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// Register is one key of etcd: Get, Put and Txn, and nothing of ours between.
type Register struct {
	client *clientv3.Client
	key    string
	reads  []clientv3.OpOption
}

var _ workloads.Register = (*Register)(nil)

// NewRegister returns the register below prefix. Its reads have the given
// options.
func NewRegister(s *workloads.Session, prefix string, reads ...clientv3.OpOption) *Register {
	return &Register{client: s.Client, key: prefix + "/value", reads: reads}
}

// Get reads the key.
func (r *Register) Get(ctx context.Context) (workloads.Reading, error) {
	reply, err := r.client.Get(ctx, r.key, r.reads...)
	if err != nil {
		return workloads.Reading{}, err
	}
	reading := workloads.Reading{Revision: reply.Header.Revision}
	if len(reply.Kvs) == 1 {
		reading.Value, reading.Made = string(reply.Kvs[0].Value), reply.Kvs[0].ModRevision
	}
	return reading, nil
}

// Put writes the key.
func (r *Register) Put(ctx context.Context, value string) (int64, error) {
	reply, err := r.client.Put(ctx, r.key, value)
	if err != nil {
		return 0, err
	}
	return reply.Header.Revision, nil
}

// CompareAndSet writes the key if its value is prior, "" being no key.
func (r *Register) CompareAndSet(ctx context.Context, prior, value string) (int64, error) {
	same := clientv3.Compare(clientv3.Value(r.key), "=", prior)
	if prior == "" {
		same = clientv3.Compare(clientv3.CreateRevision(r.key), "=", 0)
	}
	reply, err := r.client.Txn(ctx).If(same).Then(clientv3.OpPut(r.key, value)).Commit()
	if err != nil {
		return 0, err
	}
	if !reply.Succeeded {
		return reply.Header.Revision, workloads.ErrDiffers
	}
	return reply.Header.Revision, nil
}
