package broken

import (
	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// The properties that bugs break, as package checker calls them.
const (
	contract     = "contract"
	delivery     = "delivery"
	durability   = "durability"
	exclusion    = "exclusion"
	fencing      = "fencing"
	leftovers    = "leftovers"
	linearizable = "linearizable"
	observe      = "observe"
	ownership    = "ownership"
	passage      = "passage"
	progress     = "progress"
	refusal      = "refusal"
	total        = "total"
)

// Specimen is a subject with a planted bug, and how one knows it.
type Specimen struct {
	workloads.Subject
	// Breaks are the properties that the bug breaks. It is found only if one of
	// them is violated and the subject is to blame.
	Breaks []string
	// Twin names a subject of the same design without the bug: one of Twins, or
	// of package recipes.
	Twin string
}

// Specimens returns every planted bug.
func Specimens() []Specimen {
	return []Specimen{
		// Locks of one key.
		noLease(),
		shortTTL(),
		outlivedTTL(),
		breaksOldLocks(),
		unlockByAnyone(),
		ownerByName(),
		accidentallyReentrant(),
		getThenPut(),
		cachedOwner(),
		retriedUnlock(),
		silentUnlock(),
		majorityOfKeys(),
		oneKeyForAll(),
		tryFromCache(),
		// Fencing tokens.
		staleToken(),
		tokenFromClock(),
		tokenCounterResets(),
		tokenOfFirstTry(),
		tokenIsLease(),
		// Locks with a queue of keys.
		noLeaseCheck(),
		waitsOnFirst(),
		wakesOnAnyEvent(),
		staleRead(),
		lateWatch(),
		retriedTicket(),
		leaksOnCancel(),
		deletesByPrefix(),
		tryLeavesKey(),
		tryWaits(),
		// Read-write locks.
		twoWriters(),
		readerBesideWriter(),
		writerBesideReaders(),
		readerWaitsOnce(),
		readerFreesAll(),
		uncountedReaders(),
		upgradingWriter(),
		// Elections.
		splitBrainElection(),
		newestLeads(),
		deafToResign(),
		resignsForAnyone(),
		proclaimWithoutLease(),
		proclaimIgnoresOutcome(),
		proclaimsOnce(),
		leaderFromCache(),
		leaderStaleRead(),
		observeReplays(),
		observeSkipsProclaims(),
		// Leaders' loops.
		serviceStays(),
		serviceUnconfirmed(),
		// Semaphores.
		semaphoreOffByOne(),
		semaphoreCountsFirst(),
		semaphoreWithoutLease(),
		// Barriers.
		barrierGivesUp(),
		barrierFirstAnswer(),
		barrierStaleLook(),
		doubleBarrierOffByOne(),
		doubleBarrierCountsArrivals(),
		doubleBarrierLeavesAlone(),
		// Queues.
		queueDeliversTwice(),
		queuePrefetches(),
		queueGoesOn(),
		queueIsAStack(),
		priorityAsText(),
		// Transactions and registers.
		bankWithoutCondition(),
		bankRetriesTransfer(),
		registerLooksAndPuts(),
		registerFromCache(),
		registerIgnoresOutcome(),
	}
}

// Subjects returns every subject with a planted bug.
func Subjects() []workloads.Subject {
	var subjects []workloads.Subject
	for _, s := range Specimens() {
		subjects = append(subjects, s.Subject)
	}
	return subjects
}

// Twins returns correct subjects of the same designs as the planted ones. They
// are judged as a user's own: with them holdfast has to stay silent.
func Twins() []workloads.Subject {
	return []workloads.Subject{
		{
			Name:    "slot-lock",
			Summary: "one key on the session's lease, deleted only by who made it",
			Origin:  history.FromUser,
			Layout:  history.OldestKey,
			NewLock: func(s *workloads.Session, prefix string) workloads.Lock {
				l := newSlotLock(s, prefix)
				return &l
			},
		},
		{
			Name:    "own-lease-lock",
			Summary: "one key on a lease of its own that is kept alive",
			Origin:  history.FromUser,
			Layout:  history.OldestKey,
			NewLock: func(s *workloads.Session, prefix string) workloads.Lock {
				return &ownLeaseLock{slot: newSlot(s, prefix)}
			},
		},
		{
			Name:    "counter-lock",
			Summary: "one key, and a counter for tokens that outlives every session",
			Origin:  history.FromUser,
			NewLock: func(s *workloads.Session, prefix string) workloads.Lock {
				return &countingLock{slotLock: newSlotLock(s, prefix), counter: prefix + "/count"}
			},
		},
		{
			Name:    "queue-lock",
			Summary: "a key for each client, the oldest one holds, looked for again after the wait",
			Origin:  history.FromUser,
			Layout:  history.OldestKey,
			NewLock: func(s *workloads.Session, prefix string) workloads.Lock {
				l := newQueueLock(s, prefix)
				return &l
			},
		},
		{
			Name:    "queue-rwlock",
			Summary: "a key for each reader and writer, looked for again after the wait",
			Origin:  history.FromUser,
			Layout:  history.ReadWriteKeys,
			NewRWLock: func(s *workloads.Session, prefix string) workloads.RWLock {
				l := newQueueRWLock(s, prefix)
				return &l
			},
		},
		{
			Name:        "queue-election",
			Summary:     "a key for each candidate, put again after the wait",
			Origin:      history.FromUser,
			Layout:      history.OldestKey,
			NewElection: func(s *workloads.Session, prefix string) workloads.Election { return newQueueElection(s, prefix) },
		},
	}
}
