package history

import (
	"fmt"
	"slices"
	"strings"
)

// mode is whether a word of a read-write lock says for whom it is.
type mode uint8

const (
	modeUnsaid mode = iota
	modeShared
	modeExclusive
)

// word is a name that histories of other programs give to a function.
type word struct {
	name     string
	function Function
	mode     mode
	// drain is true for a call that dequeues until nothing is left.
	drain bool
}

// model is a kind of object whose histories can be read and written.
type model struct {
	name string
	// words are its functions; the first one for a function and mode is written.
	words []word
	// lock is true if its functions take and free it, permits if they say how
	// many of it, fenced if a reply has a fencing token, prioritized if what is
	// enqueued has a priority.
	lock, permits, fenced, prioritized bool
}

// modelOf returns the named model.
func modelOf(name string) (*model, error) {
	models := models()
	names := make([]string, len(models))
	for i := range models {
		if models[i].name == name {
			return &models[i], nil
		}
		names[i] = models[i].name
	}
	return nil, fmt.Errorf("there is no model %q; there are %s", name, strings.Join(names, ", "))
}

// Models returns the names of the models that ReadEDN, ReadJepsenLog and
// WriteEDN know.
func Models() []string {
	var names []string
	for _, m := range models() {
		names = append(names, m.name)
	}
	return names
}

func models() []model {
	register := []word{
		{name: "read", function: FunctionRead}, {name: "r", function: FunctionRead}, {name: "get", function: FunctionRead},
		{name: "write", function: FunctionWrite}, {name: "w", function: FunctionWrite}, {name: "put", function: FunctionWrite},
	}
	casRegister := slices.Concat(register, []word{
		{name: "cas", function: FunctionCompareAndSet}, {name: "compare-and-set", function: FunctionCompareAndSet},
	})
	lock := []word{
		{name: "acquire", function: FunctionAcquire}, {name: "lock", function: FunctionAcquire},
		{name: "try-acquire", function: FunctionTryAcquire}, {name: "try-lock", function: FunctionTryAcquire}, {name: "trylock", function: FunctionTryAcquire},
		{name: "release", function: FunctionRelease}, {name: "unlock", function: FunctionRelease},
	}
	queue := []word{
		{name: "enqueue", function: FunctionEnqueue}, {name: "enq", function: FunctionEnqueue},
		{name: "dequeue", function: FunctionDequeue}, {name: "deq", function: FunctionDequeue},
		{name: "drain", function: FunctionDequeue, drain: true},
	}
	return []model{
		{name: "register", words: register},
		{name: "cas-register", words: casRegister},
		{name: "kv", words: casRegister},
		{name: "mutex", words: lock, lock: true},
		{name: "owner-mutex", words: lock, lock: true},
		{name: "reentrant-mutex", words: lock, lock: true},
		{name: "fenced-mutex", words: lock, lock: true, fenced: true},
		{name: "fencing-tokens", words: lock, lock: true, fenced: true},
		{name: "leased-lock", words: lock, lock: true},
		{name: "leadership", words: slices.Concat([]word{
			{name: "campaign", function: FunctionAcquire}, {name: "resign", function: FunctionRelease},
		}, lock), lock: true},
		{name: "rwmutex", words: slices.Concat(readWriteWords(), lock), lock: true},
		{name: "semaphore", words: lock, lock: true, permits: true},
		{name: "queue", words: queue},
		{name: "priority-queue", words: queue, prioritized: true},
		{name: "barrier", words: []word{
			{name: "hold", function: FunctionHold}, {name: "lower", function: FunctionLower}, {name: "wait", function: FunctionWait},
		}},
		{name: "double-barrier", words: []word{{name: "enter", function: FunctionEnter}, {name: "leave", function: FunctionLeave}}},
	}
}

// readWriteWords are the words of a read-write lock that say for whom they are.
func readWriteWords() []word {
	var words []word
	for _, m := range []struct {
		mode mode
		name string
		one  string // Go's names: rlock
	}{{modeShared, "read", "r"}, {modeExclusive, "write", "w"}} {
		for _, f := range []struct {
			name     string
			function Function
		}{
			{"acquire", FunctionAcquire}, {"lock", FunctionAcquire}, {"release", FunctionRelease}, {"unlock", FunctionRelease},
			{"try-acquire", FunctionTryAcquire}, {"try-lock", FunctionTryAcquire},
		} {
			words = append(words, word{name: m.name + "-" + f.name, function: f.function, mode: m.mode},
				word{name: f.name + "-" + m.name, function: f.function, mode: m.mode})
		}
		words = append(words, word{name: m.one + "lock", function: FunctionAcquire, mode: m.mode},
			word{name: m.one + "unlock", function: FunctionRelease, mode: m.mode})
	}
	return words
}

// word returns the index of a name, without its colon, or -1.
func (m *model) word(name []byte) int {
	for i := range m.words {
		if m.words[i].name == string(name) {
			return i
		}
	}
	return -1
}

// wordFor returns the name of a function, for readers or not.
func (m *model) wordFor(f Function, shared bool) (string, bool) {
	for i := range m.words {
		w := &m.words[i]
		if w.function == f && !w.drain && (w.mode == modeUnsaid || (w.mode == modeShared) == shared) {
			return w.name, true
		}
	}
	return "", false
}

// known says which functions there are, for messages.
func (m *model) known() string {
	var names []string
	said := make(map[Function]bool)
	for _, w := range m.words {
		if said[w.function] && !w.drain {
			continue
		}
		said[w.function] = true
		names = append(names, ":"+w.name)
	}
	return fmt.Sprintf("a function of the model %s: %s", m.name, strings.Join(names, ", "))
}
