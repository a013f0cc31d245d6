package history

import "time"

// Fault is the record of one fault.
type Fault struct {
	ID int64 `json:"id"`
	// Kind is the fault's name, for example "isolate-leader".
	Kind string `json:"fault"`
	// Target says who was hit, for example "m2" or "c3"; "" until injected.
	Target string `json:"target"`
	// Planned is when the schedule wanted it.
	Planned time.Duration `json:"planned"`
	// From and To bound the harm: To is zero while it lasts.
	From time.Duration `json:"from"`
	To   time.Duration `json:"to"`
	// Verified is true if the effect was seen; a fault that is not verified
	// counts as not injected. Evidence says what was seen, or why nothing was.
	Verified bool   `json:"verified"`
	Evidence string `json:"evidence"`
	// Error is what went wrong while injecting or healing.
	Error string `json:"error,omitempty"`
}
