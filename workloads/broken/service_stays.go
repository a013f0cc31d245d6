package broken

import (
	"context"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/recipes"
)

// serviceStays is a leader's loop that does not resign when it is done.
//
// Plausible: when the process ends its lease does, and the next one takes over. A
// loop that returns is not a process that ends: its session is kept alive, nobody
// leads, and nobody else can.
//
// Found by leftovers, and by progress when others wait.
func serviceStays() Specimen {
	return Specimen{Breaks: []string{leftovers, progress}, Twin: "service", Subject: workloads.Subject{
		Name:       "service-stays",
		Summary:    "a leader's loop that leaves its key there when it is done",
		Origin:     history.Broken,
		Layout:     history.OldestKey,
		NewService: func(s *workloads.Session, prefix string) workloads.Service { return &stayingService{s, prefix} },
	}}
}

type stayingService struct {
	session *workloads.Session
	prefix  string
}

func (v *stayingService) Run(ctx context.Context, lead func(context.Context, workloads.Grant)) error {
	grant, err := recipes.NewCheckedElection(v.session, v.prefix).Campaign(ctx, fmt.Sprintf("%x", v.session.Session.Lease()))
	if err != nil {
		return err
	}
	leadWhile(ctx, v.session, grant, lead)
	return nil // the bug: without a resignation
}

// leadWhile calls lead with a context that ends with ctx, with the session, or
// when the key of the grant is deleted.
func leadWhile(ctx context.Context, s *workloads.Session, grant workloads.Grant, lead func(context.Context, workloads.Grant)) {
	leading, stop := context.WithCancel(ctx)
	defer stop()
	defer context.AfterFunc(s.Session.Ctx(), stop)()
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		defer stop()
		for leading.Err() == nil {
			for reply := range s.Client.Watch(leading, grant.Key, clientv3.WithFilterPut(), clientv3.WithRev(grant.Token+1)) {
				if len(reply.Events) > 0 || reply.Err() != nil {
					return
				}
			}
		}
	}()
	lead(leading, grant)
	stop()
	<-watched
}
