package console

import (
	"errors"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// A console that is cut off is told of the loss of its session, with the time
// since the cut, and what it believed is over; etcd gives the lock to the next.
func TestCut(t *testing.T) {
	a, b := sitWith(t, "mutex", "a", 2*time.Second), sit(t, "mutex", "b")
	a.types("lock")
	held := a.sees(`a holds the lock: ` + grantOf)[1]
	b.types("lock")
	a.types("cut")
	a.sees(`cut: [1-9]\d* connections to 1 endpoints severed, new ones are refused; lease (\S+) runs out within 2s`)
	if err := a.Execute("cut"); err == nil {
		t.Error("cut twice")
	}
	a.types("await lost")
	a.sees(`session lost \d+\.\ds after the cut: lease \S+ could not be renewed within its TTL of 2s`)
	a.sees(`a no longer holds the lock: ` + held + ` goes with the lease`)
	b.types("await")
	b.sees(`b holds the lock: ` + grantOf)
	if err := a.Execute("unlock"); err == nil {
		t.Error("a could unlock what it lost")
	}
	a.sees(`unlock: a has nothing: its session was lost \d+\.\ds ago`)
	a.types("status")
	a.sees(`etcd:    does not answer`)
	a.types("heal")
	a.sees(`healed, \d+\.\ds after the cut`)
	a.sees(`etcd:    answers, at rev \d+`)
	a.types("lock") // which opens a new session, under the old name
	a.sees(`a: session with lease`)
	a.sees(`a waits with key \S+ created at rev \d+, behind key \S+ created at rev \d+, lease \S+ of b`)
	b.types("unlock")
	a.types("await")
	a.sees(`a holds the lock: ` + grantOf)
}

// A cut that is healed in time costs nothing.
func TestCutHealedInTime(t *testing.T) {
	a := sit(t, "mutex", "a")
	a.types("lock", "cut", "heal", "status")
	a.sees(`etcd:    key \S+ is there, created at rev`)
	a.types("unlock")
	a.hasNotSeen("session lost")
}

// A paused console learns nothing, whatever happens meanwhile, until it is
// healed.
func TestPause(t *testing.T) {
	a, b := sitWith(t, "election", "a", 2*time.Second), sit(t, "election", "b")
	a.types("elect one")
	b.types("elect two")
	a.types("pause")
	a.sees(`paused, like a process under SIGSTOP`)
	if err := a.Execute("status"); err == nil || !strings.Contains(err.Error(), "heal first") {
		t.Errorf("a stopped process could ask: %v", err)
	}
	b.types("await elect")
	b.sees(`b leads with "two"`)
	a.mu.Lock()
	s := a.session
	a.mu.Unlock()
	<-s.Done() // the library knows; a stopped process would not
	a.hasNotSeen("session lost")
	if _, err := a.believed(); err != nil {
		t.Errorf("the paused console believes already that %v", err)
	}
	a.types("heal")
	a.sees(`healed, \d+\.\ds after the pause`)
	a.sees(`session lost \d+\.\ds (into|after) the pause`)
	a.sees(`a no longer leads with "one"`)
}

// What a command comes to while its console is paused is told after the heal.
func TestPauseOfAWaiter(t *testing.T) {
	a, b := sit(t, "mutex", "a"), sit(t, "mutex", "b")
	a.types("lock")
	b.types("lock", "pause")
	a.types("unlock")
	b.hasNotSeen("holds the lock")
	b.types("heal", "await")
	b.sees(`b holds the lock: ` + grantOf)
}

// After a crash etcd has heard nothing: key and lease are there.
func TestCrash(t *testing.T) {
	etcd, a, b := observer(t), sitWith(t, "locker", "a", 5*time.Second), sit(t, "locker", "b")
	a.types("lock")
	a.mu.Lock()
	lease := a.session.lease
	a.mu.Unlock()
	if err := a.Execute("crash"); !errors.Is(err, ErrCrashed) {
		t.Fatalf("crash: %v", err)
	}
	a.sees(`a crashed: nobody is told; lease \S+ runs out within 5s`)
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	if keys := keysOf(t, etcd, a); len(keys) != 1 {
		t.Errorf("etcd has %q, want the key that was left", keys)
	}
	left, err := etcd.TimeToLive(bounded(t), lease)
	if err != nil || left.TTL < 0 {
		t.Errorf("the lease: %+v, %v", left, err)
	}
	b.types("lock")
	b.sees(`b waits with key \S+ created at rev \d+, behind key \S+ created at rev \d+, lease \S+ of a`)
	b.types("await")
	b.sees(`b holds the lock: ` + grantOf)
	a.hasNotSeen("leaves")
}

// quit revokes the lease: what the console had is free at once.
func TestClose(t *testing.T) {
	etcd, a := observer(t), sit(t, "election", "a")
	a.types("elect", "watch")
	if err := a.Execute("quit"); !IsQuit(err) {
		t.Fatalf("quit: %v", err)
	}
	for range 2 {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}
	a.sees(`a leaves: lease \S+ and its keys are gone at rev \d+`)
	if keys := keysOf(t, etcd, a); len(keys) != 0 {
		t.Errorf("left behind: %q", keys)
	}
	if err := a.Execute("status"); err == nil {
		t.Error("a closed console answered")
	}
}

// etcd's election and rwmutex report success to a waiter whose lease ended
// (etcd#19597, etcd#16221). The console sees that there is no key.
func TestSuccessThatIsNotTrue(t *testing.T) {
	for _, test := range []struct{ primitive, acquire, release, known string }{
		{"election", "elect", "resign", `\(etcd#19597\)`},
		{"rwmutex", "w", "release", `\(etcd#16221\)`},
		{"rwmutex", "r", "release", `\(etcd#16221\)`},
		{"election-checked", "elect", "resign", ""},
		{"rwmutex-checked", "w", "release", ""},
		{"mutex", "lock", "unlock", ""},
		{"locker", "lock", "unlock", ""},
	} {
		t.Run(test.primitive+" "+test.acquire, func(t *testing.T) {
			etcd, a, b := observer(t), sit(t, test.primitive, "a"), sitWith(t, test.primitive, "b", 3*time.Second)
			first := test.acquire
			if first == "r" {
				first = "w"
			}
			a.types(first)
			b.types(test.acquire)
			b.sees(`b waits with key`)
			revoke(t, etcd, b)
			b.sees(`session lost: lease \S+ was revoked, or could not be renewed`)
			if !strings.HasSuffix(test.primitive, "-checked") { // they look at their own key, too
				b.sees(test.acquire + ` still waits, for a session that is over`)
			}
			a.types(test.release)
			b.types("await")
			if test.known == "" {
				b.sees(test.acquire + `: .*(gone|expired)`)
				b.hasNotSeen("not true")
			} else {
				b.sees(`not true: etcd's library says that b \S+.*: key \S+ created at rev \d+, but there is no such key as of rev \d+ ` + test.known)
			}
			if _, err := b.believed(); err == nil {
				t.Error("b believes it")
			}
		})
	}
}

// What the console believes, and what etcd has, are told apart.
func TestKeyTakenAway(t *testing.T) {
	etcd, a := observer(t), sit(t, "mutex", "a")
	a.types("lock", "status")
	a.sees(`belief:  a holds the lock, for \d+\.\ds: key \S+ created at rev \d+`)
	a.sees(`etcd:    lease \S+ has \d+s left of 60s, as of rev \d+`)
	a.sees(`etcd:    key \S+ is there`)
	if _, err := etcd.Delete(bounded(t), a.object, clientv3.WithPrefix()); err != nil {
		t.Fatal(err)
	}
	a.types("status")
	a.sees(`etcd:    key \S+ created at rev \d+ is gone as of rev \d+: the belief is wrong`)
	a.types("unlock")
	a.sees(`a no longer holds the lock: key \S+ created at rev \d+ was gone already`)
}
