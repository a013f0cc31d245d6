package broken

import (
	"context"
	"sync"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/internal/testetcd"
)

// meeting holds back each client's answer until all have theirs.
type meeting struct {
	clientv3.KV
	absent *sync.WaitGroup
}

func (m meeting) Get(ctx context.Context, key string, options ...clientv3.OpOption) (*clientv3.GetResponse, error) {
	reply, err := m.KV.Get(ctx, key, options...)
	m.absent.Done()
	m.absent.Wait()
	return reply, err
}

// Two candidates look before either has put its key: both lead.
func TestSplitBrainElectionHasTwoLeaders(t *testing.T) {
	prefix := testetcd.Prefix(t)
	subject := testetcd.Named(t, Subjects(), "split-brain-election")
	var absent, candidates sync.WaitGroup
	absent.Add(2)
	var outcomes [2]testetcd.Outcome
	var sessions [2]*workloads.Session
	for i := range outcomes {
		sessions[i] = testetcd.Open(t)
		kv := sessions[i].Client.KV
		sessions[i].Client.KV = meeting{kv, &absent}
		t.Cleanup(func() { sessions[i].Client.KV = kv })
		election := subject.NewElection(sessions[i], prefix)
		candidates.Go(func() {
			grant, err := election.Campaign(testetcd.Within(t), "value")
			outcomes[i] = testetcd.Outcome{Grant: grant, Err: err}
		})
	}
	candidates.Wait()
	observer := testetcd.Open(t)
	for i, o := range outcomes {
		if o.Err != nil {
			t.Fatalf("candidate %d: %v", i, o.Err)
		}
		if !testetcd.Exists(t, observer.Client, o.Grant) {
			t.Errorf("candidate %d: the key of %+v is gone", i, o.Grant)
		}
	}
}
