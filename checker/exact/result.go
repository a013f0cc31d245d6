package exact

// Result is the judgement of the calls of one object. Its zero value is: the
// specification was kept.
type Result struct {
	// Violation is the violation that is proved first, or nil.
	Violation *Violation
	// Unknown says, if it is not empty, which limit ended the search and how
	// far it had got. Violation is nil then.
	Unknown string
}

// Limits bound the general search. The zero value means the defaults.
type Limits struct {
	// Bytes is about how much memory the search may take; zero is 1 GiB.
	Bytes int64
	// Steps is how many steps of the specification it may try; zero is no limit.
	// Unlike a limit of time, which a context sets, it makes the search stop at
	// the same place everywhere.
	Steps int64
	// Unconfirmed leaves porcupine out: a violation is told without its opinion.
	// Without it a check starts no goroutine and asks for no time.
	Unconfirmed bool
}
