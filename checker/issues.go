package checker

import "slices"

// KnownIssue describes an upstream defect that this package recognises.
type KnownIssue struct {
	// Issue is what Violation.Known and Options.Known call it: an issue of etcd's, as
	// etcd#19597, or a name where etcd has none.
	Issue string
	// Title says in plain words what went wrong, as a headline without its subject.
	Title string
	// Explanation says how that comes about: a clause that names what is wrong where.
	Explanation string
	// Prevention is what somebody who depends on it can do, in whole sentences.
	Prevention string
}

// KnownIssues lists what Violation.Known can be.
func KnownIssues() []KnownIssue { return slices.Clone(knownIssues) }

// FindKnownIssue returns the known issue of that name.
func FindKnownIssue(issue string) (KnownIssue, bool) {
	at := slices.IndexFunc(knownIssues, func(k KnownIssue) bool { return k.Issue == issue })
	if at < 0 {
		return KnownIssue{}, false
	}
	return knownIssues[at], true
}

// fence is what helps wherever a client can be wrong about its lease.
const fence = "Fence what the lock protects: send the token (the create revision of the holder's key) with every write, and let the resource refuse any lower than it has seen."

// knownIssues is read only.
var knownIssues = []KnownIssue{
	// Locks and elections of client/v3/concurrency.
	{
		Issue: "etcd#19597", Title: "a candidate whose lease had ended won the election",
		Explanation: "Campaign waits for older keys to go and does not look whether its own is still there",
		Prevention:  "After Campaign returned, check in a transaction that your key still has the create revision Rev() before you act as the leader; if not, open a new session and campaign again.",
	},
	{
		Issue: "lost-campaign-keeps-key", Title: "a Campaign failed, and its key leads all the same",
		Explanation: "Campaign returns the error of its first request and forgets the key that this may have made; Resign then does nothing and says nil",
		Prevention:  "After a Campaign whose outcome is not known, close the session: whatever the call left goes with its lease.",
	},
	{
		Issue: "proclaim-after-lost-answer", Title: "the leader was told that it does not lead",
		Explanation: "after a Campaign whose answer was lost the candidate's key leads, and Proclaim says that it does not",
		Prevention:  "After a Campaign whose outcome is not known, close the session and campaign on a new one.",
	},
	{
		Issue: "late-resign-deletes-key", Title: "a late Resign deleted the key of a newer Campaign",
		Explanation: "a Campaign that gives up resigns, by a key that is named after the session; if that is done late, and its answer lost, it takes the key that a later Campaign of the session goes on with",
		Prevention:  "After a Campaign that gave up, close the session and campaign on a new one: its key has another name.",
	},
	{
		Issue: "etcd#22123", Title: "a Resign failed, the next one said that all was done, and the key still led",
		Explanation: "a Resign whose request fails forgets the leadership all the same; the next one does nothing and says nil",
		Prevention:  "After a Resign that failed, close the session instead of calling it again: the key goes with the lease.",
	},
	{
		Issue: "etcd#21128", Title: "a Campaign failed and left its key in the line, where it kept everybody out",
		Explanation: "a Campaign whose watch fails with ErrCompacted returns that and leaves its key in the line",
		Prevention:  "After a Campaign that failed, close the session: the key that it left goes with the lease.",
	},
	{
		Issue: "etcd#10297", Title: "a resumed election took the keys of another one for its own",
		Explanation: "NewElection adds a / to its prefix and ResumeElection does not, so that it takes keys of elections whose name begins like its own for its leaders, and campaigns with a key beside those of its own",
		Prevention:  "Give ResumeElection the prefix with its slash at the end, and choose names of which none begins like another.",
	},
	{
		Issue: "etcd#18163", Title: "an observation ended without a word",
		Explanation: "an observation whose watch fails with ErrCompacted closes its channel without a word",
		Prevention:  "When the channel of Observe is closed and your context is not over, ask Leader and call Observe again.",
	},
	{
		Issue: "etcd#22082", Title: "a late Unlock deleted the key of a newer lock: two clients held it",
		Explanation: "Unlock deletes its key by name; one that is made again after a lost answer deletes the key of a later lock on the same session",
		Prevention:  "After an Unlock that failed, close the session and lock on a new one: its key has another name.",
	},
	{
		Issue: "lost-lock-keeps-key", Title: "a Lock failed and left its key, which keeps everybody out",
		Explanation: "Lock returns the error of its first request and forgets the key that this may have made; Unlock then says that the lock was released",
		Prevention:  "After a Lock that failed without a clear answer, close the session: whatever the call left goes with its lease.",
	},
	{
		Issue: "etcd#18082", Title: "a call went on for seconds after its deadline",
		Explanation: "after its context ends the call deletes its key with the client's own context, which has no end while etcd is out of reach",
		Prevention:  "Do not build on the call's own deadline: make it in a goroutine of its own, go on when time is up, and close the session.",
	},
	{
		Issue: "try-lock-deletes-waiter", Title: "a TryLock deleted the key of a Lock that waited on the same session",
		Explanation: "a TryLock that fails deletes its session's key, which is also that of a Lock that waits on the same session",
		Prevention:  "Give every Mutex that is used at the same time a session of its own.",
	},
	{
		Issue: "try-lock-ghost", Title: "a TryLock failed and left its key, which came to own the lock",
		Explanation: "a TryLock that fails to delete its key leaves it in the line, where it becomes the owner",
		Prevention:  "After a TryLock that returned anything but nil or ErrLocked, close the session: the key goes with its lease.",
	},
	{
		Issue: "mutex-waits-for-neighbours", Title: "a client waited for the holder of another lock",
		Explanation: "the mutex a looks at all keys below a/, and so waits for the holder of the mutex a/b",
		Prevention:  "Choose names without slashes, a-b instead of a/b: no lock’s name may be another’s with /… behind it.",
	},
	{
		Issue: "mutex-shared-session", Title: "two clients held the lock at the same time, on one session",
		Explanation: "a mutex's key is named after its session: two objects on one session have one key, and both take it for theirs",
		Prevention:  "Give every Mutex a session of its own, or put a sync.Mutex before those that share one.",
	},
	{
		Issue: "session-done-late", Title: "a holder was told that its lease had ended when another held the lock already",
		Explanation: "the client counts its lease by its own clock, from the last answer that it received; that ends after etcd has ended the lease and given the lock to the next",
		Prevention:  fence + " Or stop by your own clock: a time-to-live after the last keepalive was sent.",
	},
	{
		Issue: "session-done-dial-timeout", Title: "a holder was told seconds too late that its lease had ended",
		Explanation: "until its first keepalive is answered the client takes its lease for alive as long as its DialTimeout and a second, whatever the time-to-live is",
		Prevention:  "Set the client's DialTimeout below the session's time-to-live. " + fence,
	},
	// client/v3/experimental/recipes.
	{
		Issue: "etcd#16221", Title: "a client whose lease had ended was given the lock",
		Explanation: "Lock and RLock wait for older keys to go and do not look whether their own is still there",
		Prevention:  "After Lock or RLock, ask etcd whether the session's lease still lives (TimeToLive) before you act; if it does not, open a new session and lock again.",
	},
	{
		Issue: "lost-rwlock-keeps-key", Title: "a lock call failed and left its key, which keeps everybody out",
		Explanation: "Lock and RLock return the error of their first request and forget the key that this may have made, whose name is new each time; everybody else, the same client too, waits for it as long as the session lives",
		Prevention:  "After a Lock or RLock that failed, close the session: whatever the call left goes with its lease.",
	},
	{
		Issue: "rwmutex-unlock-twice", Title: "an Unlock failed, the next one said that all was done, and the key keeps everybody out",
		Explanation: "an Unlock whose request fails forgets the key; the next one says nil and the key stays",
		Prevention:  "After an Unlock that failed, close the session instead of calling it again: the key goes with the lease.",
	},
	{
		Issue: "rwmutex-unlock-panics", Title: "an Unlock without a lock panicked",
		Explanation: "Unlock and RUnlock use the key of a lock call without looking whether there was one",
		Prevention:  "Unlock only after a Lock that returned nil.",
	},
	{
		Issue: "rwmutex-waiter-spins", Title: "a client that waits asks etcd again and again without a pause",
		Explanation: "the watch for which Lock and RLock wait begins at the revision of the key before; once that is compacted it ends at once, and the call opens the next without a pause",
		Prevention:  "Bound each wait: close the session when it takes longer than the time between two compactions, and lock again.",
	},
	{
		Issue: "etcd#17198", Title: "a Dequeue that waited panicked",
		Explanation: "Dequeue takes the end of a watch for an event, and there is none",
		Prevention:  "Recover from the panic and call Dequeue again, or do not use the recipe where history is compacted or links are cut.",
	},
	{
		Issue: "queue-eats-neighbours", Title: "a queue gave out an item of another queue",
		Explanation: "Dequeue reads and watches the queue's name without a slash: all queues whose names begin with it are one",
		Prevention:  "Choose names of which none begins like another: end each with a slash, jobs/ and job/.",
	},
	{
		Issue: "priority-queue-takes-first-event", Title: "a Dequeue that waited passed over a better item",
		Explanation: "Dequeue takes the item whose creation ended its wait and does not look whether a better one came since",
		Prevention:  "Do not build on the order of items that are enqueued while somebody waits.",
	},
	{
		Issue: "barrier-pass-while-blocked", Title: "a client passed the barrier while it was closed",
		Explanation: "Wait takes the end of a watch, as by a compaction, for the deletion of the barrier's key",
		Prevention:  "After Wait returned, read the barrier's key, and wait again while it is there.",
	},
	{
		Issue: "double-barrier-enters-alone", Title: "a client entered before all others had come",
		Explanation: "Enter takes the end of a watch, as by a compaction, for the sign that all have come",
		Prevention:  "After Enter returned, count the keys below waiters/, and leave and enter again if there are too few.",
	},
	{
		Issue: "double-barrier-late-sign", Title: "a client entered by the sign of an earlier meeting",
		Explanation: "who comes last puts the sign that all have come, by one name for all meetings and on no condition; a put that is late lets in whoever waits for the next one",
		Prevention:  "Use a new name for each meeting.",
	},
	{
		Issue: "double-barrier-enters-without-key", Title: "a client entered although its lease had ended, and its key with it",
		Explanation: "Enter waits for the sign that all have come and does not look whether its own key is still there",
		Prevention:  "After Enter returned, ask etcd whether the session's lease still lives (TimeToLive) before you count yourself in.",
	},
	{
		Issue: "double-barrier-leave-spins", Title: "a client that waits to leave asks etcd again and again without a pause",
		Explanation: "after a compaction Leave watches from a revision that is gone, is refused at once, and begins again",
		Prevention:  "Call Leave, which takes no context, in a goroutine of its own, and close the session when it takes long: that deletes the key.",
	},
	// etcd's servers, and the services that they have of the lock and the election.
	{
		Issue: "etcd#11456", Title: "a client whose lease had ended was given the lock",
		Explanation: "the lock service waits for the older keys to go and does not look whether its caller's own is still there (before 3.5)",
		Prevention:  "Use concurrency.Mutex, which looks again, or etcd 3.5 or later.",
	},
	{
		Issue: "v3lock-late-clean-up", Title: "the clean-up of a cancelled Lock deleted the key of the next: two clients held it",
		Explanation: "the lock service cleans up after a Lock that was cancelled when its caller may have locked again with the same lease: it deletes the key by name",
		Prevention:  "After a Lock call that was cancelled, lock with a new lease.",
	},
	{
		Issue: "etcd#14370", Title: "a member lost what it had acknowledged",
		Explanation: "a cluster of one member applies and acknowledges entries while it still writes them to its log; killed before they are written, it has lost them (up to 3.5.4)",
		Prevention:  "Use etcd 3.5.5 or later, or three members.",
	},
	{
		Issue: "etcd#12528", Title: "an old leader revoked leases that were alive",
		Explanation: "a leader that is parted from the others asks to revoke the leases that ended by its account; what it asked for when it knew no leader any more is sent to the next one as soon as it is back, though that had given the leases their whole time once more (the check of leadership that 3.5.13 brought is left out by a member that is not stuck)",
		Prevention:  "No client can keep its lease from this. " + fence,
	},
	{
		Issue: "etcd#15247", Title: "an old leader revoked leases that were alive",
		Explanation: "a leader whose disk stalls goes on counting leases when another leads; those that ended by its account are revoked when it goes on (up to 3.5.12)",
		Prevention:  "Use etcd 3.5.13 or later. " + fence,
	},
	{
		Issue: "etcd#18089", Title: "a watch was not told of a deletion",
		Explanation: "a compaction at the revision at which a key was deleted takes that deletion away; a watch that begins there is granted all the same, and is not told (up to 3.5.15)",
		Prevention:  "Use etcd 3.5.16 or later, or read again whenever a watch had to be resumed.",
	},
	{
		Issue: "etcd#19179", Title: "a watch was not told of a deletion after a restart",
		Explanation: "a member that is restarted while a compaction at the revision of a deletion is not finished takes that deletion away; a watch that begins there is granted all the same, and is not told (up to 3.5.17)",
		Prevention:  "Use etcd 3.5.18 or later, or read again whenever a watch had to be resumed.",
	},
}
