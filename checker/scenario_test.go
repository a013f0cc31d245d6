package checker

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// TestScenarios runs the text scenarios of testdata. A file holds several,
// each begun by "== name" and prose; times are milliseconds.
//
//	subject NAME PRIMITIVE ORIGIN [LAYOUT [PERMITS]] [scripted]
//	ID CLIENT KIND SUBJECT/OBJECT CALL..RETURN OUTCOME [key=value ...]   an operation; RETURN - is pending
//	session|lost|crash|phase|observed @TIME [key=value ...]              an event
//	signal @TIME SUBJECT TEXT                                            a script's
//	put|del REV @TIME KEY [key=value ...]                                a change; @A..B bounds it, @B dates it exactly
//	end REV @TIME lease=N                                                a lease's end
//	tick REV CALL..RETURN     gap A..B     through REV     no-log        the rest of the log
//	fault KIND TARGET FROM..TO [unverified] [unfired] [entry=N] [when=EVENT]
//	option NAME VALUE
//	cut @TIME                                                            the record ends here
//
// A scenario that is not cut ends 100 ms after its last line, where it gets the
// phases that it does not name and a last tick. Expectations follow:
//
//	=> SUBJECT PROPERTY VERDICT [BLAME[:ISSUE]]
//	=> run VERDICT EXIT
//	~ text that the sentence of the line above has, or a note of the run
//	! IDS           the witness of the property above
//	# FIGURE VALUE  of the property above
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scenarios", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range strings.Split("\n"+string(text), "\n== ")[1:] {
			name, body, _ := strings.Cut(part, "\n")
			t.Run(strings.TrimSuffix(filepath.Base(file), ".txt")+"/"+name, func(t *testing.T) {
				s := parseScenario(t, body)
				s.judge(t)
			})
		}
	}
}

type scenario struct {
	h        history.History
	options  Options
	wants    []string
	changes  []history.Change
	ends     []history.LeaseEnd
	ticks    []history.Tick
	gaps     []history.Gap
	through  int64
	noLog    bool
	isCut    bool
	cut      time.Duration
	creates  map[string]int64
	versions map[string]int64
	leases   map[string]int64
}

func millis(t *testing.T, s string) time.Duration {
	t.Helper()
	return time.Duration(number(t, s)) * time.Millisecond
}

func number(t *testing.T, s string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		t.Fatalf("number %q: %v", s, err)
	}
	return n
}

func parseScenario(t *testing.T, body string) *scenario {
	t.Helper()
	s := &scenario{creates: make(map[string]int64), versions: make(map[string]int64), leases: make(map[string]int64)}
	s.h.Header = history.Header{Version: history.FormatVersion, Prefix: "p/"}
	for _, line := range strings.Split(body, "\n") {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		switch words[0] {
		case "=>", "~", "#", "!":
			s.wants = append(s.wants, line)
		case "subject":
			info := history.SubjectInfo{Name: words[1], Primitive: history.Primitive(words[2]), Origin: history.Origin(words[3])}
			if n := len(words) - 1; words[n] == "scripted" {
				info.Scripted, words = true, words[:n]
			}
			if n := len(words) - 1; words[n] == "program" {
				info.Program, words = true, words[:n]
			}
			if len(words) > 4 {
				info.Layout = history.Layout(words[4])
			}
			if len(words) > 5 {
				info.Permits = int(number(t, words[5]))
			}
			s.h.Header.Subjects = append(s.h.Header.Subjects, info)
		case "session", "lost", "crash", "phase", "observed":
			s.event(t, words)
		case "signal":
			s.h.Events = append(s.h.Events, history.Event{
				Kind: history.Signalled, Time: millis(t, words[1][1:]), Subject: words[2], Detail: strings.Join(words[3:], " "),
			})
		case "put", "del", "end":
			s.change(t, words)
		case "tick":
			from, to, _ := strings.Cut(words[2], "..")
			s.ticks = append(s.ticks, history.Tick{Revision: number(t, words[1]), Call: millis(t, from), Return: millis(t, to)})
		case "gap":
			from, to, _ := strings.Cut(words[1], "..")
			s.gaps = append(s.gaps, history.Gap{From: number(t, from), Through: number(t, to)})
		case "through":
			s.through = number(t, words[1])
		case "no-log":
			s.noLog = true
		case "cut":
			s.isCut, s.cut = true, millis(t, words[1][1:])
		case "fault":
			from, to, _ := strings.Cut(words[3], "..")
			f := history.Fault{ID: int64(len(s.h.Faults) + 1), Kind: words[1], Target: words[2], From: millis(t, from), Verified: true}
			for _, w := range words[4:] {
				switch k, v, _ := strings.Cut(w, "="); k {
				case "unverified":
					f.Verified = false
				case "unfired":
					f.Verified, f.Unfired = false, true
				case "entry":
					f.Entry = int(number(t, v))
				case "when":
					f.When = v
				default:
					t.Fatalf("fault: %q", w)
				}
			}
			if to != "" {
				f.To = millis(t, to)
			}
			s.h.Faults = append(s.h.Faults, f)
		case "option":
			s.option(t, words)
		default:
			if words[0][0] >= '0' && words[0][0] <= '9' {
				s.operation(t, words)
			} // anything else is prose
		}
	}
	s.finish()
	return s
}

func (s *scenario) option(t *testing.T, words []string) {
	switch words[1] {
	case "strict":
		s.options.Strict = true
	case "known":
		s.options.Known = append([]string{}, words[2:]...)
	case "reproduces":
		s.options.Reproduces = append(s.options.Reproduces, Reproduction{words[2], words[3]})
	case "damage":
		s.options.Damage = append(s.options.Damage, words[2:]...)
	case "cut-short":
		s.options.CutShort = true
	case "notice-limit":
		s.options.NoticeLimit = millis(t, words[2])
	case "grace":
		s.options.Grace = millis(t, words[2])
	default:
		t.Fatalf("option %q", words[1])
	}
}

func (s *scenario) event(t *testing.T, words []string) {
	kind := words[0]
	e := history.Event{Kind: history.EventKind(kind)}
	for _, w := range words[1:] {
		k, v, _ := strings.Cut(w, "=")
		switch {
		case w[0] == '@':
			e.Time = millis(t, w[1:])
		case k == "lease":
			e.Lease = number(t, v)
		case k == "ttl":
			e.TTL = millis(t, v)
		case w == "heeded":
			e.Heeded = true
		case k == "op":
			e.Operation = number(t, v)
		case k == "subject":
			e.Subject = v
		case k == "value":
			e.Value = v
		case k == "key":
			e.Key = "p/" + v
		case k == "rev":
			e.Token = number(t, v)
		case k == "at":
			e.Revision = number(t, v)
		case kind == "phase":
			e.Detail = w
		case kind == "crash" && k == "ended":
			e.Detail = history.EndedUnasked + v
		case kind == "crash" && k == "killed":
			e.Detail = history.KilledUnasked + v
		default:
			e.Client = w
		}
	}
	s.h.Events = append(s.h.Events, e)
}

func (s *scenario) change(t *testing.T, words []string) {
	rev := number(t, words[1])
	low, high, bounded := strings.Cut(words[2][1:], "..")
	if !bounded {
		high = low
	}
	seen := millis(t, high)
	s.ticks = append(s.ticks, history.Tick{Revision: rev - 1, Call: millis(t, low), Return: history.Never})
	attributes := make(map[string]string)
	for _, w := range words[3:] {
		k, v, _ := strings.Cut(w, "=")
		attributes[k] = v
	}
	if words[0] == "end" {
		s.ends = append(s.ends, history.LeaseEnd{Lease: number(t, attributes["lease"]), Revision: rev, Time: seen})
		return
	}
	key := "p/" + words[3]
	c := history.Change{Revision: rev, Time: seen, Key: key, Deleted: words[0] == "del", Value: attributes["value"]}
	if c.Deleted {
		delete(s.creates, key)
		delete(s.versions, key)
	} else {
		if s.creates[key] == 0 {
			s.creates[key] = rev
		}
		if l := attributes["lease"]; l != "" {
			s.leases[key] = number(t, l)
		}
		s.versions[key]++
		c.Create, c.Version, c.Lease = s.creates[key], s.versions[key], s.leases[key]
	}
	s.changes = append(s.changes, c)
}

func (s *scenario) operation(t *testing.T, words []string) {
	subject, object, _ := strings.Cut(words[3], "/")
	if subject == "-" {
		subject = ""
	}
	call, back, _ := strings.Cut(words[4], "..")
	op := history.Operation{
		ID: number(t, words[0]), Client: words[1], Kind: history.Kind(words[2]), Subject: subject, Object: object, Call: millis(t, call),
	}
	if back != "-" {
		op.Return = millis(t, back)
	}
	if words[5] != "pending" {
		op.Outcome = history.Outcome(words[5])
	}
	for _, w := range words[6:] {
		k, v, _ := strings.Cut(w, "=")
		switch k {
		case "mode":
			op.Mode = history.Mode(v)
		case "lease":
			op.Lease = number(t, v)
		case "key":
			op.Key = "p/" + v
		case "rev":
			op.Token = number(t, v)
		case "hold":
			op.Hold = number(t, v)
		case "value":
			op.Value = v
		case "prior":
			op.Prior = v
		case "at":
			op.Revision = number(t, v)
		case "number":
			op.Number = number(t, v)
		case "requests":
			op.Requests = number(t, v)
		case "deadline":
			op.Deadline = millis(t, v)
		case "taken":
			op.Number = 1
		case "panic":
			op.Panicked = true
		case "breach":
			op.Breach, op.Error = v, v+": so it was"
		default:
			t.Fatalf("operation: %q", w)
		}
	}
	s.h.Operations = append(s.h.Operations, op)
}

func (s *scenario) finish() {
	var last time.Duration
	for _, op := range s.h.Operations {
		last = max(last, op.Call, op.Return)
	}
	for _, e := range s.h.Events {
		last = max(last, e.Time)
	}
	for _, c := range s.changes {
		last = max(last, c.Time)
	}
	s.h.End = last + 100*time.Millisecond
	if s.isCut {
		s.h.End = s.cut
	} else {
		last = s.h.End
		for _, name := range []string{history.PhaseHealed, history.PhaseFinal, history.PhaseEnd} {
			if _, named := s.h.Phase(name); !named {
				s.h.Events = append(s.h.Events, history.Event{Kind: history.PhaseBegan, Time: last, Detail: name})
			}
		}
	}
	if s.noLog {
		return
	}
	through := s.through
	if through == 0 {
		for _, c := range s.changes {
			through = max(through, c.Revision)
		}
		if !s.isCut {
			s.ticks = append(s.ticks, history.Tick{Revision: through, Call: s.h.End + 1, Return: s.h.End + 1})
		}
	}
	s.h.Revisions = history.NewRevisionLog(1, through, s.changes, s.ends, s.ticks, s.gaps)
}

func (s *scenario) judge(t *testing.T) {
	t.Helper()
	result := Check(&s.h, s.options)
	if len(s.wants) == 0 {
		t.Fatal("a scenario that expects nothing")
	}
	for i := range result.Properties {
		p := &result.Properties[i]
		for k := range p.Violations {
			wellNamed(t, p, &p.Violations[k])
		}
	}
	var current *Property
	told := func() string {
		text, _ := json.MarshalIndent(result, "", " ")
		return string(text)
	}
	for _, want := range s.wants {
		words := strings.Fields(want)
		switch words[0] {
		case "~":
			text := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(want), "~"))
			if current == nil {
				if notes := strings.Join(result.Notes, "\n"); !strings.Contains(notes, text) {
					t.Errorf("no note has %q:\n%s", text, notes)
				}
			} else if !strings.Contains(current.Sentence, text) {
				t.Errorf("sentence %q lacks %q", current.Sentence, text)
			}
		case "!":
			var got []string
			if len(current.Violations) > 0 {
				for _, id := range current.Violations[0].Witness {
					got = append(got, strconv.FormatInt(id, 10))
				}
			}
			if !slices.Equal(got, words[1:]) {
				t.Errorf("%s %s: witness %v, want %v", current.Subject, current.Property, got, words[1:])
			}
		case "#":
			if got := fmt.Sprint(current.Figures[words[1]]); got != words[2] {
				t.Errorf("%s %s: figure %s is %s, want %s", current.Subject, current.Property, words[1], got, words[2])
			}
		case "=>":
			current = nil
			if words[1] == "run" {
				if string(result.Verdict) != words[2] || strconv.Itoa(result.Exit) != words[3] {
					t.Errorf("run is %s, exit %d; want %s, exit %s\n%s", result.Verdict, result.Exit, words[2], words[3], told())
				}
				continue
			}
			for i := range result.Properties {
				if p := &result.Properties[i]; p.Subject == words[1] && p.Property == words[2] {
					current = p
				}
			}
			if words[3] == "absent" {
				if current != nil {
					t.Errorf("%s: there is a row: %+v", want, *current)
				}
				continue
			}
			if current == nil {
				t.Fatalf("%s: no such row in %s", want, told())
			}
			if string(current.Verdict) != words[3] {
				t.Errorf("%s %s is %s (%s), want %s", words[1], words[2], current.Verdict, current.Sentence, words[3])
			}
			got := ""
			if len(current.Violations) > 0 {
				v := current.Violations[0]
				got = string(v.Blame)
				if v.Known != "" {
					got += ":" + v.Known
				}
				if v.Sentence == "" || len(v.Witness) == 0 || v.To < v.From {
					t.Errorf("incomplete violation %+v", v)
				}
			}
			blame := ""
			if len(words) > 4 {
				blame = words[4]
			}
			if got != blame {
				t.Errorf("%s %s: blame %q, want %q: %s", words[1], words[2], got, blame, current.Sentence)
			}
		}
	}
	if again := Check(&s.h, s.options); fmt.Sprintf("%+v", again) != fmt.Sprintf("%+v", result) {
		t.Error("a second check of the same history gave another result")
	}
}
