package workloads

import (
	"strings"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

func TestEveryFormOfAStepIsRead(t *testing.T) {
	for line, want := range map[string]Step{
		"A acquire x":                               {Role: "A", Verb: "acquire", Object: "x"},
		"  Z   acquire   a/b.c-d_1  ":               {Role: "Z", Verb: "acquire", Object: "a/b.c-d_1"},
		"B acquire x within 1s &":                   {Role: "B", Verb: "acquire", Object: "x", Within: time.Second, Background: true},
		"B acquire x cancelled after 300ms":         {Role: "B", Verb: "acquire", Object: "x", Within: 300 * time.Millisecond, Cancel: true},
		"B try-acquire x cancelled after 1.5s &":    {Role: "B", Verb: "try-acquire", Object: "x", Within: 1500 * time.Millisecond, Cancel: true, Background: true},
		"B work x":                                  {Role: "B", Verb: "work", Object: "x"},
		"B work x 50ms &":                           {Role: "B", Verb: "work", Object: "x", Value: "50ms", Background: true},
		"B release x within 2s":                     {Role: "B", Verb: "release", Object: "x", Within: 2 * time.Second},
		"sleep 2s":                                  {Verb: "sleep", Within: 2 * time.Second},
		"until healed compact":                      {Verb: "until", Value: "healed compact"},
		"B until ok acquire within 1m":              {Role: "B", Verb: "until", Value: "ok acquire", Within: time.Minute},
		"signal ready to go":                        {Verb: "signal", Value: "ready to go"},
		"B signal ready":                            {Role: "B", Verb: "signal", Value: "ready"},
		"B join":                                    {Role: "B", Verb: "join"},
		"B crash":                                   {Role: "B", Verb: "crash"},
		"B session &":                               {Role: "B", Verb: "session", Background: true},
		"B close":                                   {Role: "B", Verb: "close"},
		"acquire-read | A acquire-read x":           {Role: "A", Verb: "acquire-read", Object: "x"},
		"release-read | A release-read x within 1s": {Role: "A", Verb: "release-read", Object: "x", Within: time.Second},
		"campaign | A campaign x &":                 {Role: "A", Verb: "campaign", Object: "x", Background: true},
		"proclaim | A proclaim x":                   {Role: "A", Verb: "proclaim", Object: "x"},
		"resign | A resign x":                       {Role: "A", Verb: "resign", Object: "x"},
		"leader | A leader x":                       {Role: "A", Verb: "leader", Object: "x"},
		"observe | A observe x within 6s &":         {Role: "A", Verb: "observe", Object: "x", Within: 6 * time.Second, Background: true},
		"resume | A resume x B":                     {Role: "A", Verb: "resume", Object: "x", Value: "B"},
	} {
		primitive := history.Mutex
		if verb, rest, other := strings.Cut(line, " | "); other {
			line, primitive = rest, history.Election
			if strings.HasSuffix(verb, "-read") {
				primitive = history.RWMutex
			}
		}
		got, err := ParseStep(primitive, line)
		if got.String() != line {
			t.Errorf("%q is written %q", line, got)
		}
		awaited := got.Awaited()
		got.line = ""
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", line, got, err, want)
		}
		if want.Verb == "until" && awaited != want.Value || want.Verb != "until" && awaited != "" {
			t.Errorf("%s waits for %q", line, awaited)
		}
	}
}

func TestAMistakeInAStepSaysWhatCanBeThere(t *testing.T) {
	for line, want := range map[string]string{
		"":                              "the step is empty",
		"&":                             "the step is empty",
		"A":                             "A has nothing to do; it can acquire, close, crash, join, release, session, signal, try-acquire, until, work",
		"acquire x":                     `"acquire x" is not done by anybody; begin with a role, A to Z, as in: A acquire`,
		"AB acquire x":                  `begin with a role`,
		"a acquire x":                   `begin with a role`,
		"A campaign x":                  `a client of a mutex cannot "campaign"; it can acquire, close`,
		"A acquire-read x":              `cannot "acquire-read"`,
		"A acquire":                     "acquire needs an object, as in: A acquire x",
		"A acquire x/":                  `"x/" cannot be an object's name`,
		"A acquire ../x$":               `cannot be an object's name`,
		"A acquire x y":                 `acquire does not take "y"`,
		"A acquire x within soon":       `"soon" is not a duration such as 500ms or 2s`,
		"A acquire x within 0s":         `"0s" is not a duration`,
		"A acquire x cancelled after 2": `"2" is not a duration`,
		"A acquire x cancelled 2s":      `acquire does not take "cancelled 2s"`,
		"A acquire & x":                 `"&" cannot be an object's name`,
		"A work x soon":                 `"soon" is not a duration`,
		"A work x 1s 2s":                `work does not take "1s 2s"`,
		"A work x 1s within 2s":         "work takes no time to end within",
		"sleep":                         "sleep takes a duration, as in: sleep 2s",
		"sleep -1s":                     `"-1s" is not a duration`,
		"sleep 2s within 3s":            "sleep takes no time to end within",
		"sleep 2s &":                    "sleep is done by the script itself and cannot be in the background",
		"A sleep 2s":                    "sleep takes a duration",
		"until":                         "until takes an event, as in: B until created, B signal ready",
		"B signal":                      "signal takes an event",
		"B until created &":             "until is done by the script itself",
		"signal x &":                    "signal is done by the script itself",
		"B join now":                    `join takes nothing more, and there is "now"`,
		"B join within 2s":              "join takes no time to end within",
		"join":                          "is not done by anybody",
		"B crash &":                     "crash is done by the script itself",
		"B close x":                     `close takes nothing more`,
	} {
		_, err := ParseStep(history.Mutex, line)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; want %q in it", line, err, want)
		}
	}
	if _, err := ParseStep(history.Election, "A resume x"); err == nil || err.Error() != "resume needs a value" {
		t.Error(err)
	}
}

func TestEveryMistakeOfAScriptIsNamed(t *testing.T) {
	good := DefaultTraffic()
	good.Clients, good.TTL, good.OnLoss = 2, time.Second, Stop
	good.Script = []string{"A campaign x", "B resume x A", "A signal end"}
	good.Shared = map[string]string{"B": "A"}
	if mistakes := good.Mistakes(history.Election); len(mistakes) > 0 {
		t.Fatalf("%+v", mistakes)
	}
	for name, test := range map[string]struct {
		spoil func(*Traffic)
		field string
		want  string
	}{
		"a step":         {func(t *Traffic) { t.Script[1] = "B fly x" }, "script[1]", `cannot "fly"`},
		"a role":         {func(t *Traffic) { t.Script[0] = "C campaign x" }, "script[0]", "there is no client C: the workload has clients: 2"},
		"a signal":       {func(t *Traffic) { t.Script[2] = "signal end of script" }, "script[2]", "what the script itself signals"},
		"resumed":        {func(t *Traffic) { t.Script[1] = "B resume x C" }, "script[1]", `"C" is no role`},
		"resumed name":   {func(t *Traffic) { t.Script[1] = "B resume x c1" }, "script[1]", `"c1" is no role`},
		"sharer":         {func(t *Traffic) { t.Shared = map[string]string{"C": "A"} }, "shared", `there is no client "C"`},
		"owner":          {func(t *Traffic) { t.Shared = map[string]string{"A": "me"} }, "shared", `there is no client "me"`},
		"chain":          {func(t *Traffic) { t.Shared = map[string]string{"A": "B", "B": "A"} }, "shared", "A shares with B, which shares itself"},
		"without script": {func(t *Traffic) { t.Script = nil }, "shared", "it is for the roles of a script"},
		"dial timeout":   {func(t *Traffic) { t.DialTimeout = -1 }, "dial-timeout", "is negative"},
	} {
		bad := good
		bad.Script = append([]string(nil), good.Script...)
		test.spoil(&bad)
		found := false
		for _, m := range bad.Mistakes(history.Election) {
			found = found || m.Field == test.field && strings.Contains(m.Err.Error(), test.want)
		}
		if !found {
			t.Errorf("%s: %+v", name, bad.Mistakes(history.Election))
		}
	}
}
