package playground

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// newPlace returns a place in a directory of the test's own.
func newPlace(t *testing.T) Place {
	t.Helper()
	home, err := os.MkdirTemp("", "playground") // the test's name may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(home) })
	t.Setenv(HomeVariable, home)
	p, err := At("test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, _, err := p.Down(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return p
}

// process is this test binary in a role of TestMain.
func process(t *testing.T, role string) *exec.Cmd {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), roleVariable+"="+role)
	return command
}

func up(t *testing.T, p Place) (answer Answer, already bool) {
	t.Helper()
	answer, already, err := p.Up(t.Context(), process(t, "serve"), func(line string) { t.Log(line) })
	if err != nil {
		t.Fatal(err)
	}
	return answer, already
}

// left lists what is in the place, but for the lock.
func left(t *testing.T, p Place) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(p.Directory)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != "lock" {
			names = append(names, e.Name())
		}
	}
	return names
}

func mustPut(t *testing.T, endpoints []string) {
	t.Helper()
	client, err := clientv3.New(clientv3.Config{Endpoints: endpoints, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		// A proposal on its way to a leader that is not reached yet is lost:
		// etcd would wait seconds for it.
		soon, cancel := context.WithTimeout(ctx, time.Second)
		_, err := client.Put(soon, "key", "value")
		cancel()
		if err == nil {
			return
		}
		if ctx.Err() != nil {
			t.Fatal(err)
		}
	}
}

func TestUpAndDown(t *testing.T) {
	p := newPlace(t)
	if ended, _, err := p.Down(t.Context()); err != nil || ended != WasDown {
		t.Errorf("down before up: %v, %v", ended, err)
	}
	answer, already := up(t, p)
	if already || !answer.Serving || len(answer.Members) != 1 || answer.State.PID == os.Getpid() {
		t.Fatalf("up: already %v, %+v", already, answer)
	}
	mustPut(t, answer.State.Endpoints)
	again, already := up(t, p)
	if !already || again.State.PID != answer.State.PID {
		t.Errorf("up again: already %v, %+v", already, again)
	}
	ended, state, err := p.Down(t.Context())
	if err != nil || ended != WasUp || state.PID != answer.State.PID {
		t.Errorf("down: %v, %+v, %v", ended, state, err)
	}
	if names := left(t, p); len(names) != 0 {
		t.Errorf("left behind: %q", names)
	}
	for _, e := range answer.State.Endpoints {
		if conn, err := net.Dial("tcp", strings.TrimPrefix(e, "http://")); err == nil {
			_ = conn.Close()
			t.Errorf("%s still accepts connections", e)
		}
	}
	if _, err := p.Ask(t.Context(), Order{Do: DoStatus}); !errors.Is(err, ErrNotUp) {
		t.Errorf("status after down: %v, want %v", err, ErrNotUp)
	}
}

// A process that was killed has left everything behind, and its id may be that
// of another process by now: only the lock counts.
func TestStaleState(t *testing.T) {
	p := newPlace(t)
	answer, _ := up(t, p)
	killed, err := os.FindProcess(answer.State.PID)
	if err != nil {
		t.Fatal(err)
	}
	if err := killed.Kill(); err != nil {
		t.Fatal(err)
	}
	for { // until the kernel has dropped the lock
		if running, err := p.up(); err != nil {
			t.Fatal(err)
		} else if !running {
			break
		}
		if err := pause(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	reused := answer.State
	reused.PID = os.Getpid() // which lives
	if err := p.writeState(reused); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Ask(t.Context(), Order{Do: DoStatus}); !errors.Is(err, ErrNotUp) {
		t.Errorf("status: %v, want %v", err, ErrNotUp)
	}
	if stale, err := p.Stale(); err != nil || stale == nil || stale.PID != os.Getpid() {
		t.Errorf("stale: %+v, %v", stale, err)
	}
	next, already := up(t, p)
	if already || next.State.PID == os.Getpid() {
		t.Errorf("up: already %v, %+v", already, next.State)
	}
	mustPut(t, next.State.Endpoints)

	ended, _, err := p.Down(t.Context())
	if err != nil || ended != WasUp {
		t.Errorf("down: %v, %v", ended, err)
	}
	if err := os.MkdirAll(filepath.Join(p.data(), "m1"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := p.writeState(reused); err != nil {
		t.Fatal(err)
	}
	ended, state, err := p.Down(t.Context())
	if err != nil || ended != WasDead || state.PID != os.Getpid() {
		t.Errorf("down of the dead: %v, %+v, %v", ended, state, err)
	}
	if names := left(t, p); len(names) != 0 {
		t.Errorf("left behind: %q", names)
	}
}

func TestProcessThatDoesNotComeUp(t *testing.T) {
	p := newPlace(t)
	_, _, err := p.Up(t.Context(), process(t, "fail"), func(string) {})
	if err == nil || !strings.Contains(err.Error(), "its process ended before it served; the last lines of its log:\n  the last words") {
		t.Errorf("up: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	hangs := process(t, "hang")
	if _, _, err := p.Up(ctx, hangs, func(string) {}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("up: %v", err)
	}
	if hangs.ProcessState == nil {
		t.Error("the process is still there")
	}
	if running, err := p.up(); running || err != nil {
		t.Errorf("still up: %v, %v", running, err)
	}
	if names := left(t, p); len(names) != 0 {
		t.Errorf("left behind: %q", names)
	}
}

// serveHere runs a cluster in this process until the test ends.
func serveHere(t *testing.T, p Place, c Config) {
	t.Helper()
	lock, err := p.tryLock()
	if err != nil || lock == nil {
		t.Fatal(lock, err)
	}
	progress, writer := io.Pipe()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- Serve(ctx, p, c, writer)
		_ = writer.Close()
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		_ = lock.Close()
	})
	all, buffer := "", make([]byte, 100)
	for !strings.HasSuffix(all, ready+"\n") {
		n, err := progress.Read(buffer)
		if err != nil {
			t.Fatalf("%v after %q", err, all)
		}
		all += string(buffer[:n])
	}
}

func TestFaults(t *testing.T) {
	p := newPlace(t)
	serveHere(t, p, Config{Data: t.TempDir()})
	order := func(do, member string) []Member {
		t.Helper()
		answer, err := p.Ask(t.Context(), Order{Do: do, Member: member})
		if err != nil {
			t.Fatal(err)
		}
		return answer.Members
	}
	before := order(DoStatus, "")
	if members := order(DoCrash, "m1"); members[0].Running || !members[1].Running {
		t.Errorf("after the crash: %+v", members)
	}
	if members := order(DoRestart, "m1"); !members[0].Running || members[0].Endpoint != before[0].Endpoint {
		t.Errorf("after the restart: %+v, before %+v", members, before)
	}
	mustPut(t, []string{before[0].Endpoint})
	for range 2 {
		if members := order(DoIsolate, "m2"); !members[1].Isolated || members[0].Isolated {
			t.Errorf("after the isolation: %+v", members)
		}
	}
	cut := func() bool { // a put with m2 alone to ask
		client, err := clientv3.New(clientv3.Config{Endpoints: []string{before[1].Endpoint}, Logger: zap.NewNop()})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = client.Close() }()
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		_, err = client.Put(ctx, "key", "value")
		return err != nil
	}
	if !cut() {
		t.Error("an isolated member could write")
	}
	if members := order(DoHeal, ""); members[1].Isolated {
		t.Errorf("after the heal: %+v", members)
	}
	mustPut(t, []string{before[1].Endpoint})
	for _, wrong := range []Order{{Do: DoCrash, Member: "m9"}, {Do: DoCrash}, {Do: "dance", Member: "m1"}} {
		if _, err := p.Ask(t.Context(), wrong); err == nil {
			t.Errorf("%+v: no error", wrong)
		}
	}
}

// Data that are somebody else's are not touched.
func TestDataOfOthers(t *testing.T) {
	p := newPlace(t)
	lock, err := p.tryLock()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lock.Close() }()
	c := Config{Members: 1, Data: t.TempDir()}
	mine := filepath.Join(c.data(p), "mine")
	if err := os.MkdirAll(mine, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Serve(t.Context(), p, c, io.Discard); err == nil || !strings.Contains(err.Error(), "is there already") {
		t.Errorf("serve: %v", err)
	}
	_ = lock.Close()
	if _, _, err := p.Down(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(mine); err != nil {
		t.Error(err)
	}
}

func TestNothingIsInherited(t *testing.T) {
	if lock, _, err := newPlace(t).Inherited(); err == nil {
		t.Errorf("inherited %s", lock.Name())
	}
}

func TestNamesOfClusters(t *testing.T) {
	for _, name := range []string{"", "..", "a/b", "A", "-x", "a b"} {
		if _, err := At(name); err == nil {
			t.Errorf("%q is a name", name)
		}
	}
	t.Setenv(HomeVariable, "/"+strings.Repeat("long", 30))
	if _, err := At("a"); err == nil || !strings.Contains(err.Error(), HomeVariable) {
		t.Errorf("a path that is too long: %v", err)
	}
}
