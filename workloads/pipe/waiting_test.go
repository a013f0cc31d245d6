package pipe

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// soon fails the test if something does not happen in time.
func soon[T any](t *testing.T, what string, c <-chan T) (v T) {
	t.Helper()
	timer := time.NewTimer(time.Minute)
	defer timer.Stop()
	select {
	case v = <-c:
	case <-timer.C:
		t.Fatal(what + " is waited for in vain")
	}
	return v
}

// A frozen program is not blamed for what it cannot do.
func TestFrozenProgramsAreWaitedFor(t *testing.T) {
	p := start(t, hello+`echo '{"id":2,"ok":true}'; cat >/dev/null`)
	still, err := p.Freeze(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := acquire(t, p, time.Millisecond)
		done <- err
	}()
	timer := time.NewTimer(3 * impatient.Overtime / 2)
	defer timer.Stop()
	select {
	case err := <-done:
		t.Errorf("the call ended while the program stood still: %v", err)
	case <-timer.C:
	}
	if stands, words := still.Evidence(); !stands {
		t.Error(words)
	}
	still.Thaw()
	if err := soon(t, "the call", done); err != nil {
		t.Error(err)
	}
	if rule, story := p.Breach(); rule != "" {
		t.Errorf("breach %q: %s", rule, story)
	}
}

// The program reads and writes the resource when it likes to, as long as it is
// at work.
func TestWork(t *testing.T) {
	p := start(t, `read line; echo '{"id":1,"ok":true,"ops":["acquire","release","work"]}'; read line
		echo '{"call":"read","id":"a"}'; read line; echo "$line" >&2
		echo '{"call":"write","id":["b"],"token":"5"}'; read line; echo "$line" >&2
		echo '{"call":"steal","id":3}'; read line; echo "$line" >&2
		echo '{"id":2,"ok":true}'; cat >/dev/null`)
	var asked []string
	err := (&calls{p: p, prefix: "holdfast/x/0"}).Work(t.Context(), "", time.Second, func(write bool, token int64) (string, error) {
		asked = append(asked, strconv.FormatBool(write)+strconv.FormatInt(token, 10))
		if write {
			return "", workloads.WithoutEffect(workloads.ErrStale)
		}
		return "v1", nil
	})
	if err != nil || strings.Join(asked, " ") != "false0 true5" {
		t.Errorf("asked %q, error %v", asked, err)
	}
	if err := p.Close(t.Context()); err == nil {
		t.Error("closed, though it was not asked to give up what it has")
	}
	for _, want := range []string{`{\"answer\":\"a\",\"ok\":true,\"value\":\"v1\"}`, `\"answer\":[\"b\"]`, `\"stale\":true`, `there is no call`} {
		if log := p.err.String(); !strings.Contains(log, want) {
			t.Errorf("its log %s lacks %s", log, want)
		}
	}
	if rule, _ := p.Breach(); rule != noProtocol {
		t.Errorf("breach %q", rule)
	}
}

// A program that was stopped in the middle of its work wakes up and writes, long
// after its time.
func TestWorkAfterAPause(t *testing.T) {
	p := start(t, `read line; echo '{"id":1,"ok":true,"ops":["acquire","release","work"]}'; read line
		echo '{"call":"read"}'; read line
		sleep 0.3; echo '{"call":"write"}'; read line; echo '{"id":2,"ok":true}'; cat >/dev/null`)
	asked := make(chan bool, 2)
	done := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		done <- (&calls{p: p, prefix: "holdfast/x/0"}).Work(ctx, "", time.Millisecond, func(write bool, _ int64) (string, error) {
			asked <- write
			return "v", nil
		})
	}()
	if soon(t, "its question", asked) {
		t.Error("it wrote first")
	}
	still, err := p.Freeze(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	cancel() // its time is over
	still.Thaw()
	if err := soon(t, "the work", done); err != nil || !soon(t, "its write", asked) {
		t.Errorf("it did not write: %v", err)
	}
	if rule, story := p.Breach(); rule != "" {
		t.Errorf("breach %q: %s", rule, story)
	}
}

// What a program asks for after the time of its work is answered: only how long it
// takes is limited.
func TestWorkAfterItsTime(t *testing.T) {
	p := start(t, `read line; echo '{"id":1,"ok":true,"ops":["acquire","release","work"]}'; read line
		sleep 1; echo '{"call":"read"}'; read line
		sleep 1; echo '{"call":"write"}'; read line; echo '{"id":2,"ok":true}'; cat >/dev/null`)
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	var asked []bool
	err := (&calls{p: p, prefix: "holdfast/x/0"}).Work(ctx, "", time.Millisecond, func(write bool, _ int64) (string, error) {
		asked = append(asked, write)
		return "v", nil
	})
	if rule, story := p.Breach(); err != nil || rule != "" || len(asked) != 2 || !asked[1] {
		t.Errorf("asked %v, error %v, breach %q: %s", asked, err, rule, story)
	}
}

// What was observed while the cancel was on its way does no harm.
func TestObservationsThatCrossTheirCancel(t *testing.T) {
	p := start(t, `read line; echo '{"id":1,"ok":true,"ops":["campaign","resign","leader","observe"]}'; read line
		echo '{"id":2,"event":"observed","value":"a"}'; read line
		for v in b c d; do echo '{"id":2,"event":"observed","value":"'$v'"}'; done
		echo '{"id":2,"ok":true}'; read line; echo '{"id":3,"ok":true,"value":"d"}'; cat >/dev/null`)
	e := &election{calls{p: p, prefix: "holdfast/x/0"}}
	ctx, cancel := context.WithCancel(t.Context())
	leaderships := e.Observe(ctx)
	if l := soon(t, "the first leader", leaderships); l.Value != "a" {
		t.Errorf("observed %+v", l)
	}
	cancel()
	for l := range leaderships {
		t.Logf("observed %+v", l)
	}
	within, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	l, err := e.Leader(within)
	if rule, story := p.Breach(); err != nil || rule != "" || l.Value != "d" {
		t.Errorf("leader %+v, error %v, breach %q: %s", l, err, rule, story)
	}
}

// A frozen program need not read.
func TestFrozenProgramsNeedNotRead(t *testing.T) {
	t.Parallel()
	p := start(t, hello+`echo '{"id":2,"ok":true}'; cat >/dev/null`)
	still, err := p.Freeze(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := (&lock{calls{p: p, prefix: strings.Repeat("x", 200_000)}}).Acquire(ctx)
		done <- err
	}()
	timer := time.NewTimer(3 * impatient.Overtime / 2)
	defer timer.Stop()
	select {
	case err := <-done:
		t.Errorf("the call ended while the program stood still: %v", err)
	case <-timer.C:
	}
	still.Thaw()
	if err := soon(t, "the call", done); err != nil {
		t.Error(err)
	}
	if rule, story := p.Breach(); rule != "" {
		t.Errorf("breach %q: %s", rule, story)
	}
}

// An answer that is given again and again is one answer, and the program is stopped.
func TestFloodOfAnswers(t *testing.T) {
	p := start(t, hello+`exec yes '{"id":2,"ok":true}'`)
	if _, err := acquire(t, p, 20*time.Second); err != nil {
		t.Error(err)
	}
	soon(t, "its end", p.Ended())
	for _, want := range []string{notAsked, flooded} {
		if rule, story := p.Breach(); rule != want {
			t.Errorf("breach %q: %s; want %q", rule, story, want)
		}
	}
}

// A simple command is the program itself, and not a shell that waits for it.
func TestSimpleCommands(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"cat": "exec cat", "env python3 'my lock.py' \"a b\" --x=1": "exec env python3 'my lock.py' \"a b\" --x=1",
		"no-such-program --x": "no-such-program --x", "cat; cat": "cat; cat", "cat $X": "cat $X", `cat "$X"`: `cat "$X"`, "cat ~/x": "cat ~/x", "cat >y": "cat >y",
		"X=1 cat": "X=1 cat", "cat | cat": "cat | cat", "cat *": "cat *", "cat 'x": "cat 'x", "cat 'x''y'": "cat 'x''y'", "cat a\ncat": "cat a\ncat", "": "",
	} {
		if got := direct(line); got != want {
			t.Errorf("%q is run as %q; want %q", line, got, want)
		}
	}
}
