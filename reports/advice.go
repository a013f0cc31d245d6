package reports

import (
	"strings"

	"github.com/etcd-holdfast/holdfast/checker"
)

// advice is what is to be said of a cause, beside what the property says.
type advice struct {
	// cause is how Violation.Cause begins, or goes on after afterLie.
	cause string
	// because goes on after the property's plain words; "" adds nothing.
	because string
	// prevent is what the subject's author can do, in whole sentences.
	prevent string
}

// afterLie is before the cause of a false success that explains another violation.
const afterLie = "after a false success: "

// What the author of a lock, or of what is built on one, can do.
const (
	askAgain    = "Before success is returned, ask etcd (a linearizable read) whether a key older than one’s own is left that excludes it, and wait while there is one: after each wake-up, and also if there was nothing to wait for."
	countOlder  = "Before success is returned, ask etcd (a linearizable read) how many keys are older than one’s own, and wait while there are as many as permits."
	ownKeyToo   = "After the wait, look once more whether your own key is still there, in a transaction that compares its create revision, before you return success."
	askNow      = "Answer from a linearizable read or a transaction that is made during the call, not from memory, a cache or a serializable read."
	oneDecides  = "Let one transaction decide: create the key only if its create revision is 0, or wait for all older keys. Whoever looks first and writes afterwards is not alone."
	deleteOwn   = "Delete a key only if it is yours: compare its create revision in the same transaction. Never delete by name or prefix alone."
	keepAlive   = "Keep the lease alive for as long as the lock is held (concurrency.NewSession does so), and stop when its Done is closed."
	risingToken = "Use as the token what rises with every grant: the create revision of the key by which one holds. Clocks, lease IDs, counters that can go, and the time of the first request do not rise."
	highest     = "Let the resource remember the highest token that it has seen, and refuse lower ones in the same atomic step as the write."
	guardWrite  = "Guard each write with the key by which one owns: compare its create revision in the transaction that writes, once it is one's turn."
	cleanUp     = "Give the clean-up a context of its own, as the caller's is over, and delete the key before the call returns; where that fails, say so, so that the caller closes the session."
	waitByWatch = "Wait with a watch that begins at the revision of the read, and read again when it ends: behind a compaction it ends at once, every time."
	leasedKey   = "Make every key with the lease of the session that needs it: it goes when its owner dies. Begin each watch at the revision of the read, so that no deletion is missed."
	resumeAfter = "Resume an observation at the revision after the last that was delivered, and never deliver an older one."
	readAfter   = "After an interruption, and after each event, read who leads and deliver that too: new values on the leader's key count as well as new keys."
	takeOnce    = "Take the item that comes first (by create revision, or by priority as a number) in one transaction that deletes its key if it is still there, and return it only if that succeeded."
	onePlan     = "Compare the mod revision of everything that was read, in the transaction that writes, and begin anew if anything changed."
	idempotent  = "Give each request a key of its own that the same transaction creates: made again after a lost answer, it does nothing."
	countNow    = "Count who is there at one revision, after one's own key was made, and look again after every event."
)

// advices are by property, more special causes first. Those for "" are of any
// property.
var advices = map[string][]advice{
	"": {
		{"told before its turn", "its turn had not come", askAgain},
		{"told before its key was made", "its key was not made yet", "Return success only after the transaction that makes the key has been answered."},
		{"lease ended while waiting", "its lease had ended while it waited", ownKeyToo},
		{"key deleted while waiting", "its turn never came", askAgain},
		{"key gone while waiting", "its key had gone while it waited", ownKeyToo},
		{"lease ended before the call", "its lease had ended before it asked", askNow},
		{"key deleted before the call", "its key had gone before it asked", askNow},
		{"key gone before the call", "its key had gone before it asked", askNow},
		{"key not in the log", "its key never was in etcd", "Tell of the key and of the revision that etcd's answer to this very call gave."},
		{"its key is not below its object's prefix", "its key belongs to something else", "Make every key below the name of the object, with a slash between."},
		{"its value was never written", "what it proclaimed never was in etcd", "Report success only when the transaction that writes the value succeeded: look at its Succeeded, not only at its error."},
	},
	checker.Exclusion: {
		{"both rest on one key", "both rely on one and the same key", "Give each holder a key of its own, and let only him in who created it in his own transaction."},
		{"both leases were alive", "nothing stopped the second", oneDecides},
		{"not known without a revision log", "", oneDecides},
		{"key deleted while held", "the key of one was deleted while it held", deleteOwn},
		{"key deleted by the release of an earlier hold", "a late release of an earlier hold deleted the key of one", "Let a release compare the create revision that its own acquire was given: made again, it then does nothing."},
		{"a lease of the subject's own was not kept alive", "the lock's own lease ran out during the work", keepAlive},
		{"the program did not renew its lease", "the lock's own lease ran out during the work", keepAlive},
		{"lease ended while held", "the lease of one had ended", ""},
		{"lease of the subject's own ended while held", "the lease of one had ended", ""},
		{"a lease of which the program does not tell", "the lease of one had ended", ""},
		{"told that its session was over", "one had been told that its session was over", "Stop as soon as the session is over."},
		{"more were let in than there are permits", "", "Let only the oldest keys in, as many as there are permits, by a read that is made after one's own key is there."},
	},
	checker.Ownership: {
		{"a living holder's key was deleted by another client", "another client deleted its key", deleteOwn},
	},
	checker.Fencing: {
		{"token accepted after a higher one", "an old token was accepted after a higher one", highest},
		{"token not above that", "a later holder was given a token that is not higher", risingToken},
		{"guarded by a key", "a write was guarded by a key that did not own", guardWrite},
		{"an acknowledged update is lost", "an acknowledged update is lost", guardWrite},
		{"value that nobody had written", "a value is there that nobody wrote", guardWrite},
	},
	checker.Order: {
		{"overtook an older key", "", "Let clients in by the create revisions of their keys: each waits until every older one is gone, and looks again after each wake-up."},
	},
	checker.Progress: {
		{"a dead holder's key stayed", "a dead holder's key was never freed", leasedKey},
		{"waited behind a key of another object", "it waited for somebody who holds something else", "Read and watch the keys below the object's name and a slash, and choose names of which none goes on, after a slash, where another ends."},
		{"never finished after the heal, behind a key left by", "a call that had failed left its key there", giveUp},
		{"never finished after the heal, with no holder", "nobody held it", leasedKey},
		{"never succeeded after the heal, with no holder", "nobody held it", leasedKey},
		{"never finished after the heal, behind a holder", "the holder never gave it up", "Give up what is held when the work is done, when it fails, and when the session is over; a lease that ends with its holder frees the rest."},
		{"never", "", leasedKey},
	},
	checker.Notice: {
		{"told too late", "", "Watch the session's Done beside the work, and count the lease from when its last keepalive was sent."},
	},
	checker.Observe: {
		{"went back", "an observer was told of an older leader after a newer one", resumeAfter},
		{"value that was never put", "an observer was told of a value that nobody ever put", askNow},
		{"named a key of another object", "an observer was told of the leader of something else", "Read and watch the keys below the election's name and a slash."},
		{"ended by itself after a compaction", "an observation ended without a word", "Resume after ErrCompacted: read who leads, and watch from there."},
		{"a leader who stayed was not delivered", "an observer was not told of a leader, or of its new value, that stayed", readAfter},
		{"final leader not delivered", "an observer was never told of the last leader, or of its last value", readAfter},
	},
	checker.Refusal: {
		{"refused while nobody can have held", "", "Answer a try by a transaction that is made during it, not from memory, and take away the keys of refused tries."},
	},
	checker.Leftovers: {
		{"its key is still there", "a release said that all was done, and the key is still there", "Report success only when etcd has acknowledged the deletion; return the error otherwise, so that the caller closes the session."},
		{"without effect, but its key is still there", "a refused try left its key", "Delete the key of a refused try before it returns."},
		{"gave up, and its key stayed", "a call that gave up did not take its key back", cleanUp},
		{"told of nothing to give up", "a call failed and left its key, and the release knew nothing of it", giveUp},
		{"told that it does not lead", "a campaign failed, and its key leads all the same", giveUp},
		{"kept out by", "a call failed and left its key, which keeps everybody out", giveUp},
	},
	checker.Contract: {
		{"panicked", "a call panicked", "Look whether there is an event before you use it: a watch can end without one."},
		{"a try waited", "a try waited instead of answering", "A try must not stand in a line: create the key only if nobody holds, and answer at once."},
		{"returned late", "a call went on after its deadline", "Hand the caller's context to every request and every wait, and give the clean-up a short time of its own."},
		{"never returned", "a call never returned", "Hand the caller's context to every request and every wait."},
		{"asked again and again", "a client that waits asks etcd again and again without a pause", waitByWatch},
		{"refused while its session lived", "a call on the same session deleted the key of one who waits", deleteOwn},
		{"key below the prefix of no object", "a key was made outside of every lock’s own prefix", "Make every key below the name that the object was given, with a slash between."},
		{"the process ended by itself", "a program ended without being asked", "See what the program wrote at its end; it has to stay until its session is closed."},
	},
	checker.Delivery: {
		{"returned what another had", "an item was given out twice", takeOnce},
		{"returned what nobody had enqueued", "an item was given out that nobody had put in", takeOnce},
		{"returned what an enqueue without effect", "an item was given out whose enqueue had failed", "Report an enqueue as failed only if it certainly had no effect."},
		{"returned what is in another queue", "an item of another queue was given out", "Read and watch the keys below the queue's name and a slash."},
		{"acknowledged, and its key was never there", "an item was acknowledged and never there", ""},
		{"acknowledged, and", "an item was acknowledged, taken out and given to nobody", "Take an item only for a caller who is still there, and no more than was asked for: stop when the caller gives up."},
	},
	checker.Passage: {
		{"passed while it was closed", "a client passed while it was closed", "An event, the end of a watch and a time-out are no answers: look again with a linearizable read, and pass only if the key is gone."},
		{"entered before enough were there", "a client entered before enough were there", countNow},
		{"entered without a key", "a client entered without a key of its own", countNow},
		{"left while another was in", "a client left while another was in", countNow},
	},
	checker.Linearizable: {
		{"older than", "a client was told what was over already", askNow},
		{"nobody can have become that by then", "a client was told what was not so yet", askNow},
		{"replaced before the call", "a client was told what was over already", askNow},
		{"as of a revision that came later", "a client was told of what came later", askNow},
		{"not what the store had at its revision", "a client was told what never was there", "Look whether the transaction succeeded (Succeeded), not only whether it came back without an error."},
		{"no order of the calls keeps the rules of a queue", "the items came out as they cannot come out of a queue", takeOnce},
		{"no order of the calls keeps the rules of a priority", "the items came out as they cannot come out of a queue", takeOnce},
		{"no order of the calls keeps the rules of a barrier", "a client passed while the barrier was closed", "An event, the end of a watch and a time-out are no answers: look again with a linearizable read, and pass only if the key is gone."},
		{"no order of the calls keeps the rules of a double", "a client went in or out without the others", countNow},
		{"no order of the calls keeps the rules of a register", "", "Read, and compare before writing, in linearizable transactions that are made during the call, and look whether they succeeded."},
		{"no order of the calls keeps the rules of", "", oneDecides},
	},
	checker.Durability: {
		{"acknowledged, and not in the log", "a write was acknowledged, and the store does not have it", "Look whether the transaction succeeded (Succeeded), not only whether it came back without an error."},
	},
	checker.Total: {
		{"took effect more than once", "a transfer took effect twice", idempotent},
		{"refused, and took effect", "a transfer was refused and took effect", idempotent},
		{"told of another revision", "", onePlan},
		{"took effect outside of its call", "a transfer took effect outside of its call", idempotent},
		{"acknowledged, and not in the log", "a transfer was acknowledged and never made", "Report success only when the transaction succeeded."},
		{"", "", onePlan},
	},
}

// adviceOn is what there is to say of a property that is broken by a cause; the
// zero value is for causes of which there is nothing special to say. Own is true if
// it is said of this property alone.
func adviceOn(property, cause string) (a advice, own bool) {
	cause = strings.TrimPrefix(cause, afterLie)
	for _, key := range []string{property, ""} {
		for _, a := range advices[key] {
			if strings.HasPrefix(cause, a.cause) {
				return a, key != ""
			}
		}
	}
	return advice{}, false
}
