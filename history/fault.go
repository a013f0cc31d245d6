package history

import (
	"strings"
	"time"
)

// Fault is the record of one fault.
type Fault struct {
	ID int64 `json:"id"`
	// Kind is the fault's name, for example "isolate-leader".
	Kind string `json:"fault"`
	// Target says who was hit, for example "m2" or "c3"; "" until injected.
	Target string `json:"target"`
	// Planned is when the schedule wanted it.
	Planned time.Duration `json:"planned"`
	// From and To bound the harm: To is zero while it lasts, and for good if it could
	// not be healed.
	From time.Duration `json:"from"`
	To   time.Duration `json:"to"`
	// Verified is true if the effect was seen; a fault that is not verified
	// counts as not injected. Evidence says what was seen, or why nothing was.
	Verified bool   `json:"verified"`
	Evidence string `json:"evidence"`
	// Entry is the number of the scenario's entry that planned it, from 1, and
	// When the moment for which it waited, in words; "" if it was timed.
	Entry int    `json:"entry,omitempty"`
	When  string `json:"when,omitempty"`
	// Unfired is true if that moment never came.
	Unfired bool `json:"unfired,omitempty"`
	// Uninjected is true if it was tried and could not be injected; Evidence says why.
	Uninjected bool `json:"uninjected,omitempty"`
	// Error is why it could not be healed: the harm may last.
	Error string `json:"error,omitempty"`
}

// MayEnd is true if the fault can be why a member has ended at time t that nobody
// ended, which may be as long as late after its healing: it ends of want of memory or
// room, or by a hook's commands, of which nobody knows what they do to whom.
func (f *Fault) MayEnd(member string, t, late time.Duration) bool {
	if f.From == 0 || f.From > t || f.To != 0 && t > f.To+late {
		return false
	}
	switch f.Kind {
	case "full-disk", "squeeze-memory":
		target, _, _ := strings.Cut(f.Target, " ")
		return target == member
	}
	return strings.HasPrefix(f.Kind, "hook/")
}

// NotInjected begins the Evidence of a fault that could not be injected; what follows
// is why.
const NotInjected = "not injected: "
