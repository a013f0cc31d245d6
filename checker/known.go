package checker

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// KnownIssue describes an upstream defect that this package recognises.
type KnownIssue struct {
	// Issue is what Violation.Known and Options.Known call it.
	Issue, Name, Explanation string
}

// KnownIssues lists what Violation.Known can be. Defects that have no issue of
// etcd's are named.
func KnownIssues() []KnownIssue {
	var issues []KnownIssue
	for _, m := range mechanisms() {
		issues = append(issues, m.KnownIssue)
	}
	return append(issues, []KnownIssue{
		{"etcd#14370", "a single member loses what it acknowledged", "a cluster of one member applies and acknowledges entries while it still writes them to its log; killed before they are written, it has lost them (up to 3.5.4)"},
		{"etcd#12528", "an old leader revokes leases that live", "a leader that is parted from the others asks to revoke the leases that ended by its account; what it asked for when it knew no leader any more is sent to the next one as soon as it is back, though that had given the leases their whole time once more (the check of leadership that 3.5.13 brought is left out by a member that is not stuck)"},
		{"etcd#15247", "a leader that was kept from its log revokes leases that live", "a leader whose disk stalls goes on counting leases when another leads; those that ended by its account are revoked when it goes on (up to 3.5.12)"},
		{"etcd#18089", "a watch misses a deletion at the compacted revision", "a compaction at the revision at which a key was deleted takes that deletion away; a watch that begins there is granted all the same, and is not told (up to 3.5.15)"},
		{"etcd#19179", "a watch misses a deletion at the compacted revision after a restart", "a member that is restarted while a compaction at the revision of a deletion is not finished takes that deletion away; a watch that begins there is granted all the same, and is not told (up to 3.5.17)"},
		{"etcd#22082", "a late Unlock deletes a newer lock", "Unlock deletes its key by name; one that is made again after a lost answer deletes the key of a later lock on the same session"},
		{"lost-lock-keeps-key", "Lock whose answer is lost keeps its key", "Lock returns the error of its first request and forgets the key that this may have made; Unlock then says that the lock was released"},
		{"lost-rwlock-keeps-key", "RWMutex whose answer is lost keeps its key", "Lock and RLock return the error of their first request and forget the key that this may have made, whose name is new each time; everybody else, the same client too, waits for it as long as the session lives"},
		{"lost-campaign-keeps-key", "Campaign whose answer is lost leads unknowingly", "Campaign returns the error of its first request and forgets the key that this may have made; Resign then does nothing and says nil"},
		{"proclaim-after-lost-answer", "Proclaim refuses a leader", "after a Campaign whose answer was lost the candidate's key leads, and Proclaim says that it does not"},
		{"try-lock-deletes-waiter", "TryLock takes a waiter's key", "a TryLock that fails deletes its session's key, which is also that of a Lock that waits on the same session"},
		{"try-lock-ghost", "TryLock leaves its key", "a TryLock that fails to delete its key leaves it in the line, where it becomes the owner"},
		{"etcd#22123", "Resign forgets a leadership that it did not end", "a Resign whose request fails forgets the leadership all the same; the next one does nothing and says nil"},
		{"etcd#21128", "Campaign leaves its key after a compaction", "a Campaign whose watch fails with ErrCompacted returns that and leaves its key in the line"},
		{"etcd#10297", "ResumeElection sees foreign keys", "NewElection adds a / to its prefix and ResumeElection does not, so that it takes keys of elections whose name begins like its own for its leaders, and campaigns with a key beside those of its own"},
		{"etcd#18163", "Observe ends silently", "an observation whose watch fails with ErrCompacted closes its channel without a word"},
		{"rwmutex-unlock-twice", "RWMutex forgets a key that it did not delete", "an Unlock whose request fails forgets the key; the next one says nil and the key stays"},
		{"rwmutex-unlock-panics", "RWMutex.Unlock panics without a lock", "Unlock and RUnlock use the key of a lock call without looking whether there was one"},
		{"rwmutex-waiter-spins", "a waiter of RWMutex spins after a compaction", "the watch for which Lock and RLock wait begins at the revision of the key before; once that is compacted it ends at once, and the call opens the next without a pause"},
		{"mutex-waits-for-neighbours", "a mutex waits for keys of another", "the mutex a looks at all keys below a/, and so waits for the holder of the mutex a/b"},
		{"mutex-shared-session", "two mutexes of one session both hold", "a mutex's key is named after its session: two objects on one session have one key, and both take it for theirs"},
		{"session-done-late", "Session.Done comes after the next holder", "the client finds its lease ended when its own clock says so, counted from the last answer that it received, and not before etcd gives the lock to the next"},
		{"session-done-dial-timeout", "Session.Done waits for DialTimeout", "as long as no keepalive was answered, the client counts the lease from its DialTimeout and a second instead of its time-to-live"},
	}...)
}

// knownAs is issue if the subject is etcd's own and the issue is accepted as
// known, else "".
func (r *record) knownAs(s *subject, issue string) string {
	if s.Origin != history.FromEtcd || r.o.Known != nil && !slices.Contains(r.o.Known, issue) {
		return ""
	}
	return issue
}

// mechanism is a known upstream defect: how to recognise it, not just where it
// shows. Only subjects that are etcd's own can have one, and a user's that is
// built on them.
type mechanism struct {
	KnownIssue
	// primitives and kinds are where it lives, property what it breaks, and also
	// what else shows it.
	property   string
	also       []string
	primitives []history.Primitive
	kinds      []history.Kind
	// uncorrected is true if it is not for a user who builds on the recipe to
	// mend.
	uncorrected bool
	// match looks at the cause.
	match func(r *record, op *history.Operation, t *tenure) bool
}

func mechanisms() []mechanism {
	return slices.Concat(lockMechanisms(), meetingMechanisms())
}

func lockMechanisms() []mechanism {
	return []mechanism{
		{
			KnownIssue: KnownIssue{"etcd#19597", "campaign wins without its key",
				"Campaign waits for older keys to go and does not look whether its own is still there"},
			property:   Ownership,
			primitives: []history.Primitive{history.Election}, kinds: []history.Kind{history.Campaign},
			match: lostItsKeyWaiting,
		},
		{
			KnownIssue: KnownIssue{"etcd#16221", "rwmutex is granted without its key",
				"Lock and RLock wait for older keys to go and do not look whether their own is still there"},
			property:   Ownership,
			primitives: []history.Primitive{history.RWMutex}, kinds: []history.Kind{history.Acquire},
			match: lostItsKeyWaiting,
		},
		{
			KnownIssue: KnownIssue{"etcd#11456", "lock is granted without its key",
				"the lock service waits for older keys to go and does not look whether its caller's own is still there (before 3.5)"},
			property:   Ownership,
			primitives: []history.Primitive{history.Mutex}, kinds: []history.Kind{history.Acquire},
			// The server's: the client's own Lock of this version looks.
			match: func(r *record, op *history.Operation, t *tenure) bool {
				return op.Subject == lockService && lostItsKeyWaiting(r, op, t)
			},
		},
		{
			KnownIssue: KnownIssue{"etcd#18082", "acquire outlives its context",
				"after its context ends the call deletes its key with the client's own context, which has no end while etcd is out of reach"},
			property:   Contract,
			primitives: []history.Primitive{history.Mutex, history.Election, history.Service}, kinds: []history.Kind{history.Acquire, history.Campaign},
			uncorrected: true,
			match: func(r *record, op *history.Operation, _ *tenure) bool {
				return !op.Panicked && r.harmed(op.Client, op.Call, r.ended(op))
			},
		},
		{
			KnownIssue: KnownIssue{"late-resign-deletes-key", "a late Resign deletes the key of a newer campaign",
				"a Campaign that gives up resigns, by a key that is named after the session; if that is done late, and its answer lost, it takes the key that a later Campaign of the session goes on with"},
			property: Ownership, also: []string{Exclusion},
			primitives: []history.Primitive{history.Election}, kinds: []history.Kind{history.Campaign},
			match: resignedByAnEarlierCall,
		},
		{
			KnownIssue: KnownIssue{"v3lock-late-clean-up", "a cancelled Lock deletes the key of the next one",
				"the lock service cleans up after a Lock that was cancelled when its caller may have locked again with the same lease: it deletes the key by name"},
			property:   Exclusion,
			primitives: []history.Primitive{history.Mutex}, kinds: []history.Kind{history.Acquire},
			match: lostItsKeyToAnEarlierCall,
		},
	}
}

// lockService is the subject that is etcd's lock service.
const lockService = "v3lock"

// known returns the issue that describes what happened to op, or "".
func (r *record) known(s *subject, property string, op *history.Operation, t *tenure) string {
	for _, m := range mechanisms() {
		etcds := s.Origin == history.FromEtcd || m.uncorrected && s.Origin == history.FromUser && r.namedByRecipe(s, op)
		if !etcds {
			continue
		}
		if (m.property == property || slices.Contains(m.also, property)) && slices.Contains(m.primitives, s.Primitive) && slices.Contains(m.kinds, op.Kind) &&
			(r.o.Known == nil || slices.Contains(r.o.Known, m.Issue)) && m.match(r, op, t) {
			return m.Issue
		}
	}
	return ""
}

// namedByRecipe is true if the client had a key on the object during the call
// that is named as etcd's concurrency package names them, after its lease: the
// subject is a user's, on top of etcd's recipe.
func (r *record) namedByRecipe(s *subject, op *history.Operation) bool {
	ob := r.objects[objectID{s.Name, op.Object}]
	if ob == nil || r.log == nil {
		return false
	}
	for i := range ob.tenures {
		life := ob.tenures[i].Life
		if life.Lease != 0 && strings.HasSuffix(life.Key, "/"+strconv.FormatInt(life.Lease, 16)) &&
			(life.Lease == op.Lease || r.owner(life.Lease) == "") &&
			r.log.Earliest(life.Create) <= r.ended(op) && r.log.Latest(life.Create) >= op.Call {
			return true
		}
	}
	return false
}

// lostItsKeyWaiting is true if the lease ended between call and return, and
// took the key before it ever owned.
func lostItsKeyWaiting(r *record, op *history.Operation, t *tenure) bool {
	return t != nil && t.neverOwned() && r.deletedBy(t.Life) == causeLease &&
		r.log.Earliest(t.Delete) <= op.Return && r.log.Latest(t.Delete) >= op.Call
}

// harmed is true if a fault that was seen to have an effect, on the client or on
// members, lasted at some time within an interval.
func (r *record) harmed(client string, from, to time.Duration) bool {
	return slices.ContainsFunc(r.h.Faults, func(f history.Fault) bool {
		onOther := strings.HasPrefix(f.Target, "c") && strings.Split(f.Target, " ")[0] != client
		// In a record that was cut while it lasted its proof is missing, not its harm.
		lasts := f.From != 0 && f.To == 0
		return (f.Verified || lasts) && !onOther && f.From <= to && (f.To == 0 || f.To >= from)
	})
}

// lostItsKeyToAnEarlierCall is true if the key that a hold rests on was made by
// an earlier acquire of the same lease, of unknown outcome, and was deleted, not
// with its lease, after the call of the later acquire and before its client
// called the release.
func lostItsKeyToAnEarlierCall(r *record, op *history.Operation, _ *tenure) bool {
	ob, hold := r.objects[objectID{op.Subject, op.Object}], r.holdOf(op.ID)
	if ob == nil || hold == nil || r.log == nil || op.Key == "" {
		return false
	}
	return slices.ContainsFunc(ob.tenures, func(t tenure) bool {
		if t.Key != op.Key || t.Lease != op.Lease || t.Delete == 0 || r.deletedBy(t.Life) != causeOther ||
			r.log.Latest(t.Create) >= op.Call || r.log.Latest(t.Delete) < op.Call || r.log.Earliest(t.Delete) > hold.End {
			return false
		}
		return slices.ContainsFunc(ob.operations, func(before *history.Operation) bool {
			return before.Kind == history.Acquire && before.Lease == op.Lease && before.Outcome == history.Info &&
				before.Return <= op.Call && before.Call <= r.log.Latest(t.Create)
		})
	})
}

// resignedByAnEarlierCall is true if a campaign goes on with the key of an
// earlier one of its session, or of a resignation, of unknown outcome, and the key
// was deleted, not with its lease, after the later campaign's call and before its
// client stopped believing.
func resignedByAnEarlierCall(r *record, op *history.Operation, t *tenure) bool {
	ob := r.objects[objectID{op.Subject, op.Object}]
	if ob == nil || r.log == nil {
		return false
	}
	if t == nil {
		t, _ = ob.identified(op.Key, op.Token)
	}
	until := op.Return
	if h := r.holdOf(op.ID); h != nil {
		until = max(until, h.End)
	}
	if t == nil || t.Delete == 0 || t.Lease != op.Lease || r.deletedBy(t.Life) != causeOther ||
		r.log.Latest(t.Create) >= op.Call || r.log.Latest(t.Delete) < op.Call || r.log.Earliest(t.Delete) > until {
		return false
	}
	return slices.ContainsFunc(ob.operations, func(before *history.Operation) bool {
		return before.Lease == op.Lease && before.Client == op.Client && before.Outcome == history.Info && before.Return <= op.Call &&
			(before.Kind == history.Campaign && before.Call <= r.log.Latest(t.Create) || before.Kind == history.Resign && before.Token == t.Create)
	})
}
