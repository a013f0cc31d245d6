package history

// Kinds lists every kind of operation.
func Kinds() []Kind {
	return []Kind{
		Acquire, TryAcquire, Release, Campaign, Resume, Proclaim, Resign, Leader, Observe,
		Read, Write, FencedRead, FencedWrite, GuardedWrite, CloseSession, OpenSession,
		Enqueue, Dequeue, Block, Unblock, Pass, Enter, Leave, Transfer, Audit, Get, Put, CompareAndSet,
	}
}
