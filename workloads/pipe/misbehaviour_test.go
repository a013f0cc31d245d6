package pipe

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/internal/offspring"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// impatient keeps tests short in which something has to be waited for in vain.
var impatient = Patience{Hello: 20 * time.Second, Overtime: 4 * time.Second, End: 3 * time.Second}

func command(t *testing.T, script string) *Command {
	t.Helper()
	parent, err := offspring.NewParent()
	if errors.Is(err, offspring.ErrUnsupported) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := parent.Close(); err != nil {
			t.Error(err)
		}
	})
	return &Command{Line: script, Parent: parent, Patience: impatient}
}

var attachment = workloads.Attachment{Client: "c1", Endpoints: []string{"http://127.0.0.1:1"}, Prefix: "holdfast/x", TTL: time.Second}

func start(t *testing.T, script string) *Program {
	t.Helper()
	p, err := command(t, script).Start(t.Context(), attachment)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Kill()
		p.finished.Wait()
	})
	return p
}

// hello is a program's start: request 1 is answered. What follows is the rest of
// its life, in which request 2 is an acquire.
const hello = `read line; echo '{"id":1,"ok":true}'; read line; `

func acquire(t *testing.T, p *Program, patience time.Duration) (workloads.Grant, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	return (&lock{calls{p: p, prefix: "holdfast/x/0"}}).Acquire(ctx)
}

// What a program does wrong never hangs a call, and is told once, with its last
// lines.
func TestMisbehaviourIsTold(t *testing.T) {
	const rest = `cat >/dev/null`
	for _, test := range []struct {
		name, script, rule, story string
	}{
		{"says nothing", hello + rest, hung, "has not answered acquire"},
		{"dies", hello + `echo "out of luck" >&2; exit 3`, died, `exit code 3; its last lines: "{\"id\":1,\"ok\":true}"; its log ends with: "out of luck"`},
		{"ends by itself", hello + `exit 0`, died, "ended by itself, with exit code 0"},
		{"is killed", hello + `kill -9 $$`, died, "killed by signal 9"},
		{"closes its output", hello + `exec >&-; cat >/dev/null`, closedOutput, "its standard output has ended, and it goes on"},
		{"does not read", `read line; echo '{"id":1,"ok":true}'; sleep 1000`, hung, "has not answered"},
		{"babbles", hello + `echo 'now I try...'; echo '{"id":2,"ok":true}'; ` + rest, noJSON, `it wrote "now I try..."`},
		{"says a list", hello + `echo '[1]'; echo '{"id":2,"ok":true}'; ` + rest, noJSON, `it wrote "[1]"`},
		{"says a word", hello + `echo '"x"'; echo '{"id":2,"ok":true}'; ` + rest, noJSON, `\"x\"`},
		{"says null", hello + `echo null; echo '{"id":2,"ok":true}'; ` + rest, noJSON, `"null"`},
		{"cuts its answer", hello + `printf '{"id":2,"ok"'; exit 0`, noJSON, `"{\"id\":2,\"ok\""`},
		{"says binary", hello + `printf '\377\000\001\n'; echo '{"id":2,"ok":true}'; ` + rest, noJSON, `it wrote`},
		{"says an empty object", hello + `echo '{}'; echo '{"id":2,"ok":true}'; ` + rest, noProtocol, `neither "id"`},
		{"answers without ok", hello + `echo '{"id":2}'; ` + rest, noProtocol, `has no "ok"`},
		{"answers with null", hello + `echo '{"id":2,"ok":null}'; ` + rest, noProtocol, `has no "ok"`},
		{"answers with a text for ok", hello + `echo '{"id":2,"ok":"yes"}'; ` + rest, noProtocol, `"ok" is "yes"`},
		{"grants a token that is too big", hello + `echo '{"id":2,"ok":true,"token":99999999999999999999}'; ` + rest, noProtocol, `"token" is 99999999999999999999`},
		{"grants a token that is a fraction", hello + `echo '{"id":2,"ok":true,"token":1.5}'; ` + rest, noProtocol, `"token" is 1.5`},
		{"grants a token below zero", hello + `echo '{"id":2,"ok":true,"token":-5}'; ` + rest, noProtocol, `"token" is -5`},
		{"grants a key that is a list", hello + `echo '{"id":2,"ok":true,"key":["a"]}'; ` + rest, noProtocol, `"key" is ["a"]`},
		{"fails and grants", hello + `echo '{"id":2,"ok":true,"error":"no"}'; ` + rest, contradicted, "says ok, and that it failed"},
		{"answers another", hello + `echo '{"id":7,"ok":true}'; ` + rest, notAsked, `"{\"id\":7,\"ok\":true}"`},
		{"answers a text id", hello + `echo '{"id":"two","ok":true}'; ` + rest, notAsked, "another id"},
		{"answers twice", hello + `echo '{"id":1,"ok":true}'; echo '{"id":2,"ok":true}'; ` + rest, notAsked, "request 1 a second time"},
		{"tells of an unknown event", hello + `echo '{"event":"party"}'; echo '{"id":2,"ok":true}'; ` + rest, noProtocol, "party"},
		{"asks for the resource without work", hello + `echo '{"call":"read","id":1}'; read line; echo '{"id":2,"ok":true}'; ` + rest, outOfTurn, "while it was not at work"},
		{"floods with lines", hello + `yes '{"id":1,"ok":true}'`, notAsked, "a second time"},
		{"floods with blank lines", hello + `yes ''`, flooded, "lines that answer nothing"},
		{"floods with one line", hello + `exec cat /dev/zero`, flooded, "a line of more than 1048576 bytes"},
		{"begins a line", hello + `printf '{"id":2,"ok":tr'; ` + rest, hung, `it has begun a line, and not ended it); its last lines: "{\"id\":1,\"ok\":true}" "{\"id\":2,\"ok\":tr" (without a line end)`},
		{"does not flush", hello + rest, hung, "does it flush what it writes?"},
		{"floods with a line of letters", hello + `exec tr '\0' a </dev/zero`, flooded, `"aaaaaaaa`},
		{"says no UTF-8", hello + `printf '{"id":2,"ok":true,"key":"\377\376"}\n'; ` + rest, noJSON, "which is no UTF-8"},
		{"grants a key of nobody", hello + `echo '{"id":2,"ok":true,"key":"somewhere/else"}'; ` + rest, outside, `"somewhere/else", which does not begin with "holdfast/x/0/"`},
		{"grants a key beside", hello + `echo '{"id":2,"ok":true,"key":"holdfast/x/01"}'; ` + rest, outside, `"holdfast/x/01"`},
		{"says a number", hello + `echo 42; echo '{"id":2,"ok":true}'; ` + rest, noJSON, `it wrote "42"`},
		{"grants a token in powers of ten", hello + `echo '{"id":2,"ok":true,"token":8.12e2}'; ` + rest, noProtocol, `"token" is 8.12e2`},
		{"grants a token of 400 digits", hello + `printf '{"id":2,"ok":true,"token":%0400d}\n' 0 | sed 's/0/9/g; s/"id":9/"id":2/'; ` + rest, noProtocol, `"token" is 9999`},
		{"answers null", hello + `while :; do echo null; read line; done`, noJSON, `it wrote "null"`},
		{"answers by other ids", hello + `n=1000; while :; do n=$((n + 1)); echo '{"id":'$n',"ok":true}'; read line; done`, notAsked, `{\"id\":1001,`},
		{"floods with lost", hello + `yes '{"event":"lost"}'`, flooded, "lines that answer nothing"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := start(t, test.script)
			_, _ = acquire(t, p, 10*time.Millisecond) // what is told of it counts
			rule, story := p.Breach()
			if rule != test.rule || !strings.Contains(story, test.story) {
				t.Errorf("the rule is %q, and the story %s; want %q, and in it %s", rule, story, test.rule, test.story)
			}
			if len(story) > 10_000 {
				t.Errorf("the story is %d bytes long", len(story))
			}
		})
	}
}

// What is unusual, and allowed.
func TestOddAnswersAreTaken(t *testing.T) {
	for name, answer := range map[string]string{
		"plain":               `echo '{"id":2,"ok":true,"key":"holdfast/x/0/k","token":7}'`,
		"CRLF":                `printf '{"id":2,"ok":true,"key":"holdfast/x/0/k","token":7}\r\n\r\n'`,
		"an event and a call": `echo '{"id":2,"ok":true,"key":"holdfast/x/0/k","token":7,"event":"lost","call":"read"}'`,
		"slowly":              `sleep 5; echo '{"id":2,"ok":true,"key":"holdfast/x/0/k","token":7}'`,
		"in pieces":           `printf '{"id":2,"ok":tr'; sleep 0.1; printf 'ue,"key":"holdfast/x/0/k","token":"7"}\n'`,
		"blanks":              `echo; echo; echo '   { "id" : 2 , "ok" : true, "key":"holdfast/x/0/k","token": 7 }  '`,
		"no line end":         `printf '{"id":2,"ok":true,"key":"holdfast/x/0/k","token":7}'; exec >&-; cat >/dev/null`,
		"nulls":               `echo '{"id":2,"ok":true,"key":"holdfast/x/0/k","token":7,"error":null,"lease":null,"event":null,"call":null}'`,
		"more fields":         `echo '{"id":2,"ok":true,"key":"holdfast/x/0/k","token":7,"mood":{"good":[true,1e400]}}'`,
		"numbers as text":     `echo '{"id":"2","ok":true,"key":"holdfast/x/0/k","token":"7","lease":"7587848390829824"}'`,
		"an empty error":      `echo '{"id":2,"ok":true,"key":"holdfast/x/0/k","token":7,"error":""}'`,
		"escapes":             `echo '{"id":2,"ok":true,"key":"holdfast/x/0/\u006b","token":7}'`,
		"a noisy log":         `yes "etcd is slow" | head -c 3000000 >&2; echo '{"id":2,"ok":true,"key":"holdfast/x/0/k","token":7}'`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, hello+answer+`; cat >/dev/null`)
			g, err := acquire(t, p, 20*time.Second)
			if rule, story := p.Breach(); err != nil || rule != "" || g.Key != "holdfast/x/0/k" || g.Token != 7 {
				t.Errorf("granted %+v, error %v, breach %q: %s", g, err, rule, story)
			}
		})
	}
}

// What errors say of effects.
func TestErrorsAreCertainOrNot(t *testing.T) {
	for answer, want := range map[string]struct {
		certain bool
		is      error
	}{
		`{"id":2,"ok":false}`:                                     {},
		`{"id":2,"ok":false,"error":"a timeout"}`:                 {},
		`{"id":2,"ok":false,"error":"a timeout","certain":false}`: {},
		`{"id":2,"ok":false,"error":"no","certain":true}`:         {certain: true},
		`{"id":2,"ok":false,"taken":true}`:                        {certain: true, is: workloads.ErrTaken},
		`{"id":2,"ok":false,"none":true}`:                         {certain: true, is: workloads.ErrNoLeader},
	} {
		t.Run(answer, func(t *testing.T) {
			t.Parallel()
			p := start(t, hello+`echo '`+answer+`'; cat >/dev/null`)
			_, err := acquire(t, p, 20*time.Second)
			if err == nil || workloads.Certain(err) != want.certain || want.is != nil && !errors.Is(err, want.is) {
				t.Errorf("the error is %v, certain: %v", err, workloads.Certain(err))
			}
			if rule, story := p.Breach(); rule != "" {
				t.Errorf("breach %q: %s", rule, story)
			}
		})
	}
}

// Of a program that has died it is not known what it did last, but that it did
// nothing of which it was not told.
func TestTheDeadDoNothing(t *testing.T) {
	p := start(t, hello+`exit 1`)
	if _, err := acquire(t, p, 20*time.Second); err == nil || workloads.Certain(err) {
		t.Errorf("it died in the call: %v", err)
	}
	<-p.Ended()
	if _, err := acquire(t, p, 20*time.Second); err == nil || !workloads.Certain(err) {
		t.Errorf("it was dead before the call: %v", err)
	}
}

func TestPrograms(t *testing.T) {
	for _, test := range []struct{ name, script, rule, story string }{
		{"is not there", `no-such-program --at-all`, died, "the command was not found"},
		{"refuses", `read line; echo '{"id":1,"ok":false,"error":"no license"}'; cat`, refused, "no license"},
		{"is of another version", `read line; echo '{"id":1,"ok":true,"version":9}'; cat`, refused, "version 9"},
		{"is something else", `read line; echo '{"id":1,"ok":true,"primitive":"semaphore"}'; cat`, refused, "semaphore"},
		{"cannot release", `read line; echo '{"id":1,"ok":true,"ops":["acquire"]}'; cat`, refused, "needs acquire and release"},
		{"has a layout of its own", `read line; echo '{"id":1,"ok":true,"layout":"heap"}'; cat`, refused, "heap"},
		{"dies at once", `echo "no etcd" >&2; exit 5`, died, "exit code 5"},
		{"prints a usage", `echo 'usage: lock'; exit 2`, noJSON, "usage: lock"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := command(t, test.script).Hello(t.Context(), attachment)
			var broken *workloads.BreachError
			if !errors.As(err, &broken) || broken.Rule != test.rule || !strings.Contains(broken.Story, test.story) {
				t.Errorf("%v; want %q: %s", err, test.rule, test.story)
			}
		})
	}
	h, err := command(t, `sleep 5; echo 'starting'; read line; echo '{"id":1,"ok":true,"ops":["campaign","resign","observe"],"name":"x","lease":"12"}'; cat`).Hello(t.Context(), attachment)
	if err != nil || h.Primitive != history.Election || !h.Can("observe") || h.Can("leader") || h.Name != "x" || h.Lease != 12 {
		t.Errorf("%+v, %v", h, err)
	}
}

// A program that does not want to end is ended, and so is what it has left.
func TestEnds(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	left := `(trap '' TERM HUP; while :; do sleep 1; done) & echo $! >` + file + `; `
	for name, test := range map[string]struct {
		script, rule, story string
		well                bool
	}{
		"by the end of its input": {`read line; echo '{"id":1,"ok":true}'; cat >/dev/null`, "", "", false},
		"when told goodbye":       {`read line; echo '{"id":1,"ok":true,"ops":["acquire","release","bye"]}'; read line; echo '{"id":2,"ok":true}'`, "", "", true},
		"leaving others":          {left + `read line; echo '{"id":1,"ok":true}'; cat >/dev/null`, "", "", false},
		"by SIGTERM":              {`read line; echo '{"id":1,"ok":true}'; while :; do sleep 0.05; done`, notEnded, "SIGTERM ended it", false},
		"by SIGKILL":              {`trap '' TERM; read line; echo '{"id":1,"ok":true}'; while :; do sleep 0.05; done`, notEnded, "3s after SIGTERM it still ran, and was killed", false},
	} {
		t.Run(name, func(t *testing.T) {
			p := start(t, test.script)
			err := p.Close(t.Context())
			if rule, story := p.Breach(); rule != test.rule || !strings.Contains(story, test.story) || (err == nil) != test.well {
				t.Errorf("error %v, breach %q: %s", err, rule, story)
			}
			<-p.process.Done()
		})
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err == nil && !strings.Contains(string(stat), ") Z ") { // nobody may have taken leave of it
		t.Errorf("process %d lives on: %s", pid, stat)
	}
}
