package sim

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// TestBubble holds what Bubble needs of testing/synctest beyond what that
// promises: that it works with a testing.T of nobody, that a panic within is
// caught, and that goroutines which nothing will wake are told of.
func TestBubble(t *testing.T) {
	if v := runtime.Version(); !strings.HasPrefix(v, "go1.26") {
		t.Errorf("this is %s; bubbles outside of tests were tried with go1.26: if this test holds otherwise, say so here and in doc.go", v)
	}
	real := time.Now()
	var virtual time.Duration
	if err := Bubble(func() {
		began := time.Now()
		time.Sleep(1000 * time.Hour)
		virtual = time.Since(began)
	}); err != nil {
		t.Fatal(err)
	}
	if virtual != 1000*time.Hour || time.Since(real) > time.Hour {
		t.Errorf("a sleep of 1000 hours took %v, and %v outside", virtual, time.Since(real))
	}
	var panicked *PanicError
	if err := Bubble(func() { panic("oh") }); !errors.As(err, &panicked) || panicked.Value != "oh" || len(panicked.Stack) == 0 {
		t.Errorf("a panic gives %v", err)
	}
	if err := Bubble(func() { <-make(chan struct{}) }); err == nil || !strings.Contains(err.Error(), "deadlock") {
		t.Errorf("a goroutine that nothing wakes gives %v", err)
	}
	if err := Bubble(func() { go func() { <-make(chan struct{}) }() }); !errors.Is(err, ErrLeftBehind) {
		t.Errorf("a goroutine that is left gives %v", err)
	}
	if err := Bubble(func() {}); err != nil {
		t.Errorf("the next bubble: %v", err)
	}
}

// TestWatchesLetTimePass holds that the channel for which clientv3's watches wait
// in vain, valCtxCh, is not one that keeps virtual time from moving.
func TestWatchesLetTimePass(t *testing.T) {
	if valCtxCh != nil {
		t.Fatal("clientv3 has made its channel again")
	}
	within(t, Config{}, func(l *lab) {
		l.dial("c1", func(ctx context.Context, client *clientv3.Client) {
			watch := client.Watch(ctx, "x")
			time.Sleep(10 * time.Minute)
			must[*clientv3.PutResponse](l)(client.Put(ctx, "x", "1"))
			if reply := <-watch; len(reply.Events) != 1 || l.now() < 10*time.Minute || l.now() > 11*time.Minute {
				t.Errorf("after %v: %+v", l.now(), reply)
			}
		})
	})
}
