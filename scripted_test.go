package holdfast

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/workloads"
)

const scriptedText = `name: scripted
summary: A mutex whose answer is lost.
duration: 20s
cluster: {members: 1}
clients: {ttl: 5s, on-loss: watchdog}
workloads:
  - subject: mutex
    clients: 3
    dial-timeout: 6s
    shared: {C: A}
    script: &script
      - A acquire x
      - B acquire x within 1s &
      - B until created within 5s
      - until healed compact
      - until injected compact
      - C until ok acquire
      - signal over
  - {subject: mutex-checked, clients: 3, script: *script}
faults:
  - {when: {subject: [mutex, mutex-checked], event: signal over}, fault: compact}
expect: {reproduces: {mutex: [lost-lock-keeps-key, etcd#22082]}}
`

func TestAScriptedScenarioSurvivesItsOwnYAML(t *testing.T) {
	s, err := ParseScenario("scripted.yaml", []byte(scriptedText))
	if err != nil {
		t.Fatal(err)
	}
	w := s.Workloads[0]
	if len(w.Script) != 7 || w.Script[1] != "B acquire x within 1s &" || w.Shared["C"] != "A" || w.DialTimeout != 6*time.Second ||
		w.OnLoss != workloads.Watchdog || w.Observers != 0 {
		t.Errorf("%+v", w)
	}
	if got := s.Workloads[1].Script; !reflect.DeepEqual(got, w.Script) {
		t.Errorf("the second script is %q", got)
	}
	if got := s.Expect.Reproduces["mutex"]; !reflect.DeepEqual(got, []string{"lost-lock-keeps-key", "etcd#22082"}) {
		t.Errorf("it reproduces %q", got)
	}
	text, err := s.YAML()
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseScenario("again", text)
	if err != nil || !reflect.DeepEqual(s, again) {
		t.Errorf("%v\n%+v\n%+v", err, s, again)
	}
}

func TestEveryMistakeOfAScriptedScenarioIsNamed(t *testing.T) {
	for name, test := range map[string]struct {
		from, to string
		want     []string
	}{
		"step":            {"A acquire x\n", "A campaign x\n", []string{`scripted.yaml:12: workloads[0].script[0]: a client of a mutex cannot "campaign"; it can acquire`}},
		"role":            {"signal over\n", "D release x\n", []string{"workloads[0].script[6]: there is no client D: the workload has clients: 3"}},
		"no event":        {"until healed compact", "until better times", []string{`workloads[0].script[3]`, `injected FAULT, healed FAULT`}},
		"no fault":        {"until healed compact", "until healed explode", []string{`workloads[0].script[3]: there is no fault "explode"; see: holdfast list faults`}},
		"event of faults": {"B until created within 5s", "B until waiting", []string{"script[2]: waiting is for faults only"}},
		"event on links":  {"B until created within 5s", "B until answer Txn", []string{"script[2]: answer Txn is for faults only"}},
		"own signal":      {"signal over\n", "signal end of script\n", []string{"what the script itself signals at its end"}},
		"shared":          {"shared: {C: A}", "shared: {C: X}", []string{`workloads[0].shared: there is no client "X"`}},
		"shared alone":    {"script: *script}", "shared: {B: A}}", []string{"workloads[1].shared: it is for the roles of a script"}},
		"dial timeout":    {"dial-timeout: 6s", "dial-timeout: -6s", []string{"workloads[0].dial-timeout: -6s is negative"}},
		"on-loss":         {"on-loss: watchdog", "on-loss: bark", []string{`"bark" is none of stop, ignore, mixed, watchdog`}},
		"no workload": {"reproduces: {mutex:", "reproduces: {election:", []string{
			`scripted.yaml:22: expect.reproduces: "election" has no workload; these have: mutex, mutex-checked`,
		}},
		"no defect": {"[lost-lock-keeps-key, etcd#22082]", "[lost-keys]", []string{
			`expect.reproduces: "lost-keys" of mutex is no defect that holdfast recognises; these are: etcd#19597`, "session-done-late",
		}},
		"none": {"[lost-lock-keeps-key, etcd#22082]", "[]", []string{"expect.reproduces: it names no defect of mutex; these can be found: etcd#19597"}},
		"not known": {"expect: {", "expect: {known: [etcd#22082], ", []string{
			`expect.reproduces: "lost-lock-keeps-key" of mutex is to be found, and expect.known does not accept it as known`,
		}},
	} {
		text := strings.Replace(scriptedText, test.from, test.to, 1)
		_, err := ParseScenario("scripted.yaml", []byte(text))
		var mistakes *ScenarioError
		if text == scriptedText || !errors.As(err, &mistakes) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, want := range test.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q is not named:\n%v", name, want, err)
			}
		}
	}
}
