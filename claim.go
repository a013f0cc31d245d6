package holdfast

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/internal/offspring"
)

// claimKey is the key below a run's prefix that says whose the prefix is.
const claimKey = "run"

// claimBegin is what the value of that key begins with: the run, for people, is what
// follows in the first line. In the others it is for sweeping which process has it.
const (
	claimBegin   = "holdfast "
	claimHarness = "harness "
	claimMachine = "machine "
)

// ownClaim is the value of the claim of a run of this process.
func ownClaim(run string) (string, error) {
	mark, err := offspring.Mark()
	if err != nil {
		return "", err
	}
	machine, err := offspring.Machine()
	if err != nil {
		return "", err
	}
	host, _ := os.Hostname()
	return fmt.Sprintf("%s%s on %s, process %d, since %s\n%s%s\n%s%s\n", claimBegin, run, host, os.Getpid(), time.Now().UTC().Format(time.RFC3339),
		claimHarness, mark, claimMachine, machine), nil
}

// parseClaim reads the value of a claim. ok is false if it is none.
func parseClaim(value string) (run string, lives, ok bool) {
	text, ok := strings.CutPrefix(value, claimBegin)
	if !ok {
		return "", false, false
	}
	run, rest, _ := strings.Cut(text, "\n")
	var mark, machine string
	for line := range strings.Lines(rest) {
		line = strings.TrimSuffix(line, "\n")
		if m, found := strings.CutPrefix(line, claimHarness); found {
			mark = m
		} else if m, found := strings.CutPrefix(line, claimMachine); found {
			machine = m
		}
	}
	here, err := offspring.Machine()
	return run, err == nil && mark != "" && machine == here && !offspring.Dead(mark), true
}

// claim takes the prefix for a run of that name, if there is no key below it.
func (e *estate) claim(ctx context.Context, run string) error {
	value, err := ownClaim(run)
	if err != nil {
		return err
	}
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
		e.mine = &mvccpb.KeyValue{Value: []byte(value), ModRevision: reply.Header.Revision}
		return nil
	}
	there, mark := reply.Responses[0].GetResponseRange(), reply.Responses[1].GetResponseRange()
	first := ""
	if len(there.Kvs) > 0 {
		first = fmt.Sprintf(", the first is %q", there.Kvs[0].Key)
	}
	if len(mark.Kvs) > 0 {
		switch other, lives, ok := parseClaim(string(mark.Kvs[0].Value)); {
		case lives:
			return fmt.Errorf("below the prefix %q is the run %q, which goes on on this machine: wait for its end, or name another prefix (--prefix, cluster.prefix)", e.prefix, other)
		case ok:
			return fmt.Errorf("it is not empty below the prefix %q: %s%s, of the run %q: if that is over, remove them by holdfast sweep --prefix %s (with the same --endpoints), else name another prefix (--prefix, cluster.prefix)",
				e.prefix, counted(int(there.Count), "key"), first, other, e.prefix)
		}
	}
	return fmt.Errorf("it is not empty below the prefix %q: %s%s, which is somebody else's: name another prefix (--prefix, cluster.prefix)", e.prefix, counted(int(there.Count), "key"), first)
}

// errUnclaimed is returned where the claim that an estate is cleared by is not there any
// more, as it was.
var errUnclaimed = errors.New("its sign is gone, or another's by now")

// watchOver tells of the first change of the claim that an observer sees. The run itself
// makes none while it is observed.
func (r *run) watchOver(next func(history.Change, int64)) func(history.Change, int64) {
	if r.estate == nil {
		return next
	}
	var once sync.Once
	return func(c history.Change, ended int64) {
		if c.Key == r.prefix+claimKey {
			once.Do(func() {
				how := "changed"
				if c.Deleted {
					how = "removed"
				}
				r.recorder.Event(history.Event{Kind: history.Disturbed, Key: c.Key, Revision: c.Revision, Detail: how})
				r.warn("the prefix is no longer the run's own", fmt.Errorf("somebody has %s %s at rev %d, and maybe all below %s: what comes after is not judged", how, c.Key, c.Revision, r.prefix))
			})
		}
		next(c, ended)
	}
}

// hold fails unless the claim is still there.
func (e *estate) hold(ctx context.Context) error {
	within, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	reply, err := e.client.Txn(within).If(e.claimed()...).Commit()
	if err != nil {
		return fmt.Errorf("look whose %q is: %w", e.prefix, err)
	}
	if !reply.Succeeded {
		return fmt.Errorf("the prefix %q was taken, and %w (%s%s): somebody else uses it; name another prefix (--prefix, cluster.prefix)", e.prefix, errUnclaimed, e.prefix, claimKey)
	}
	return nil
}

// claimed is that the claim is still as it was made, or found.
func (e *estate) claimed() []clientv3.Cmp {
	return []clientv3.Cmp{
		clientv3.Compare(clientv3.ModRevision(e.prefix+claimKey), "=", e.mine.ModRevision),
		clientv3.Compare(clientv3.Value(e.prefix+claimKey), "=", string(e.mine.Value)),
	}
}
