package history

import "time"

// Kind says what an operation asked for.
type Kind string

// The kinds of operation.
const (
	// Acquire blocks until the client holds the object.
	Acquire Kind = "acquire"
	// TryAcquire holds the object at once or fails; Number is 1 if it failed
	// because another client is said to hold.
	TryAcquire Kind = "try-acquire"
	// Release gives up the hold named by Operation.Hold.
	Release Kind = "release"
	// Campaign blocks until the client leads; Value is the leader value.
	Campaign Kind = "campaign"
	// Resume takes over a leadership that an earlier client with the same
	// lease had won; Value is the leader value proclaimed by it.
	Resume Kind = "resume"
	// Proclaim replaces the leader value within the hold.
	Proclaim Kind = "proclaim"
	// Resign ends the leadership named by Operation.Hold.
	Resign Kind = "resign"
	// Leader asks for the leader value; "" with Ok is "there is none".
	Leader Kind = "leader"
	// Observe is one open observation; what it saw are Observed events. It
	// completes when its channel is closed; Number is 1 if that was before its
	// context ended.
	Observe Kind = "observe"
	// Read and Write are one read-modify-write of the unfenced protected
	// resource: Write.Prior is the value that its Read returned.
	Read  Kind = "read"
	Write Kind = "write"
	// FencedRead and FencedWrite do the same on the fenced resource, which
	// compares Token. A refused one completes as Fail.
	FencedRead  Kind = "fenced-read"
	FencedWrite Kind = "fenced-write"
	// GuardedWrite is a transaction on etcd that succeeds only while the
	// client's key exists, for example Txn.If(mutex.IsOwner()).
	GuardedWrite Kind = "guarded-write"
	// CloseSession ends the client's session and with it its lease.
	CloseSession Kind = "close-session"
	// OpenSession starts the program that a client speaks to. It is recorded only
	// if that fails.
	OpenSession Kind = "open-session"

	// Enqueue adds Value to a queue, with priority Number where the queue has
	// priorities. Dequeue waits for an item and takes it.
	Enqueue Kind = "enqueue"
	Dequeue Kind = "dequeue"
	// Block closes a barrier, Unblock opens it; Pass waits until it is open.
	Block   Kind = "block"
	Unblock Kind = "unblock"
	Pass    Kind = "pass"
	// Enter waits until enough clients are in a double barrier, Leave until all
	// have left it.
	Enter Kind = "enter"
	Leave Kind = "leave"
	// Transfer moves Number between two accounts, Value is "from to name", where
	// the name is unique in the run; it fails if there is too little in the
	// first. Audit reads all accounts: Number is their sum, and Value the
	// balances, in the order of the accounts' names, if the subject tells them.
	Transfer Kind = "transfer"
	Audit    Kind = "audit"
	// Get, Put and CompareAndSet are calls on a register in etcd. CompareAndSet
	// writes Value if it finds Prior; a failure with a Revision found another
	// then. Token is the revision that made the value which Get read.
	Get           Kind = "get"
	Put           Kind = "put"
	CompareAndSet Kind = "compare-and-set"
)

// Acquires is true for the kinds whose success begins a hold.
func (k Kind) Acquires() bool {
	return k == Acquire || k == TryAcquire || k == Campaign || k == Resume
}

// Waits is true for the kinds that may wait for other clients.
func (k Kind) Waits() bool {
	switch k {
	case Acquire, Campaign, Dequeue, Pass, Enter, Leave:
		return true
	}
	return false
}

// Releases is true for the kinds whose call ends a hold.
func (k Kind) Releases() bool { return k == Release || k == Resign }

// Mode tells readers from writers where an object has both.
type Mode string

// The modes. The zero value is exclusive, as WriteMode is.
const (
	ReadMode  Mode = "read"
	WriteMode Mode = "write"
)

// Outcome is what is known of an operation's end.
type Outcome string

// The outcomes.
const (
	// Pending: the call had not returned when the record ended, or its client
	// crashed. It may have taken effect at any time since the call.
	Pending Outcome = ""
	// Ok: the call reported success.
	Ok Outcome = "ok"
	// Fail: the call certainly had no effect.
	Fail Outcome = "fail"
	// Info: the call returned, and nobody knows whether it had or will have an
	// effect.
	Info Outcome = "info"
)

// Operation is one call of a client. Fields that do not apply are zero.
type Operation struct {
	// ID is unique in the run and rises with the time of the call.
	ID      int64
	Client  string
	Subject string
	// Object names the lock, election or resource within the subject.
	Object string
	Kind   Kind
	Mode   Mode
	// Call and Return bound the call: it was made after Call and had returned
	// before Return. Return is zero while the operation is Pending.
	Call, Return time.Duration
	// Deadline is when the call's context ended or would have ended, by
	// deadline or planned cancellation; zero if it had no end.
	Deadline time.Duration
	Outcome  Outcome
	// Error is the error's text; it is for people and never matched.
	Error string
	// Panicked is true if the call panicked, other than as its documented way
	// to report an error.
	Panicked bool
	// Breach, if not "", says in a few words which rule of the protocol the program
	// broke to which the client speaks; Error tells more.
	Breach string
	// Lease is the client's session lease at the time of the call, or the one that
	// its completion named.
	Lease int64
	// Key and Token are what the subject says that it owns: the etcd key and
	// its create revision, which is the fencing token. Zero if it cannot say.
	Key   string
	Token int64
	// Hold is the ID of the acquiring operation within whose hold this
	// operation was made.
	Hold int64
	// Value is the value written or read. Written values are unique in a run.
	Value string
	// Prior is, for writes, the value on which the new one was built.
	Prior string
	// Revision is, for replies from etcd, the store revision they carried, and
	// for operations on a protected resource its position in the resource's
	// own total order.
	Revision int64
	// Number is a priority, an amount or a sum; see the kinds.
	Number int64
	// Requests is how many requests the client's links carried between the
	// call and its return, those of its background work included: calls with one
	// request, and new watches; not what keeps leases alive. Zero also if nobody
	// counted.
	Requests int64

	// slot is that of the call, where clients take turns. See Alone.
	slot  uint64
	alone bool
}

// Completed is true if the call returned.
func (o *Operation) Completed() bool { return o.Outcome != Pending }

// Alone says, where clients take turns, that nobody else of its client is about to
// record anything: then the client goes on in a slot that it has.
func (o *Operation) Alone() { o.alone = true }
