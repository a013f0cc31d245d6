package workloads

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// Step is one line of a script: something that the client of one role does, or
// that the script waits for.
type Step struct {
	// Role is the client: "A" is the first of its workload, "B" the second, to
	// "Z". It is "" where the script itself does something.
	Role, Verb string
	// Object is what the verb is done to, Value what else it takes.
	Object, Value string
	// Within is how long the call may take, zero the verb's own time; Cancel
	// ends it by cancellation instead of by deadline.
	Within time.Duration
	Cancel bool
	// Background lets the script go on before the step has ended.
	Background bool

	line string
}

// String is the line that the step was read from.
func (s Step) String() string { return s.line }

// The verbs that every script has. What the others do is said in the file of
// the primitive.
const (
	verbSleep   = "sleep"   // sleep 2s
	verbUntil   = "until"   // until healed compact; B until created
	verbSignal  = "signal"  // signal ready; B signal ready
	verbJoin    = "join"    // B join: until the role's steps in the background have ended
	verbCrash   = "crash"   // B crash: the client dies without a goodbye
	verbSession = "session" // B session: it opens its session
	verbClose   = "close"   // B close: it closes its session

	verbWork   = "work"   // B work x 50ms: it works under its hold
	verbResume = "resume" // B resume x A: it goes on with A's leadership
)

// verb says what a verb takes besides a role.
type verb struct {
	name          string
	object, value bool
	// optional is true if the value may be left out.
	optional bool
}

// verbsOf lists the verbs of a primitive's scripts, besides those that every
// script has.
func verbsOf(p history.Primitive) []verb {
	switch p {
	case history.Mutex:
		return []verb{{name: "acquire", object: true}, {name: "try-acquire", object: true}, {name: verbWork, object: true, value: true, optional: true}, {name: "release", object: true}}
	case history.Semaphore:
		return []verb{{name: "acquire", object: true}, {name: verbWork, object: true, value: true, optional: true}, {name: "release", object: true}}
	case history.Service:
		return []verb{{name: "run", object: true, value: true, optional: true}}
	case history.Bank:
		return []verb{{name: "transfer", object: true}, {name: "audit", object: true}}
	case history.Register:
		return []verb{{name: "get", object: true}, {name: "put", object: true}, {name: "compare-and-set", object: true}}
	case history.RWMutex:
		return []verb{{name: "acquire", object: true}, {name: "acquire-read", object: true}, {name: verbWork, object: true, value: true, optional: true}, {name: "release", object: true}, {name: "release-read", object: true}}
	case history.Queue:
		return []verb{{name: "enqueue", object: true}, {name: "dequeue", object: true}}
	case history.PriorityQueue:
		return []verb{{name: "enqueue", object: true, value: true, optional: true}, {name: "dequeue", object: true}}
	case history.Barrier:
		return []verb{{name: "block", object: true}, {name: "unblock", object: true}, {name: "pass", object: true}}
	case history.DoubleBarrier:
		return []verb{{name: "enter", object: true}, {name: "leave", object: true}}
	case history.Election:
		return []verb{{name: "campaign", object: true}, {name: "proclaim", object: true}, {name: "resign", object: true},
			{name: "leader", object: true}, {name: "observe", object: true}, {name: verbResume, object: true, value: true}, {name: verbWork, object: true, value: true, optional: true}}
	}
	return nil
}

// ParseStep reads a line of a script on a primitive:
//
//	ROLE VERB [OBJECT] [VALUE] [within DURATION | cancelled after DURATION] [&]
//	sleep DURATION
//	[ROLE] until EVENT [within DURATION]
//	[ROLE] signal NAME
//
// "&" lets the script go on at once. Roles are A to Z.
func ParseStep(p history.Primitive, line string) (Step, error) {
	s := Step{line: line}
	words := strings.Fields(line)
	if n := len(words); n > 0 && words[n-1] == "&" {
		s.Background, words = true, words[:n-1]
	}
	if n := len(words); n >= 3 && words[n-2] == "within" {
		return s, s.parse(p, words[:n-2], words[n-1])
	} else if n >= 4 && words[n-3] == "cancelled" && words[n-2] == "after" {
		s.Cancel = true
		return s, s.parse(p, words[:n-3], words[n-1])
	}
	return s, s.parse(p, words, "")
}

func (s *Step) parse(p history.Primitive, words []string, within string) error {
	if within != "" {
		d, err := time.ParseDuration(within)
		if err != nil || d <= 0 {
			return fmt.Errorf("%q is not a duration such as 500ms or 2s", within)
		}
		s.Within = d
	}
	if len(words) == 0 {
		return errors.New("the step is empty")
	}
	if _, ok := RoleIndex(words[0]); ok {
		s.Role, words = words[0], words[1:]
	}
	if len(words) == 0 {
		return fmt.Errorf("%s has nothing to do; it can %s", s.Role, known(p))
	}
	s.Verb, words = words[0], words[1:]
	if within != "" && slices.Contains([]string{verbSleep, verbSignal, verbJoin, verbCrash, verbSession, verbClose, verbWork, verbResume}, s.Verb) {
		return fmt.Errorf("%s takes no time to end within", s.Verb)
	}
	if s.Background && slices.Contains([]string{verbSleep, verbUntil, verbSignal, verbJoin, verbCrash}, s.Verb) {
		return fmt.Errorf("%s is done by the script itself and cannot be in the background", s.Verb)
	}
	switch s.Verb {
	case verbSleep:
		if len(words) != 1 || s.Role != "" {
			return errors.New("sleep takes a duration, as in: sleep 2s")
		}
		d, err := time.ParseDuration(words[0])
		s.Within = d
		if err != nil || d <= 0 {
			return fmt.Errorf("%q is not a duration such as 500ms or 2s", words[0])
		}
		return nil
	case verbUntil, verbSignal:
		if len(words) == 0 {
			return fmt.Errorf("%s takes an event, as in: B until created, B signal ready", s.Verb)
		}
		s.Value = strings.Join(words, " ")
		return nil
	}
	if s.Role == "" {
		return fmt.Errorf("%q is not done by anybody; begin with a role, A to Z, as in: A %s", s.line, s.Verb)
	}
	switch s.Verb {
	case verbJoin, verbCrash, verbSession, verbClose:
		if len(words) > 0 {
			return fmt.Errorf("%s takes nothing more, and there is %q", s.Verb, strings.Join(words, " "))
		}
		return nil
	}
	return s.parseVerb(p, words)
}

func (s *Step) parseVerb(p history.Primitive, words []string) error {
	verbs := verbsOf(p)
	i := slices.IndexFunc(verbs, func(v verb) bool { return v.name == s.Verb })
	if i < 0 {
		return fmt.Errorf("a client of a %s cannot %q; it can %s", p, s.Verb, known(p))
	}
	v := verbs[i]
	if v.object {
		if len(words) == 0 {
			return fmt.Errorf("%s needs an object, as in: %s %s x", s.Verb, s.Role, s.Verb)
		}
		s.Object, words = words[0], words[1:]
		if !objectForm.MatchString(s.Object) {
			return fmt.Errorf("%q cannot be an object's name: letters, digits, dots, dashes, underscores and slashes within", s.Object)
		}
	}
	switch {
	case v.value && len(words) == 1:
		s.Value = words[0]
	case v.value && !v.optional && len(words) == 0:
		return fmt.Errorf("%s needs a value", s.Verb)
	case len(words) > 0:
		return fmt.Errorf("%s does not take %q", s.Verb, strings.Join(words, " "))
	}
	if s.Verb == verbWork && s.Value != "" {
		if d, err := time.ParseDuration(s.Value); err != nil || d <= 0 {
			return fmt.Errorf("%q is not a duration such as 500ms or 2s", s.Value)
		}
	}
	return nil
}

// known lists the verbs that a client of a primitive can do.
func known(p history.Primitive) string {
	names := []string{verbUntil, verbSignal, verbJoin, verbCrash, verbSession, verbClose}
	for _, v := range verbsOf(p) {
		names = append(names, v.name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// Awaited is the event that the step waits for, or "".
func (s Step) Awaited() string {
	if s.Verb == verbUntil {
		return s.Value
	}
	return ""
}

// RoleIndex returns the place of a role's client among those of its workload.
func RoleIndex(role string) (int, bool) {
	if len(role) != 1 || role[0] < 'A' || role[0] > 'Z' {
		return 0, false
	}
	return int(role[0] - 'A'), true
}
