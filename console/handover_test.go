package console

import (
	"strings"
	"testing"
)

const grantOf = `(key \S+ created at rev \d+), as of rev \d+\n`

func TestLeadershipIsHandedOver(t *testing.T) {
	for _, primitive := range []string{"election", "election-checked"} {
		t.Run(primitive, func(t *testing.T) {
			etcd, a, b := observer(t), sit(t, primitive, "a"), sit(t, primitive, "b")
			a.types("elect one")
			led := a.sees(`a leads with "one": ` + grantOf)[1]
			b.types("watch")
			seen := b.sees(`leader: "one" of a: ` + grantOf)[1]
			b.types("elect two")
			waits := b.sees(`b waits with (key \S+ created at rev \d+), behind (key \S+ created at rev \d+), lease \S+ of a`)
			if keys := keysOf(t, etcd, a); len(keys) != 2 || led != keys[0] || seen != keys[0] || waits[1] != keys[1] || waits[2] != keys[0] {
				t.Fatalf("told %q, %q and %q; etcd has %q", led, seen, waits[1:], keys)
			}
			a.types("proclaim one more")
			put := a.sees(`a leads with "one more": (key \S+ created at rev \d+), put at rev (\d+)`)
			b.sees(`leader: "one more" of a: ` + led + `, as of rev ` + put[2])
			a.types("query")
			a.sees(`leader: "one more" of a: ` + led)
			a.types("resign")
			a.sees(`a no longer leads with "one more": ` + strings.Split(led, " created")[0] + ` deleted at rev \d+`)
			b.types("await elect")
			b.sees(`b leads with "two": ` + waits[1])
			b.types("rev")
			b.sees(`b leads with "two": ` + waits[1])
			b.types("cancel watch")
			b.sees(`watch is cancelled`)
			b.types("resign", "query")
			b.sees(`nobody leads`)
			if keys := keysOf(t, etcd, a); len(keys) != 0 {
				t.Errorf("left behind: %q", keys)
			}
		})
	}
}

func TestWriteLockIsHandedOverBetweenReaders(t *testing.T) {
	for _, primitive := range []string{"rwmutex", "rwmutex-checked"} {
		t.Run(primitive, func(t *testing.T) {
			etcd, a, b, c := observer(t), sit(t, primitive, "a"), sit(t, primitive, "b"), sit(t, primitive, "c")
			a.types("r")
			reading := a.sees(`a reads: ` + grantOf)[1]
			c.types("r")
			c.sees(`c reads: ` + grantOf)
			b.types("w")
			writing := b.sees(`b waits with (key \S+/write/\S+ created at rev \d+), behind key \S+/read/`)[1]
			c.types("release")
			a.types("release")
			a.sees(`a no longer reads: ` + strings.Split(reading, " created")[0] + ` deleted at rev`)
			b.types("await")
			b.sees(`b writes: ` + writing)
			a.types("r")
			a.sees(`a waits with key \S+/read/\S+ created at rev \d+, behind ` + writing + `, lease \S+ of b`)
			b.types("release")
			b.sees(`b no longer writes: key \S+ deleted at rev`)
			a.types("await r")
			a.sees(`a reads: ` + grantOf)
			a.types("release")
			if keys := keysOf(t, etcd, a); len(keys) != 0 {
				t.Errorf("left behind: %q", keys)
			}
		})
	}
}

func TestLockIsHandedOver(t *testing.T) {
	for _, primitive := range []string{"mutex", "locker"} {
		t.Run(primitive, func(t *testing.T) {
			a, b := sit(t, primitive, "a"), sit(t, primitive, "b")
			a.types("lock")
			held := a.sees(`a holds the lock: ` + grantOf)[1]
			a.types("key")
			a.sees(`a holds the lock: ` + held)
			b.types("lock")
			b.sees(`b waits with (key \S+ created at rev \d+), behind ` + held)
			if err := b.Execute("unlock"); err == nil {
				t.Error("b could unlock while it waits")
			}
			b.sees(`unlock: lock still runs: await it, or cancel it`)
			a.types("unlock")
			b.types("await")
			b.sees(`b holds the lock: ` + grantOf)
		})
	}
}

func TestTryLock(t *testing.T) {
	a, b := sit(t, "mutex", "a"), sit(t, "mutex", "b")
	a.types("trylock")
	held := a.sees(`a holds the lock: ` + grantOf)[1]
	if err := b.Execute("trylock"); err == nil {
		t.Error("b got the lock beside a")
	}
	b.sees(`trylock: the lock is taken: ` + held + `, lease \S+ of a`)
	a.types("unlock")
	b.types("trylock")
	b.sees(`b holds the lock: ` + grantOf)
}

func TestBarrier(t *testing.T) {
	a, b := sit(t, "barrier", "a"), sit(t, "barrier", "b")
	b.types("wait")
	b.sees(`b passed: there is no key`)
	a.types("hold")
	up := a.sees(`a put the barrier up: (key \S+ created at rev \d+), no lease`)[1]
	if err := b.Execute("hold"); err == nil {
		t.Error("two held the barrier")
	}
	b.sees(`hold: the barrier is up already: ` + up)
	b.types("wait")
	b.sees(`b waits for the end of ` + up)
	a.types("release")
	a.sees(`a took the barrier down: key \S+ deleted at rev \d+`)
	b.types("await")
	b.sees(`b passed: there is no key`)
	a.types("release")
	a.sees(`the barrier was down already`)
}

func TestQueue(t *testing.T) {
	a, b := sit(t, "queue", "a"), sit(t, "queue", "b")
	a.types("put one", "put two words")
	first := a.sees(`a put "one": (key \S+) created at rev \d+`)[1]
	a.sees(`a put "two words": key \S+ created at rev \d+`)
	b.types("take", "take")
	b.sees(`b took "one": ` + first + ` deleted at rev \d+`)
	b.sees(`b took "two words": key \S+ deleted at rev \d+`)
	b.types("take")
	b.sees(`b waits: there is no key of`)
	a.types("put three")
	b.types("await")
	b.sees(`b took "three": key`)
}

func TestQueuesWhoseNamesStartAlike(t *testing.T) {
	open := func(object string) *user {
		u := &user{t: t, screen: newScreen()}
		var err error
		u.Console, err = Open(bounded(t), Config{Primitive: "queue", Object: object, Prefix: prefix(t), Endpoints: endpoints(t, object), Out: u.screen})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = u.Close() })
		return u
	}
	jobs, others := open("jobs"), open("jobs2")
	others.types("put theirs")
	jobs.types("take")
	jobs.sees(`waits: there is no key`)
	jobs.types("cancel", "await")
	jobs.sees(`take is cancelled: nothing was taken`)
	others.types("take")
	others.sees(`took "theirs"`)
}
