package workloads

import (
	"errors"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// A call that takes no context ends when its client is told that its session is
// over, and what it makes of that does not count.
func TestACallEndsWhenItsSessionIsLost(t *testing.T) {
	open := func() *session {
		client, err := clientv3.New(clientv3.Config{Endpoints: []string{"127.0.0.1:1"}, Logger: zap.NewNop()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = client.Close() })
		return &session{Session: Session{Client: client}, told: make(chan struct{})}
	}
	lost := open()
	for name, end := range map[string]func(){"as a success": func() {}, "in a panic": func() { panic("no event") }} {
		s := open()
		err := s.untilLost(func() error {
			close(s.told)
			<-s.Client.Ctx().Done()
			end()
			return nil
		})
		if !errors.Is(err, errSessionLost) || Certain(err) {
			t.Errorf("it ended %s: %v", name, err)
		}
	}
	if err := lost.untilLost(func() error { return nil }); err != nil {
		t.Errorf("a call that succeeded: %v", err)
	}
	defer func() {
		if recover() == nil {
			t.Error("a panic with the session alive was swallowed")
		}
	}()
	_ = lost.untilLost(func() error { panic("a defect") })
}
