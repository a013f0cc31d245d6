package history

import "bytes"

// SuggestedModel returns the name of the model that the functions at the
// beginning of a Jepsen history or log suggest, or "". A lock is taken for one
// that anybody can release: that is what Knossos' mutex is.
func (f *File) SuggestedModel() string {
	head, _ := f.reader.Peek(headSize) // as much as there is
	for _, s := range []struct{ model, words string }{
		{"cas-register", "cas compare-and-set"},
		{"rwmutex", "read-acquire write-acquire acquire-read acquire-write read-lock write-lock lock-read lock-write rlock"},
		{"queue", "enqueue enq dequeue deq drain"},
		{"mutex", "acquire lock release unlock"},
		{"double-barrier", "enter leave"},
		{"barrier", "hold lower wait"},
		{"register", "read write r w get put"},
	} {
		for word := range bytes.FieldsSeq([]byte(s.words)) {
			switch {
			case !hasKeyword(head, word):
			case s.model == "mutex" && (hasKeyword(head, []byte("read")) || hasKeyword(head, []byte("write"))):
				return "rwmutex" // :acquire with the value :read
			default:
				return s.model
			}
		}
	}
	return ""
}

// hasKeyword is true if the keyword is in text as a whole word.
func hasKeyword(text, word []byte) bool {
	for {
		k := bytes.Index(text, word)
		if k < 0 {
			return false
		}
		end := k + len(word)
		if k > 0 && text[k-1] == ':' && (end == len(text) || bytes.IndexByte([]byte(" \t\r\n,}])"), text[end]) >= 0) {
			return true
		}
		text = text[end:]
	}
}

// Description says what the format is.
func (f Format) Description() string {
	switch f {
	case FormatJournal:
		return "the history of a run"
	case FormatEDN:
		return "a Jepsen history in EDN"
	case FormatJepsenLog:
		return "a Jepsen log"
	}
	return string(f)
}

// Source names the file, as it was opened.
func (f *File) Source() string { return f.source }
