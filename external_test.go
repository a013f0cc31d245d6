package holdfast

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/internal/playground"
	"github.com/etcd-holdfast/holdfast/quantity"
)

// outside is a cluster that is there already, with keys and leases of others in it.
type outside struct {
	playground.State
	// root may do everything there.
	root *clientv3.Client
}

func newOutside(t *testing.T, c playground.Config) *outside {
	t.Helper()
	home, err := os.MkdirTemp("", "outside") // the test's name may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(home) })
	place := playground.Place{Name: "outside", Directory: filepath.Join(home, "outside")}
	if err := os.MkdirAll(place.Directory, 0o700); err != nil {
		t.Fatal(err)
	}
	progress, writer := io.Pipe()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		err := playground.Serve(ctx, place, c, writer)
		_ = writer.CloseWithError(errors.Join(err, io.EOF))
		ended <- err
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	all, buffer := "", make([]byte, 100)
	for !strings.HasSuffix(all, "ready\n") {
		n, err := progress.Read(buffer)
		if all += string(buffer[:n]); err != nil {
			t.Fatalf("%v after %q", err, all)
		}
	}
	answer, err := place.Ask(t.Context(), playground.Order{Do: playground.DoStatus})
	if err != nil {
		t.Fatal(err)
	}
	o := &outside{State: answer.State}
	config := clientv3.Config{Endpoints: o.Endpoints, Logger: zap.NewNop()}
	if o.Keys != nil {
		if config.TLS, err = o.Keys.TLS(); err != nil {
			t.Fatal(err)
		}
		if o.Keys.RootPassword != "" {
			config.Username = playground.Root
			config.Password = secretIn(t, o.Keys.RootPassword)
		}
	}
	if o.root, err = clientv3.New(config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.root.Close() })
	return o
}

func secretIn(t *testing.T, file string) string {
	t.Helper()
	secret, err := playground.Password(file)
	if err != nil || len(secret) < 20 {
		t.Fatalf("a password of %d letters: %v", len(secret), err)
	}
	return secret
}

// spec is how a scenario names the cluster.
func (o *outside) spec() ClusterSpec {
	spec := NewScenario("").Cluster
	spec.Kind, spec.Endpoints = externalKind, o.Endpoints
	if o.Keys != nil {
		if o.Keys.CA != "" {
			spec.TLS = &TLSSpec{CAFile: o.Keys.CA, CertFile: o.Keys.Cert, KeyFile: o.Keys.Key}
		}
		if o.Keys.UserPassword != "" {
			spec.User, spec.PasswordFile = playground.User, o.Keys.UserPassword
		}
	}
	return spec
}

func (o *outside) put(t *testing.T, key, value string, options ...clientv3.OpOption) {
	t.Helper()
	if _, err := o.root.Put(t.Context(), key, value, options...); err != nil {
		t.Fatal(err)
	}
}

// furnish puts keys and leases of others all around where a run may have its own.
func (o *outside) furnish(t *testing.T) {
	t.Helper()
	grant, err := o.root.Grant(t.Context(), 3600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.root.Grant(t.Context(), 1800); err != nil { // it has no keys
		t.Fatal(err)
	}
	for _, key := range []string{"", "\x00", "a", "holdfas", "holdfast", "holdfast.", "holdfast/other/mutex/0", "holdfast/outsid", "holdfast/outside", "holdfast/outside0", "holdfast0", "z", "\xff"} {
		if key == "" {
			continue
		}
		o.put(t, key, "of "+key)
		o.put(t, key, "still of "+key)
		o.put(t, key+"~", "leased", clientv3.WithLease(grant.ID))
	}
}

// inventory is all that is in the store but what busy writes, and all leases.
func (o *outside) inventory(t *testing.T) (keys []*mvccpb.KeyValue, leases []clientv3.LeaseID) {
	t.Helper()
	reply, err := o.root.Get(t.Context(), "\x00", clientv3.WithFromKey(), clientv3.WithSort(clientv3.SortByKey, clientv3.SortAscend))
	if err != nil {
		t.Fatal(err)
	}
	for _, kv := range reply.Kvs {
		if !bytes.HasPrefix(kv.Key, []byte("busy/")) {
			keys = append(keys, kv)
		}
	}
	all, err := o.root.Leases(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range all.Leases {
		leases = append(leases, l.ID)
	}
	slices.Sort(leases)
	return keys, leases
}

// busy has somebody else write all the time, on leases and off, until the function
// that it returns is called. That returns how often it was done.
func (o *outside) busy(t *testing.T) (end func() int) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	written := make(chan int, 1)
	go func() {
		n := 0
		for ; ctx.Err() == nil; n++ {
			key := fmt.Sprintf("busy/%d", n%50)
			reply, err := o.root.Txn(ctx).Then(clientv3.OpPut(key, fmt.Sprint(n)), clientv3.OpDelete(fmt.Sprintf("busy/%d", (n+7)%50))).Commit()
			if err == nil && n%200 == 199 { // as a cluster does by itself now and then
				_, _ = o.root.Compact(ctx, reply.Header.Revision)
			}
		}
		written <- n
	}()
	return func() int {
		cancel()
		return <-written
	}
}

// compare tells where what others have is not as it was.
func compare(t *testing.T, o *outside, keys []*mvccpb.KeyValue, leases []clientv3.LeaseID) {
	t.Helper()
	after, leasesAfter := o.inventory(t)
	// A lease whose grant nobody heard of ends by itself.
	for deadline := time.Now().Add(20 * time.Second); !slices.Equal(leases, leasesAfter) && time.Now().Before(deadline); {
		pause(t.Context(), 100*time.Millisecond)
		after, leasesAfter = o.inventory(t)
	}
	if !slices.EqualFunc(keys, after, func(a, b *mvccpb.KeyValue) bool { return proto.Equal(a, b) }) {
		t.Errorf("keys of others:\n%v\nbefore:\n%v", after, keys)
	}
	if !slices.Equal(leases, leasesAfter) {
		t.Errorf("leases %x, before %x", leasesAfter, leases)
	}
}

// secretsIn names the files below a directory that have one of the secrets.
func secretsIn(t *testing.T, directory string, secrets ...string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(directory, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		files++
		content, err := os.ReadFile(path)
		for _, secret := range secrets {
			if bytes.Contains(content, []byte(secret)) {
				t.Errorf("a password is in %s", path)
			}
		}
		return err
	})
	if err != nil || files == 0 {
		t.Errorf("%d files: %v", files, err)
	}
}

func outsideScenario(o *outside) Scenario {
	s := NewScenario("outside")
	s.Cluster = o.spec()
	s.Duration = 4 * time.Second
	s.Clients.Count = 3
	for _, subject := range []string{"mutex", "election-checked", "kv-register", "stm-serializable"} {
		s.Workloads = append(s.Workloads, NewWorkload(subject))
	}
	s.Faults = []Fault{{
		Every: quantity.Span{Min: 200 * time.Millisecond, Max: 500 * time.Millisecond}, For: quantity.Span{Min: 200 * time.Millisecond, Max: 600 * time.Millisecond},
		Of: []string{"cut-client", "cut-client-partly", "stall-client", "lose-answer", "crash-client", "revoke-lease"},
	}}
	return s
}

// Somebody else's cluster, with TLS and users, and their keys in it: what they have is
// untouched, what the run had is gone, what it was told is judged although others
// write all the time, and the password is nowhere.
func TestAClusterOfSomebodyElse(t *testing.T) {
	t.Parallel()
	long(t)
	o := newOutside(t, playground.Config{TLS: true, Auth: true})
	o.furnish(t)
	keys, leases := o.inventory(t)
	if len(keys) < 20 || len(leases) != 2 {
		t.Fatalf("%d keys, %d leases to leave alone", len(keys), len(leases))
	}
	secrets := []string{secretIn(t, o.Keys.UserPassword), secretIn(t, o.Keys.RootPassword)}
	for _, as := range []string{"", ClientProcesses} {
		t.Run("clients as "+as, func(t *testing.T) {
			s := outsideScenario(o)
			s.Clients.As = as
			end := o.busy(t)
			j := run1(t, t.Context(), s)
			if n := end(); n < 100 {
				t.Errorf("others wrote %d times only", n)
			}
			compare(t, o, keys, leases)
			secretsIn(t, j.Directory, secrets...)
			if !j.Report.History.Header.Shared || j.Report.History.Header.Prefix != "holdfast/outside/" {
				t.Errorf("header %+v", j.Report.History.Header)
			}
			for _, judged := range []struct{ subject, property string }{
				{"mutex", "ownership"}, {"election-checked", "ownership"}, {"election-checked", "linearizable"},
				{"kv-register", "durability"}, {"kv-register", "linearizable"}, {"stm-serializable", "total"},
			} {
				if p := property(t, j, judged.subject, judged.property); p.Verdict != checker.Holds {
					t.Errorf("%s of %s is %s: %s", judged.property, judged.subject, p.Verdict, p.Sentence)
				}
			}
		})
	}
}
