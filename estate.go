package holdfast

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/cluster"
	"github.com/etcd-holdfast/holdfast/cluster/link"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// estateParty is for whom the links are by which an estate is looked after.
const estateParty = "estate"

// estate is what a run has in a cluster that is not its own: the keys below its
// prefix, and the leases of those keys.
type estate struct {
	cluster cluster.Cluster
	client  *clientv3.Client
	prefix  string
	end     context.CancelFunc
	// mine is the claim by which the prefix is cleared; nil if there is none.
	mine *mvccpb.KeyValue
	// anonymous is true if the run asks as nobody.
	anonymous bool

	mu sync.Mutex
	// granted are the leases that the run's clients were granted. What they were
	// granted without hearing of it ends by itself.
	granted map[int64]bool
}

// newEstate connects to look after a prefix.
func newEstate(ctx context.Context, c cluster.Cluster, prefix string, login workloads.Login) (*estate, error) {
	urls, err := c.Connect(estateParty)
	if err != nil {
		return nil, err
	}
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	client, err := connect(life, urls, login)
	if err != nil {
		end()
		c.Disconnect(estateParty)
		return nil, err
	}
	return &estate{cluster: c, client: client, prefix: prefix, end: end, anonymous: login.User == "", granted: make(map[int64]bool)}, nil
}

func (e *estate) close() {
	e.end()
	_ = e.client.Close() // its context is cancelled: closing can only say so
	e.cluster.Disconnect(estateParty)
}

// see notes the leases that clients are granted.
func (e *estate) see(m link.Message) {
	if m.Lease != 0 && m.Content != link.KeepAlive {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.granted[m.Lease] = true
	}
}

// clearings is how often keys are removed until none is left: a request that was on
// its way may still make one.
const clearings = 3

// clear removes all keys below the prefix, and revokes their leases. A lease that has
// a key elsewhere is not the run's, and stays. Each removal is of a prefix that is
// still claimed as it was: what somebody else has there by now stays, and the error is
// errUnclaimed.
func (e *estate) clear(ctx context.Context) (removed int64, err error) {
	key, end := e.prefix+claimKey, clientv3.GetPrefixRangeEnd(e.prefix)
	// The claim goes last, so that what comes late is still below a prefix that is claimed.
	others := []clientv3.Op{clientv3.OpDelete(e.prefix, clientv3.WithRange(key)), clientv3.OpDelete(key+"\x00", clientv3.WithRange(end))}
	for range clearings {
		// With their values: etcd 3.7 tells no leases if it is asked for keys alone.
		reply, err := e.client.Get(ctx, e.prefix, clientv3.WithPrefix())
		if err != nil {
			return removed, e.left(0, err)
		}
		leases := e.leases()
		for _, kv := range reply.Kvs {
			if kv.Lease != 0 {
				leases[kv.Lease] = true
			}
		}
		if reply.Count > 1 {
			n, err := e.remove(ctx, others)
			removed += n
			if err != nil {
				return removed, e.left(reply.Count, err)
			}
		}
		for lease := range leases {
			if err := e.revoke(ctx, clientv3.LeaseID(lease)); err != nil {
				return removed, err
			}
		}
		if reply.Count <= 1 {
			break
		}
	}
	n, err := e.remove(ctx, []clientv3.Op{clientv3.OpDelete(e.prefix, clientv3.WithPrefix())})
	removed += n
	if err != nil {
		return removed, e.left(0, err)
	}
	reply, err := e.client.Get(ctx, e.prefix, clientv3.WithPrefix())
	switch {
	case err != nil:
		return removed, e.left(0, err)
	case slices.ContainsFunc(reply.Kvs, func(kv *mvccpb.KeyValue) bool { return string(kv.Key) == key }): // the next run has it
		return removed, nil
	case reply.Count > 0:
		return removed, fmt.Errorf("%s came below %q while it was cleared, and nobody has claimed it: if it is nobody's, remove it by etcdctl del --prefix %s", counted(int(reply.Count), "key"), e.prefix, e.prefix)
	}
	return removed, nil
}

// remove carries out deletions, if the prefix is claimed as it was.
func (e *estate) remove(ctx context.Context, deletions []clientv3.Op) (removed int64, err error) {
	reply, err := e.client.Txn(ctx).If(e.claimed()...).Then(deletions...).Commit()
	switch {
	case err != nil:
		return 0, err
	case !reply.Succeeded:
		return 0, errUnclaimed
	}
	for _, r := range reply.Responses {
		removed += r.GetResponseDeleteRange().Deleted
	}
	return removed, nil
}

// revoke ends a lease, if it has no key left.
func (e *estate) revoke(ctx context.Context, lease clientv3.LeaseID) error {
	reply, err := e.client.TimeToLive(ctx, lease, clientv3.WithAttachedKeys())
	switch {
	case errors.Is(err, rpctypes.ErrPermissionDenied): // it has keys that the run may not even read
		return nil
	case err != nil:
		return fmt.Errorf("look at lease %x: %w", lease, err)
	case reply.TTL <= 0 || len(reply.Keys) > 0:
		return nil
	}
	if _, err := e.client.Revoke(ctx, lease); err != nil && !errors.Is(err, rpctypes.ErrLeaseNotFound) {
		return fmt.Errorf("revoke lease %x: %w", lease, err)
	}
	return nil
}

// left says what may have stayed below the prefix, and what to do about it.
func (e *estate) left(keys int64, err error) error {
	what := "keys may be left"
	if keys > 0 {
		what = counted(int(keys), "key") + " may be left"
	}
	if errors.Is(err, errUnclaimed) {
		return fmt.Errorf("%s below %q: %w (%s%s); what is there may be somebody else's, and stays. If it is nobody's, remove it by etcdctl del --prefix %s",
			what, e.prefix, err, e.prefix, claimKey, e.prefix)
	}
	return errors.Join(fmt.Errorf("%s below %q; remove them by holdfast sweep --prefix %s (with the same --endpoints)", what, e.prefix, e.prefix), err)
}

// leases are those that clients were granted.
func (e *estate) leases() map[int64]bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return maps.Clone(e.granted)
}

// leaseFor returns which time-to-live the cluster grants if it is asked for ttl. It
// raises those that are too short for its election timeout.
func (e *estate) leaseFor(ctx context.Context, ttl time.Duration) (time.Duration, error) {
	reply, err := e.client.Grant(ctx, int64(ttl/time.Second))
	if err != nil {
		return 0, fmt.Errorf("ask for a lease: %w", err)
	}
	if _, err := e.client.Revoke(ctx, reply.ID); err != nil {
		return 0, fmt.Errorf("give back a lease: %w", err)
	}
	return time.Duration(reply.TTL) * time.Second, nil
}

// settle takes the run's prefix in a cluster that is not its own. Where the cluster
// grants no leases as short as the scenario has them, the run's are longer.
func (r *run) settle(ctx context.Context) error {
	if !r.scenario.Cluster.shared() {
		return nil
	}
	r.warn("the cluster's timeouts", unheeded(r.scenario.Cluster))
	e, err := newEstate(ctx, r.cluster, r.prefix, r.login)
	if err != nil {
		return err
	}
	r.estate = e
	within, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	if err := e.claim(within, r.scenario.Name); err != nil {
		return err
	}
	for i := range r.scenario.Workloads {
		w := &r.scenario.Workloads[i]
		ttl, err := e.leaseFor(within, w.TTL)
		if err != nil {
			return err
		}
		if ttl > w.TTL {
			r.warn("time-to-live of "+w.Subject, fmt.Errorf("the cluster raises %v to %v, by its election timeout; the run goes by that", w.TTL, ttl))
			w.TTL = ttl
		}
	}
	return nil
}

// abandonEstate removes what the run has in the cluster, if it has taken anything.
func (r *run) abandonEstate() error {
	defer r.estate.close()
	if r.estate.mine == nil {
		return nil
	}
	within, cancel := context.WithTimeout(context.Background(), stopPatience)
	defer cancel()
	removed, err := r.estate.clear(within)
	if err == nil {
		r.say("removed the %s of the run below %s", counted(int(removed), "key"), r.prefix)
	}
	return err
}
