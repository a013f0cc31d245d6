package holdfast

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"strings"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/cluster"
	"github.com/etcd-holdfast/holdfast/cluster/link"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// estateParty is for whom the links are by which an estate is looked after.
const estateParty = "estate"

// claimKey is the key below a run's prefix that says whose the prefix is.
const claimKey = "run"

// claimBegin is what the value of that key begins with.
const claimBegin = "holdfast "

// estate is what a run has in a cluster that is not its own: the keys below its
// prefix, and the leases of those keys.
type estate struct {
	cluster cluster.Cluster
	client  *clientv3.Client
	prefix  string
	end     context.CancelFunc
	claimed bool
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

// claim takes the prefix for a run of that name, if there is no key below it.
func (e *estate) claim(ctx context.Context, run string) error {
	host, _ := os.Hostname()
	value := fmt.Sprintf("%s%s on %s, process %d, since %s", claimBegin, run, host, os.Getpid(), time.Now().UTC().Format(time.RFC3339))
	reply, err := e.client.Txn(ctx).
		If(clientv3.Compare(clientv3.CreateRevision(e.prefix).WithPrefix(), "=", 0)).
		Then(clientv3.OpPut(e.prefix+claimKey, value)).
		Else(clientv3.OpGet(e.prefix, clientv3.WithPrefix(), clientv3.WithKeysOnly(), clientv3.WithLimit(1)), clientv3.OpGet(e.prefix+claimKey)).
		Commit()
	switch {
	case err != nil && e.anonymous && (errors.Is(err, rpctypes.ErrPermissionDenied) || errors.Is(err, rpctypes.ErrUserEmpty)):
		return fmt.Errorf("take the prefix %q: %w; the cluster wants to know who asks: give a user by --user or %s, and the password by %s or --password-file", e.prefix, err, UserVariable, PasswordVariable)
	case errors.Is(err, rpctypes.ErrPermissionDenied):
		return fmt.Errorf("the user may not read and write all keys below %q: that takes a role such as by etcdctl role grant-permission ROLE --prefix=true readwrite %s; or name another prefix (--prefix, cluster.prefix)", e.prefix, e.prefix)
	case err != nil:
		return fmt.Errorf("take the prefix %q: %w", e.prefix, err)
	case reply.Succeeded:
		e.claimed = true
		return nil
	}
	there, mine := reply.Responses[0].GetResponseRange(), reply.Responses[1].GetResponseRange()
	first := ""
	if len(there.Kvs) > 0 {
		first = fmt.Sprintf(", the first is %q", there.Kvs[0].Key)
	}
	if len(mine.Kvs) > 0 && strings.HasPrefix(string(mine.Kvs[0].Value), claimBegin) {
		return fmt.Errorf("it is not empty below the prefix %q: %s%s, of the run %q: if that is over, remove them by holdfast sweep --prefix %s (with the same --endpoints), else name another prefix (--prefix, cluster.prefix)",
			e.prefix, counted(int(there.Count), "key"), first, strings.TrimPrefix(string(mine.Kvs[0].Value), claimBegin), e.prefix)
	}
	return fmt.Errorf("it is not empty below the prefix %q: %s%s, which is somebody else's: name another prefix (--prefix, cluster.prefix)", e.prefix, counted(int(there.Count), "key"), first)
}

// clearings is how often keys are removed until none is left: a request that was on
// its way may still make one.
const clearings = 3

// clear removes all keys below the prefix, and revokes their leases. A lease that has
// a key elsewhere is not the run's, and stays.
func (e *estate) clear(ctx context.Context) (removed int64, err error) {
	for range clearings {
		// With their values: etcd 3.7 tells no leases if it is asked for keys alone.
		reply, err := e.client.Get(ctx, e.prefix, clientv3.WithPrefix())
		if err != nil {
			return removed, e.left(0, err)
		}
		if reply.Count == 0 {
			return removed, nil
		}
		leases := e.leases()
		for _, kv := range reply.Kvs {
			if kv.Lease != 0 {
				leases[kv.Lease] = true
			}
		}
		gone, err := e.client.Delete(ctx, e.prefix, clientv3.WithPrefix())
		if err != nil {
			return removed, e.left(reply.Count, err)
		}
		removed += gone.Deleted
		for lease := range leases {
			if err := e.revoke(ctx, clientv3.LeaseID(lease)); err != nil {
				return removed, err
			}
		}
	}
	reply, err := e.client.Get(ctx, e.prefix, clientv3.WithPrefix(), clientv3.WithCountOnly())
	if err != nil || reply.Count > 0 {
		return removed, e.left(reply.Count, err)
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
	if !r.estate.claimed {
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

// Claim is what a run that was killed left in a cluster that is not its own.
type Claim struct {
	Prefix string
	// Run says which run it was, where and since when.
	Run  string
	Keys int64
}

// SweepPrefix removes what a run that was killed left in a cluster that somebody
// else runs: the keys below the prefix of spec, and their leases. What no run has
// taken it refuses to touch. Without remove it only looks.
func SweepPrefix(ctx context.Context, spec ClusterSpec, remove bool) (_ *Claim, err error) {
	spec.Kind = externalKind
	if mistakes := externalMistakes(spec); len(mistakes) > 0 {
		return nil, &ScenarioError{Source: "cluster", Mistakes: mistakes}
	}
	login, err := spec.login()
	if err != nil {
		return nil, err
	}
	within, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	c, err := startExternal(within, &launch{spec: spec, login: login})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	e, err := newEstate(ctx, c, spec.Prefix, login)
	if err != nil {
		return nil, err
	}
	defer e.close()
	all, err := e.client.Get(within, spec.Prefix, clientv3.WithPrefix(), clientv3.WithCountOnly())
	if err != nil {
		return nil, fmt.Errorf("look below %q: %w", spec.Prefix, err)
	}
	if all.Count == 0 {
		return nil, nil
	}
	mark, err := e.client.Get(within, spec.Prefix+claimKey)
	if err != nil {
		return nil, fmt.Errorf("look whose %q is: %w", spec.Prefix, err)
	}
	if len(mark.Kvs) == 0 || !strings.HasPrefix(string(mark.Kvs[0].Value), claimBegin) {
		return nil, fmt.Errorf("below %q: %s, and no sign of a run (%s): what is there is somebody else's, and stays", spec.Prefix, counted(int(all.Count), "key"), spec.Prefix+claimKey)
	}
	claim := &Claim{Prefix: spec.Prefix, Run: strings.TrimPrefix(string(mark.Kvs[0].Value), claimBegin), Keys: all.Count}
	if !remove {
		return claim, nil
	}
	claim.Keys, err = e.clear(within)
	return claim, err
}
