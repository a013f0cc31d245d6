package faults

import (
	"fmt"
	"strings"
	"time"
)

// Trigger lets a fault wait for something to happen to a client of a subject,
// which is then its victim.
type Trigger struct {
	// Subject names one or several subjects. The entry is carried out for each of
	// them by itself.
	Subject Names `yaml:"subject"`
	// Client is the role of the only client that counts: "A" is the first of the
	// subject's, "B" the second. Its replacement has the same role. "" is any
	// client of the subject.
	Client string `yaml:"client,omitempty"`
	// Event is what has to happen, and Nth which time it has to be, from 1.
	// It is counted from the beginning of the run, or from when After happened
	// first; and again from the end of the entry's fault before.
	Event string `yaml:"event"`
	Nth   int    `yaml:"nth,omitempty"`
	After string `yaml:"after,omitempty"`
	// Longer is how long a Waiting or Holding has to last.
	Longer time.Duration `yaml:"longer,omitempty"`
}

// Names is a name or a list of names.
type Names []string

// UnmarshalYAML reads either.
func (n *Names) UnmarshalYAML(unmarshal func(any) error) error {
	var one string
	if err := unmarshal(&one); err == nil {
		*n = Names{one}
		return nil
	}
	return unmarshal((*[]string)(n))
}

// MarshalYAML writes one name without a list.
func (n Names) MarshalYAML() (any, error) {
	if len(n) == 1 {
		return n[0], nil
	}
	return []string(n), nil
}

// Roles is how many clients of a subject can have a role.
const Roles = 26

// Role returns which client of its subject a role is, from 0, and false if
// there is no such role.
func Role(name string) (int, bool) {
	if len(name) != 1 || name[0] < 'A' || name[0] >= 'A'+Roles {
		return 0, false
	}
	return int(name[0] - 'A'), true
}

// moment describes what the trigger waits for in one subject.
func (t *Trigger) moment(subject string) string {
	who := "a client of " + subject
	if t.Client != "" {
		who = "client " + t.Client + " of " + subject
	}
	var b strings.Builder
	if t.Event == Waiting || t.Event == Holding {
		fmt.Fprintf(&b, "%s is %s for longer than %v", who, t.Event, t.Longer)
		if t.Nth > 1 {
			fmt.Fprintf(&b, ", %s", ordinal(t.Nth))
		}
	} else {
		fmt.Fprintf(&b, "%s: %s, %s", who, t.Event, ordinal(max(t.Nth, 1)))
	}
	if t.After != "" {
		fmt.Fprintf(&b, " after %s", t.After)
	}
	return b.String()
}

func ordinal(n int) string {
	ending := "th"
	if n%100 < 11 || n%100 > 13 {
		switch n % 10 {
		case 1:
			ending = "st"
		case 2:
			ending = "nd"
		case 3:
			ending = "rd"
		}
	}
	return fmt.Sprintf("%d%s", n, ending)
}
