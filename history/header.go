package history

// FormatVersion is the version of the files that this package writes.
const FormatVersion = 1

// Primitive is the kind of thing that a subject is.
type Primitive string

// The primitives.
const (
	Mutex         Primitive = "mutex"
	RWMutex       Primitive = "rwmutex"
	Election      Primitive = "election"
	Semaphore     Primitive = "semaphore"
	Queue         Primitive = "queue"
	PriorityQueue Primitive = "priority-queue"
	Barrier       Primitive = "barrier"
	DoubleBarrier Primitive = "double-barrier"
	Bank          Primitive = "bank"
	Register      Primitive = "register"
	// Service is a loop that runs while its client leads.
	Service Primitive = "service"
)

// Origin says whose code a subject is. It decides whom a false success blames.
type Origin string

// The origins.
const (
	// FromEtcd: etcd's own client library, unchanged.
	FromEtcd Origin = "etcd"
	// Corrected: etcd's own with a correction of ours on top.
	Corrected Origin = "corrected"
	// Broken: planted.
	Broken Origin = "broken"
	// FromUser: anything else.
	FromUser Origin = "user"
)

// Layout says how ownership shows in the store. Without one, ownership is not
// judged: only what clients believed is.
type Layout string

// The layouts.
const (
	// NoLayout: nothing is known.
	NoLayout Layout = ""
	// OldestKey: of the keys below the object's prefix and "/", the one with
	// the lowest create revision owns the object.
	OldestKey Layout = "oldest-key"
	// ReadWriteKeys: keys below prefix + "/read/" and "/write/". A write key
	// owns when no key of the object is older; a read key when no write key is.
	ReadWriteKeys Layout = "read-write-keys"
	// OldestKeys: of the keys below the object's prefix and "/", as many as the
	// object has permits own it, those with the lowest create revisions.
	OldestKeys Layout = "oldest-keys"
	// AccountKeys: each key below the object's prefix and "/" is an account. Its
	// value is the balance, and after a space the name of the transfer that made
	// it, of which Operation.Value has the same.
	AccountKeys Layout = "account-keys"
	// OneKey: the object is one key, of its prefix and "/value", and its value
	// is the key's.
	OneKey Layout = "one-key"
)

// The layouts of subjects that are not owned by anybody.
const (
	// ItemKeys: each item of a queue is a key of its own below the object's
	// prefix and "/", which has the item's value and no other.
	ItemKeys Layout = "item-keys"
	// BarrierKeys: a barrier is closed while there is any key below the object's
	// prefix and "/".
	BarrierKeys Layout = "barrier-keys"
	// MemberKeys: who is in a double barrier has a key below the object's prefix
	// and "/waiters/", on the lease of its session, from before it has entered
	// until it leaves.
	MemberKeys Layout = "member-keys"
)

// LayoutOf is the layout that subjects of a primitive can have besides
// NoLayout, or NoLayout where it is one of ownership.
func LayoutOf(p Primitive) Layout {
	switch p {
	case Queue, PriorityQueue:
		return ItemKeys
	case Barrier:
		return BarrierKeys
	case DoubleBarrier:
		return MemberKeys
	}
	return NoLayout
}

// The promises of a bank's transactions: the isolation levels of
// concurrency.STM. None is the strongest.
const (
	SerializableSnapshot = "serializable-snapshot"
	Serializable         = "serializable"
	RepeatableReads      = "repeatable-reads"
	ReadCommitted        = "read-committed"
)

// MayBeStale is the promise of a register whose reads need not be of the last
// state: each is of some state that was there by then, and a later read may be
// of an older one.
const MayBeStale = "may-be-stale"

// SubjectInfo describes one subject of the run.
type SubjectInfo struct {
	Name      string    `json:"name"`
	Primitive Primitive `json:"primitive"`
	Origin    Origin    `json:"origin"`
	// About says in one line what it is.
	About  string `json:"about,omitempty"`
	Layout Layout `json:"layout,omitempty"`
	// Permits is how many may hold a semaphore at once, or how many have to
	// enter a double barrier.
	Permits int `json:"permits,omitempty"`
	// Whole is what all accounts of a bank's object have together.
	Whole int64 `json:"whole,omitempty"`
	// Promise says which of several promises a primitive makes, as for the
	// isolation of a bank's transactions.
	Promise string `json:"promise,omitempty"`
	// Program is true if its clients are programs, which make and renew their leases
	// themselves.
	Program bool `json:"program,omitempty"`
	// Scripted is true if the subject's clients did what a script says: what
	// it leaves out was not meant to be put to the test.
	Scripted bool `json:"scripted,omitempty"`
}

// Header opens a history file.
type Header struct {
	Version int `json:"version"`
	// Prefix is before every key of the run; see ObjectPrefix.
	Prefix   string        `json:"prefix"`
	Subjects []SubjectInfo `json:"subjects"`
	// Shared is true if others write to the same store, below other prefixes: the
	// revisions of the run are not dense then.
	Shared bool `json:"shared,omitempty"`
}

// ObjectPrefix is the prefix that subject was given for object: every key that
// it makes for the object starts with it and "/".
func (h *Header) ObjectPrefix(subject, object string) string {
	return h.Prefix + subject + "/" + object
}

// Subject returns the description of the named subject.
func (h *Header) Subject(name string) (SubjectInfo, bool) {
	for _, s := range h.Subjects {
		if s.Name == name {
			return s, true
		}
	}
	return SubjectInfo{}, false
}
