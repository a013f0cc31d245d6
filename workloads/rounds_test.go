package workloads

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/quantity"
)

func TestDecisionsAreWrittenShortAndRead(t *testing.T) {
	for line, want := range map[string]Decision{
		"0":                        {Objects: []int{0}, Mode: history.WriteMode},
		"0 try hold 5ms":           {Objects: []int{0}, Mode: history.WriteMode, Try: true, Hold: 5 * time.Millisecond},
		"1 resume":                 {Objects: []int{1}, Mode: history.WriteMode, Resume: true},
		"0 proclaims 2":            {Objects: []int{0}, Mode: history.WriteMode, Proclaims: 2},
		"0 draw 0.25 choice 0.75":  {Objects: []int{0}, Mode: history.WriteMode, Draw: 0.25, Choice: 0.75},
		"1 impatient 300ms cancel": {Objects: []int{1}, Mode: history.WriteMode, Impatience: 300 * time.Millisecond, Cancel: true},
		"3 patience 8.000000001s":  {Objects: []int{3}, Mode: history.WriteMode, Patience: 8*time.Second + 1},
		"0,1 hold 1ms keep":        {Objects: []int{0, 1}, Mode: history.WriteMode, Hold: time.Millisecond, Keep: true},
		"0,1 read hold 120ms guard think 3ms patience 9s": {
			Objects: []int{0, 1}, Mode: history.ReadMode, Hold: 120 * time.Millisecond, Guard: true, Think: 3 * time.Millisecond, Patience: 9 * time.Second,
		},
	} {
		got, err := ParseDecision(line)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q is read as %+v, %v", line, got, err)
		}
		if want.String() != line {
			t.Errorf("%+v is written as %q, want %q", want, want.String(), line)
		}
	}
	// The order of the words is free.
	got, err := ParseDecision("  0   keep hold 1ms  try ")
	if want := (Decision{Objects: []int{0}, Mode: history.WriteMode, Keep: true, Hold: time.Millisecond, Try: true}); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
}

// Every field, each to its last bit.
func TestAnyDecisionIsReadAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		length := func(name string) time.Duration {
			return time.Duration(rapid.Int64Range(0, int64(3*time.Hour)).Draw(t, name))
		}
		share := rapid.Float64Range(0, 0.9999999999)
		flag := rapid.Bool()
		want := Decision{
			Objects: []int{rapid.IntRange(0, 9).Draw(t, "object")}, Mode: rapid.SampledFrom([]history.Mode{history.ReadMode, history.WriteMode}).Draw(t, "mode"),
			Try: flag.Draw(t, "try"), Patience: length("patience"), Impatience: length("impatience"), Cancel: flag.Draw(t, "cancel"),
			Hold: length("hold"), Guard: flag.Draw(t, "guard"), Proclaims: rapid.IntRange(0, 9).Draw(t, "proclaims"), Resume: flag.Draw(t, "resume"),
			Draw: share.Draw(t, "draw"), Choice: share.Draw(t, "choice"), Think: length("think"), Keep: flag.Draw(t, "keep"),
		}
		if flag.Draw(t, "several") {
			want.Objects = append(want.Objects, want.Objects[0]+rapid.IntRange(1, 9).Draw(t, "more"))
		}
		got, err := ParseDecision(want.String())
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q is read as\n%+v, not\n%+v\n%v", want, got, want, err)
		}
	})
}

func TestAPauseIsARoundWithoutObjects(t *testing.T) {
	const line = "- think 500ms"
	d, err := ParseDecision(line)
	if err != nil || len(d.Objects) > 0 || d.Think != 500*time.Millisecond || d.String() != line {
		t.Errorf("%+v, %v, written %q", d, err, d)
	}
	traffic := DefaultTraffic()
	traffic.Clients, traffic.TTL, traffic.OnLoss, traffic.Rounds = 1, time.Second, Stop, Rounds{"c1": {line}}
	if m := traffic.Mistakes(history.Mutex); len(m) > 0 {
		t.Errorf("%v", m)
	}
	if planned, _ := Planned(1, "c1", &traffic)(); !reflect.DeepEqual(planned, d) {
		t.Errorf("%+v", planned)
	}
}

// A field that is added to Decision has to be written too.
func TestEveryFieldOfADecisionIsWritten(t *testing.T) {
	base := Decision{Objects: []int{0}, Mode: history.WriteMode}
	for i := range reflect.TypeFor[Decision]().NumField() {
		d := base
		f := reflect.ValueOf(&d).Elem().Field(i)
		switch f.Kind() {
		case reflect.Bool:
			f.SetBool(true)
		case reflect.Int, reflect.Int64:
			f.SetInt(1)
		case reflect.Float64:
			f.SetFloat(0.5)
		case reflect.String:
			f.SetString(string(history.ReadMode))
		case reflect.Slice:
			d.Objects = []int{1}
		}
		if d.String() == base.String() {
			t.Errorf("%s is not written", reflect.TypeFor[Decision]().Field(i).Name)
		}
	}
}

func TestWhatIsNoRoundIsRefused(t *testing.T) {
	for line, want := range map[string]string{
		"":                  "the round is empty",
		"hold 5ms":          `"hold" is not a list of objects`,
		"0,x":               `"0,x" is not a list of objects`,
		"-1":                `"-1" is not a list of objects`,
		"-":                 `"-" is no pause, which is written: - think 500ms`,
		"- hold 5ms":        `"- hold 5ms" is no pause`,
		"- think 5":         `think "5" is not a duration`,
		"1,0":               "the objects 1,0 do not rise",
		"1,1":               "the objects 1,1 do not rise",
		"0 hold":            "hold needs a value",
		"0 hold 5":          `hold "5" is not a duration`,
		"0 think -5ms":      `think "-5ms" is not a duration`,
		"0 try try":         "try is there twice",
		"0 hold 1s hold 2s": "hold is there twice",
		"0 draw 1":          `draw "1" is not a number from 0 to less than 1`,
		"0 choice NaN":      `choice "NaN" is not a number`,
		"0 proclaims -1":    `proclaims "-1" is not a number from 0 to 1000`,
		"0 sleep 1s":        `"sleep" is nothing that a round can say; these are: read, try, guard`,
	} {
		if _, err := ParseDecision(line); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", line, err, want)
		}
	}
}

func TestMistakesInRoundsAreNamed(t *testing.T) {
	traffic := DefaultTraffic()
	traffic.Clients, traffic.TTL, traffic.OnLoss = 2, time.Second, Stop
	traffic.Rounds = Rounds{"c1": {"0", "0,2 hold 1ms"}, "c2": {"0 flee"}}
	traffic.Script = []string{"A acquire x"}
	var got []string
	for _, m := range traffic.Mistakes(history.Mutex) {
		got = append(got, m.Field+": "+m.Err.Error())
	}
	all := strings.Join(got, "\n")
	for _, want := range []string{
		"rounds: there is a script; clients do one or the other",
		"rounds.c1[1]: there is no object 2: the workload has keys: 2, and they are numbered from 0",
		`rounds.c2[0]: "flee" is nothing that a round can say`,
	} {
		if !strings.Contains(all, want) {
			t.Errorf("not named: %s\n%s", want, all)
		}
	}
	if len(got) != 3 {
		t.Errorf("%d mistakes:\n%s", len(got), all)
	}
}

func TestWrittenRoundsAreWhatAClientDoes(t *testing.T) {
	traffic := DefaultTraffic()
	traffic.Rounds = Rounds{"c1": {"1 try", "0 patience 3s"}}
	next := Planned(7, "c1", &traffic)
	first, _ := next()
	second, more := next()
	_, third := next()
	if !first.Try || first.Patience != traffic.Patience.Max || second.Patience != 3*time.Second || !more || third {
		t.Errorf("%+v, %+v, %t, %t", first, second, more, third)
	}
	if _, more := Planned(7, "c2", &traffic)(); more {
		t.Error("a client without rounds makes one")
	}
	traffic.Rounds = nil
	drawn, planned := Decisions(7, "c1", &traffic), Planned(7, "c1", &traffic)
	for range 20 {
		if d, more := planned(); !more || !reflect.DeepEqual(d, drawn()) {
			t.Fatal("without written rounds the decisions are not those that the seed draws")
		}
	}
}

// Keeping sessions has a stream of its own.
func TestKeepingSessionsShiftsNoOtherDecision(t *testing.T) {
	careful, careless := DefaultTraffic(), DefaultTraffic()
	careless.KeepSession = quantity.Share(0.5)
	a, b := Decisions(7, "c1", &careful), Decisions(7, "c1", &careless)
	kept := 0
	for range 200 {
		x, y := a(), b()
		if y.Keep {
			kept++
		}
		if y.Keep = false; !reflect.DeepEqual(x, y) {
			t.Fatalf("%+v\n%+v", x, y)
		}
	}
	if kept < 60 || kept > 140 {
		t.Errorf("%d of 200 rounds keep their session", kept)
	}
}
