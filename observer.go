package holdfast

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/etcd-holdfast/holdfast/cluster"
	"github.com/etcd-holdfast/holdfast/faults"
	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// The parties for which the harness itself connects; no fault touches them.
const (
	observerParty = "observer"
	adminParty    = "admin"
)

// tickPause is the pause between two dated reads of one member.
const tickPause = 60 * time.Millisecond

// observer writes the revision log: it watches all keys at every member, so that
// no partition hides a change, and dates revisions by reading.
type observer struct {
	cluster cluster.Cluster
	prefix  string
	// shared is true if others write to the store, below other prefixes: those are
	// not looked at.
	shared   bool
	login    workloads.Login
	recorder *history.Recorder
	journal  *history.RevisionJournal
	admin    *clientv3.Client
	clients  []*clientv3.Client // one a member
	// listen is told of each change once, and of the lease whose end it shows, or
	// zero. It must be quick.
	listen func(c history.Change, ended int64)
	// bereft is told of each member that has ended and was not ended, after that was
	// recorded.
	bereft func(member string, how error)

	cancel context.CancelFunc
	group  sync.WaitGroup

	mu      sync.Mutex
	sights  []sight // of a shared store, one a member
	seen    map[int64]bool
	marked  map[int64]bool // leases with a key below workloads.LeasePrefix
	highest int64
	changed chan struct{}
}

// startObserver connects and watches from before the first change on.
func startObserver(ctx context.Context, c cluster.Cluster, prefix string, shared bool, login workloads.Login, recorder *history.Recorder, journal func(start int64) *history.RevisionJournal, listen func(history.Change, int64), bereft func(string, error)) (_ *observer, err error) {
	o := &observer{cluster: c, prefix: prefix, shared: shared, login: login, recorder: recorder, listen: listen, bereft: bereft, seen: make(map[int64]bool), marked: make(map[int64]bool), changed: make(chan struct{})}
	ctx, o.cancel = context.WithCancel(context.WithoutCancel(ctx))
	defer func() {
		if err != nil {
			err = errors.Join(err, o.close())
		}
	}()
	if teller, ok := c.(cluster.Teller); ok {
		return o, o.listenTo(ctx, teller, journal)
	}
	adminURLs, err := c.Connect(adminParty)
	if err != nil {
		return nil, fmt.Errorf("connect the harness: %w", err)
	}
	if o.admin, err = connect(ctx, adminURLs, login); err != nil {
		return nil, err
	}
	urls, err := c.Connect(observerParty)
	if err != nil {
		return nil, fmt.Errorf("connect the observer: %w", err)
	}
	for _, url := range urls {
		client, err := connect(ctx, []string{url}, login)
		if err != nil {
			return nil, err
		}
		o.clients = append(o.clients, client)
	}
	first, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	reply, err := o.admin.Get(first, prefix)
	if err != nil {
		return nil, fmt.Errorf("read the cluster's first revision: %w", err)
	}
	start := reply.Header.Revision + 1
	o.journal = journal(start)
	// A watch that begins behind the store's revision lags, and a compaction
	// meanwhile takes away what it had still to tell: nobody changes anything
	// before all watches are open.
	var opened sync.WaitGroup
	o.sights = make([]sight, len(o.clients))
	for i, client := range o.clients {
		o.sights[i].next = start
		opened.Add(1)
		o.group.Go(func() { o.watch(ctx, i, start, sync.OnceFunc(opened.Done)) })
		o.group.Go(func() { o.tick(ctx, client) })
	}
	ready := make(chan struct{})
	o.group.Go(func() {
		opened.Wait()
		close(ready)
	})
	select {
	case <-ready:
	case <-first.Done():
		return nil, fmt.Errorf("open a watch at every member: %w", first.Err())
	}
	if status, ok := c.(cluster.StatusReader); ok {
		o.group.Go(func() { o.followLeader(ctx, status) })
	}
	return o, nil
}

func connect(ctx context.Context, urls []string, login workloads.Login) (*clientv3.Client, error) {
	client, err := clientv3.New(clientv3.Config{Endpoints: urls, DialTimeout: 10 * time.Second, Logger: zap.NewNop(), Context: ctx, Username: login.User, Password: login.Password})
	if err != nil {
		return nil, fmt.Errorf("connect the harness: %w", err)
	}
	return client, nil
}

// watch delivers the changes that one member shows, from revision next on. A
// watch that was cancelled because its history was compacted goes on behind
// the gap; the other members' watches have seen what is in it. It calls opened
// when the member has granted it, or when ctx has ended.
func (o *observer) watch(ctx context.Context, member int, next int64, opened func()) {
	defer opened()
	below := ""
	if o.shared {
		below = o.prefix
	}
	for ctx.Err() == nil {
		within, cancel := context.WithCancel(ctx)
		for reply := range o.clients[member].Watch(within, below, clientv3.WithPrefix(), clientv3.WithRev(next), clientv3.WithCreatedNotify()) {
			if reply.Created {
				opened()
			}
			now := o.recorder.Clock().Now()
			if reply.CompactRevision > next {
				o.missed(member, history.Gap{From: next, Through: reply.CompactRevision - 1})
				next = reply.CompactRevision
			}
			next = max(next, o.deliver(ctx, member, reply.Events, now)+1)
		}
		cancel()
		pause(ctx, tickPause)
	}
}

// deliver journals the events of revisions that were not seen before, and
// returns the last revision among them.
func (o *observer) deliver(ctx context.Context, member int, events []*clientv3.Event, now time.Duration) int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	last := int64(0)
	fresh := false
	for _, e := range events {
		revision := e.Kv.ModRevision
		if revision != last {
			fresh = !o.seen[revision]
			o.seen[revision] = true
			last = revision
		}
		if !fresh {
			continue
		}
		change := history.Change{Revision: revision, Time: now, Key: string(e.Kv.Key), Deleted: e.Type == mvccpb.Event_DELETE}
		ended := int64(0)
		if change.Deleted {
			if lease, ok := o.leaseOf(change.Key); ok {
				ended = lease
				o.journal.LeaseEnd(history.LeaseEnd{Lease: lease, Revision: revision, Time: now})
			}
		} else {
			change.Create, change.Version, change.Lease, change.Value = e.Kv.CreateRevision, e.Kv.Version, e.Kv.Lease, string(e.Kv.Value)
			if strings.HasPrefix(change.Key, o.prefix+faults.LoadKey) {
				change.Value = "" // it is long, and nobody wants to know it
			}
			o.mark(ctx, change)
		}
		o.journal.Change(change)
		o.listen(change, ended)
	}
	o.sights[member].next = max(o.sights[member].next, last+1)
	if last > o.highest {
		o.highest = last
		close(o.changed)
		o.changed = make(chan struct{})
	}
	return last
}

// mark puts a key on a lease that a subject has made itself, so that its end
// shows as the end of the clients' own does.
func (o *observer) mark(ctx context.Context, c history.Change) {
	if _, own := o.leaseOf(c.Key); own || c.Lease == 0 || o.marked[c.Lease] {
		if own {
			o.marked[c.Lease] = true
		}
		return
	}
	o.marked[c.Lease] = true
	o.group.Go(func() {
		within, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		// If the lease has ended already, there is nothing to mark.
		_, _ = o.admin.Put(within, o.prefix+workloads.LeasePrefix+strconv.FormatInt(c.Lease, 16), observerParty, clientv3.WithLease(clientv3.LeaseID(c.Lease)))
	})
}

// leaseOf reads the lease off the key that every session has on its lease. Its
// deletion is the lease's end: nobody deletes it otherwise.
func (o *observer) leaseOf(key string) (int64, bool) {
	text, ok := strings.CutPrefix(key, o.prefix+workloads.LeasePrefix)
	if !ok {
		return 0, false
	}
	lease, err := strconv.ParseInt(text, 16, 64)
	return lease, err == nil
}

// tick dates revisions by linearizable reads through one member.
func (o *observer) tick(ctx context.Context, client *clientv3.Client) {
	for ctx.Err() == nil {
		within, cancel := context.WithTimeout(ctx, time.Second)
		call := o.recorder.Clock().Now()
		reply, err := client.Get(within, o.prefix, clientv3.WithCountOnly())
		if err == nil {
			o.journal.Tick(history.Tick{Call: call, Return: o.recorder.Clock().Now(), Revision: reply.Header.Revision})
		}
		cancel()
		pause(ctx, tickPause)
	}
}

// followLeader records which members lead, by their own account, and which have ended.
func (o *observer) followLeader(ctx context.Context, c cluster.StatusReader) {
	roles := make(map[string]string)
	mourner, _ := c.(cluster.Mourner)
	gone := make(map[string]bool)
	for ctx.Err() == nil {
		if mourner != nil {
			o.mourn(mourner, gone)
		}
		for _, s := range c.Status() {
			role := roleOf(s)
			if roles[s.Member] != role {
				roles[s.Member] = role
				o.recorder.Event(history.Event{Kind: history.Leads, Client: s.Member, Detail: role, Revision: int64(s.Term)})
			}
		}
		pause(ctx, tickPause)
	}
}

// mourn records the members that have ended and were not ended, each once, unless it
// was started again.
func (o *observer) mourn(c cluster.Mourner, gone map[string]bool) {
	for _, member := range o.cluster.Members() {
		how := c.Bereft(member)
		if how != nil && !gone[member] {
			o.recorder.Event(history.Event{Kind: history.Ended, Client: member, Detail: how.Error()})
			o.bereft(member, how)
		}
		gone[member] = how != nil
	}
}

// catchUp makes a last change and returns when the log has reached it: the
// log is complete up to there.
func (o *observer) catchUp(ctx context.Context) error {
	call := o.recorder.Clock().Now()
	reply, err := o.admin.Put(ctx, o.prefix+"end", "")
	if err != nil {
		return fmt.Errorf("mark the end of the revision log: %w", err)
	}
	o.journal.Tick(history.Tick{Call: call, Return: o.recorder.Clock().Now(), Revision: reply.Header.Revision})
	for {
		o.mu.Lock()
		highest, changed := o.highest, o.changed
		o.mu.Unlock()
		if highest >= reply.Header.Revision {
			o.journalGaps(reply.Header.Revision)
			o.journal.Through(reply.Header.Revision)
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("the revision log reached revision %d of %d: %w", highest, reply.Header.Revision, ctx.Err())
		}
	}
}

// close ends the observation. The admin client is closed too.
func (o *observer) close() error {
	o.cancel()
	for _, client := range o.clients {
		_ = client.Close() // its context is cancelled: closing can only say so
	}
	if o.admin != nil {
		_ = o.admin.Close()
	}
	o.group.Wait()
	o.cluster.Disconnect(observerParty)
	o.cluster.Disconnect(adminParty)
	if o.journal == nil {
		return nil
	}
	if err := o.journal.Err(); err != nil {
		return fmt.Errorf("write the revision log: %w", err)
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
