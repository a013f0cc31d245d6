package workloads

import (
	"reflect"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// A client that has long to log in notices the end of its lease as early as one that need
// not log in: etcd's client keeps how long it waits for the first answer in a field.
func TestLoggingInDoesNotProlongLeases(t *testing.T) {
	etcd, err := clientv3.New(clientv3.Config{Endpoints: []string{"127.0.0.1:1"}, DialTimeout: loginTimeout, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = etcd.Close() }()
	waits := func() time.Duration {
		return time.Duration(reflect.ValueOf(etcd.Lease).Elem().FieldByName("firstKeepAliveTimeout").Int())
	}
	if got := waits(); got != loginTimeout+time.Second {
		t.Fatalf("etcd's client waits %v: the field is another by now", got)
	}
	countLeases(etcd, time.Second)
	if got := waits(); got != 2*time.Second {
		t.Errorf("it waits %v, not 2s", got)
	}
}
