package history

import "time"

// EventKind says what an event tells.
type EventKind string

// The kinds of event.
const (
	// SessionOpened: Client has a session on Lease with time-to-live TTL.
	SessionOpened EventKind = "session"
	// Lost: Client was told that its session on Lease is over. If Heeded, it
	// stops believing in every hold on that lease at this instant.
	Lost EventKind = "lost"
	// Crashed: Client is dead. It believes nothing from this instant on. A Detail,
	// which begins with EndedUnasked or KilledUnasked, says that the run did not
	// kill it.
	Crashed EventKind = "crash"
	// Observed: the observation Operation delivered a leader: Value, Key,
	// Token (its create revision) and Revision (of the reply's header).
	Observed EventKind = "observed"
	// Leads: member Client became ("leader") or ceased to be ("follower",
	// "down") the leader of the cluster, by its own account; see Detail.
	Leads EventKind = "leads"
	// Ended: the server of member Client ended, and the run had not ended it. Detail
	// says how.
	Ended EventKind = "ended"
	// Signalled: the script of Subject's workload, or Client in it, gave the
	// signal named by Detail, for faults to heed.
	Signalled EventKind = "signal"
	// Renewed: Client was told that Lease was renewed, and TTL is for how long from
	// this instant it had to live at least: counted from when it was asked.
	Renewed EventKind = "renewed"
	// Disturbed: somebody else has changed or removed Key at Revision, by which a run has
	// its prefix in a store that it shares, and maybe all below it. Detail is which.
	Disturbed EventKind = "disturbed"
	// PhaseBegan: the run entered the phase named by Detail: PhaseLoad,
	// PhaseSurvivable, PhaseHealed, PhaseFinal or PhaseEnd.
	PhaseBegan EventKind = "phase"
)

// ScriptEnd is the Detail of the signal that a workload's script gives when all
// its steps were done: without it, the run did not do what it was for.
const ScriptEnd = "end of script"

// ScriptCut begins the Detail of the signal that a script gives when it ends
// before: what follows is the step at which it was.
const ScriptCut = "cut short at: "

// How the Detail of a client's death begins that the run did not cause: its
// process ended by itself, or somebody else killed it, as the kernel does where
// there is no memory left. What follows is how it ended, and what it said last.
const (
	EndedUnasked  = "ended by itself: "
	KilledUnasked = "killed by somebody else: "
)

// The phases of a run, in order.
const (
	// PhaseLoad: clients work and faults are injected.
	PhaseLoad = "load"
	// PhaseSurvivable comes right before PhaseHealed, if at all: the faults that
	// last now do so until the final phase. They leave a state in which clients
	// have to make progress all the same.
	PhaseSurvivable = "survivable"
	// PhaseHealed: every other fault is healed; each client makes one last round
	// over its objects, and nothing may stop it.
	PhaseHealed = "healed"
	// PhaseFinal: clients are done, sessions closed; the last state is read.
	PhaseFinal = "final"
	// PhaseEnd: the record is complete.
	PhaseEnd = "end"
)

// Event is something that happened to a client, a member or the run and is
// not a call. Fields that do not apply are zero.
type Event struct {
	Time    time.Duration
	Kind    EventKind
	Client  string
	Subject string
	Object  string
	Lease   int64
	TTL     time.Duration
	Heeded  bool
	// Operation is the operation that the event belongs to.
	Operation int64
	Value     string
	Key       string
	Token     int64
	Revision  int64
	Detail    string
}

// ofClient is true for what a client does, and not for what is done to it, or
// happens to members and the run.
func (e *Event) ofClient() bool {
	switch e.Kind {
	case Crashed, Leads, Ended, PhaseBegan, Renewed:
		return false
	}
	return e.Client != ""
}
