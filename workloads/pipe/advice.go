package pipe

// Advice says what to do about a rule that a program has broken, as it is named by
// Program.Breach and in a workloads.BreachError.
func Advice(rule string) string {
	switch rule {
	case noJSON:
		return "write one JSON object a line on standard output, in UTF-8, and whatever else on standard error"
	case noProtocol:
		return `answer {"id": the request's, "ok": true or false, …} with the fields of docs/protocol.md`
	case notAsked:
		return "answer each request once, with its id"
	case outside:
		return `make no key but below the "prefix" of the request and "/"`
	case contradicted:
		return `leave "error", "taken" and "none" out of an answer with ok true`
	case hung:
		return "answer by the end of timeout_ms, whatever etcd does; end each line, and flush it; its log may say where it waits"
	case flooded:
		return "answer once, tell each event once, and write what is for people on standard error"
	case died:
		return "mend what its log tells of; answer with ok false and an error instead of dying, and end only when standard input ends"
	case closedOutput, closedInput:
		return "keep standard input and output open, and end when standard input ends"
	case notStarted:
		return "mend the command, which sh runs in this directory"
	case refused:
		return "answer hello as docs/protocol.md has it, before there is an etcd"
	case notEnded:
		return "exit at the end of standard input, and let SIGTERM end you"
	case outOfTurn:
		return "ask for the resource between a work and its answer only"
	}
	return "see docs/protocol.md"
}
