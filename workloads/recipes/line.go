package recipes

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/workloads"
)

var (
	// errKeyGone refuses a turn whose key did not outlive the wait for it.
	errKeyGone = errors.New("the own key was gone when the wait for the older ones ended")
	// errSessionOver ends a wait that nobody should count on any more.
	errSessionOver = errors.New("the session was over while the call waited")
	// errNotHeld refuses to give up what the caller does not have.
	errNotHeld = errors.New("the caller holds nothing")
)

// patience is how long a failed call waits for its clean-up, whatever became of
// the caller's context. What cannot be done in that time goes on behind it.
const patience = 500 * time.Millisecond

// line is how the corrected primitives queue up: a key on the session's lease
// for each call, and the oldest ones own. It does what etcd's recipes do, and
// differs where they go wrong:
//
//   - Each call has a key of its own, so that a late deletion of one cannot hit
//     another, and two objects on one session exclude each other.
//   - A turn has come only if one read finds the own key and no older one that
//     has to go first (etcd#16221, etcd#19597). That is enough: create revisions
//     only grow, so no older key can come back. What no check can close is the
//     time after it, in which the lease can end.
//   - A call that fails takes its key away: a lost answer does not mean that
//     there is none. It waits for that a moment only (etcd#18082); it is tried
//     until it is done or the client is closed, and the next call waits for it.
//   - A watch that ends without an answer, as by compaction, means to look again.
//   - A call whose session is over looks once more, and waits no longer: as its
//     lease may live on in etcd for a while, it would ask again and again.
//   - Keys with a further "/" belong to another object.
type line struct {
	session *workloads.Session
	prefix  string // ends in "/"
	// permits is how many own at a time; zero is one.
	permits int
	// held is the place that the caller owns with, if any.
	held place
	// strays is the end of the clean-up that goes on, if any.
	strays []<-chan struct{}
}

// place is one key in a line.
type place struct {
	key      string
	revision int64 // its create revision
}

func (p place) grant() workloads.Grant {
	return workloads.Grant{Key: p.key, Token: p.revision}
}

// join puts a key into the line, below kind if that is not "".
func (l *line) join(ctx context.Context, kind, value string) (place, error) {
	if err := l.sweep(ctx); err != nil {
		return place{}, err
	}
	for {
		p := place{key: fmt.Sprintf("%s%s%x-%d", l.prefix, kind, l.session.Session.Lease(), l.session.Next())}
		reply, err := l.session.Client.Txn(ctx).
			If(clientv3.Compare(clientv3.CreateRevision(p.key), "=", 0)).
			Then(clientv3.OpPut(p.key, value, clientv3.WithLease(l.session.Session.Lease()))).
			Commit()
		if err != nil {
			if !workloads.Certain(err) {
				l.takeAway(ctx, p.key)
			}
			return place{}, fmt.Errorf("join the line: %w", err)
		}
		if reply.Succeeded {
			p.revision = reply.Header.Revision
			return p, nil
		}
		// Left by an earlier process on the same lease: it is not ours.
	}
}

// wait returns nil when the place's turn has come: its key is there, and no
// older one that goes first. If it fails the key is taken away.
func (l *line) wait(ctx context.Context, p place, first func(rest string) bool) error {
	for {
		turn, revision, ahead, err := l.look(ctx, p, first)
		switch {
		case err != nil || turn:
		case l.over():
			err = errSessionOver
		default:
			err = l.awaitTurn(ctx, revision, ahead)
		}
		switch {
		case err != nil:
			if !errors.Is(err, errKeyGone) {
				l.takeAway(ctx, p.key)
			}
			return err
		case turn:
			return nil
		}
	}
}

// look reads the line at one revision. If it is not the place's turn, ahead is
// the last key that goes before it. Places own as many at a time as there are
// permits.
func (l *line) look(ctx context.Context, p place, first func(rest string) bool) (turn bool, revision int64, ahead string, err error) {
	reply, err := l.session.Client.Get(ctx, l.prefix, clientv3.WithPrefix(),
		clientv3.WithSort(clientv3.SortByCreateRevision, clientv3.SortAscend), clientv3.WithMaxCreateRev(p.revision))
	if err != nil {
		return false, 0, "", fmt.Errorf("look at the line: %w", err)
	}
	there, before := false, 0
	for _, kv := range reply.Kvs {
		key := string(kv.Key)
		switch {
		case key == p.key:
			there = kv.CreateRevision == p.revision
		case first(strings.TrimPrefix(key, l.prefix)):
			ahead = key
			before++
		}
	}
	if !there {
		return false, 0, "", workloads.WithoutEffect(errKeyGone)
	}
	return before < max(l.permits, 1), reply.Header.Revision, ahead, nil
}

// awaitTurn returns when the line may have moved since a revision: the key ahead
// was deleted or, where several own at a time, any was.
func (l *line) awaitTurn(ctx context.Context, revision int64, ahead string) error {
	options := []clientv3.OpOption{clientv3.WithFilterPut()}
	if l.permits > 1 {
		ahead, options = l.prefix, append(options, clientv3.WithPrefix())
	}
	return await(ctx, l.session.Client, l.session.Session.Done(), ahead, revision, options...)
}

// over is true if the session is.
func (l *line) over() bool {
	select {
	case <-l.session.Session.Done():
		return true
	default:
		return false
	}
}

// leave takes a place out of the line. It may be called again after an error.
func (l *line) leave(ctx context.Context, p place) error {
	_, err := l.session.Client.Txn(ctx).If(owns(p.grant())).Then(clientv3.OpDelete(p.key)).Commit()
	return err
}

// own joins the line below kind with a value, waits for its turn and holds the
// place.
func (l *line) own(ctx context.Context, kind, value string, first func(rest string) bool) (workloads.Grant, error) {
	p, err := l.join(ctx, kind, value)
	if err == nil {
		err = l.wait(ctx, p, first)
	}
	if err != nil {
		return workloads.Grant{}, err
	}
	l.held = p
	return p.grant(), nil
}

// giveUp leaves the place that is held, or returns nothing, marked as certain, if
// there is none. After another error it may be called again.
func (l *line) giveUp(ctx context.Context, nothing error) error {
	if err := l.sweep(ctx); err != nil {
		return err
	}
	if l.held.key == "" {
		return workloads.WithoutEffect(nothing)
	}
	if err := l.leave(ctx, l.held); err != nil {
		return err
	}
	l.held = place{}
	return nil
}

// IsOwner compares true only while the caller's key exists.
func (l *line) IsOwner() clientv3.Cmp { return owns(l.held.grant()) }

// takeAway deletes a key that a failed call may have left. Nobody else makes a
// key of this name. The goroutine that does it ends when it is done or the
// client is closed.
func (l *line) takeAway(ctx context.Context, key string) {
	done := make(chan struct{})
	l.strays = append(l.strays, done)
	client := l.session.Client
	go func() {
		defer close(done)
		for client.Ctx().Err() == nil {
			within, cancel := context.WithTimeout(client.Ctx(), patience)
			_, err := client.Delete(within, key)
			cancel()
			if err == nil {
				return
			}
			pause(client.Ctx(), lookAgain)
		}
	}()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	_ = l.sweep(ctx) // what is left goes on
}

// sweep waits until what earlier calls may have left is gone.
func (l *line) sweep(ctx context.Context) error {
	for len(l.strays) > 0 {
		select {
		case <-l.strays[0]:
			l.strays = l.strays[1:]
		case <-ctx.Done():
			return fmt.Errorf("take away the key that an earlier call may have left: %w", ctx.Err())
		}
	}
	return nil
}

// own is true for keys of the object itself, as opposed to those of an object
// whose name goes on with "/".
func own(rest string) bool { return !strings.Contains(rest, "/") }
