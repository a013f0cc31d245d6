package recipes

import (
	"context"
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// Service is a leader's loop as a careful program writes it on etcd's election:
// it looks for its own key after it won, stops when its session ends or its key
// is gone, and resigns with a context of its own, however it came to stop.
type Service struct {
	session *workloads.Session
	prefix  string
}

var _ workloads.Service = (*Service)(nil)

// NewService returns a service that is led by the winner of the election on
// prefix.
func NewService(s *workloads.Session, prefix string) *Service {
	return &Service{session: s, prefix: prefix}
}

// resignPatience is how long giving a leadership up may take.
const resignPatience = 3 * time.Second

// Run waits until the caller leads, calls lead, and resigns when it returned.
func (v *Service) Run(ctx context.Context, lead func(context.Context, workloads.Grant)) error {
	election := NewCheckedElection(v.session, v.prefix)
	grant, err := election.Campaign(ctx, fmt.Sprintf("%x", v.session.Session.Lease()))
	if err != nil {
		return err
	}
	leading, stop := context.WithCancel(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		defer stop()
		v.untilLost(leading, grant)
	}()
	lead(leading, grant)
	stop()
	<-watched
	resigning, cancel := context.WithTimeout(context.WithoutCancel(ctx), resignPatience)
	defer cancel()
	if err := election.Resign(resigning); err != nil {
		return fmt.Errorf("resign: %w", err)
	}
	return nil
}

// untilLost returns when the leadership of grant is over, or ctx is.
func (v *Service) untilLost(ctx context.Context, grant workloads.Grant) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(v.session.Session.Ctx(), cancel)
	defer stop()
	for ctx.Err() == nil {
		for reply := range v.session.Client.Watch(ctx, grant.Key, clientv3.WithFilterPut(), clientv3.WithRev(grant.Token+1)) {
			if len(reply.Events) > 0 || reply.Err() != nil { // deleted, or compacted: not to be told
				return
			}
		}
	}
}
