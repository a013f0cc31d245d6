package history

import (
	"fmt"
	"unicode/utf8"
)

// SyntaxError says where a file is malformed. Either Expected and Found say
// how, or Problem does.
type SyntaxError struct {
	// Source names the file.
	Source string
	// Line and Column count from 1; columns are bytes. A Column of 0 means the
	// line as a whole.
	Line, Column int
	// Expected says what should be there, for example "a keyword after :type",
	// and Found what is.
	Expected, Found string
	// Problem is set where every token is well-formed but the history is not,
	// for example a completion without a call.
	Problem error
}

// Error writes "history.edn:17:23: expected a keyword after :type, found 12".
func (e *SyntaxError) Error() string {
	place := fmt.Sprintf("%s:%d", e.Source, e.Line)
	if e.Column > 0 {
		place = fmt.Sprintf("%s:%d", place, e.Column)
	}
	if e.Problem != nil {
		return fmt.Sprintf("%s: %v", place, e.Problem)
	}
	return fmt.Sprintf("%s: expected %s, found %s", place, e.Expected, e.Found)
}

// Unwrap returns Problem.
func (e *SyntaxError) Unwrap() error { return e.Problem }

// place is a line and a column of a source, both from 1.
type place struct{ line, column int }

// excerpt shortens what was found to what fits into a message.
func excerpt(text []byte) string {
	const longest = 40
	if len(text) == 0 {
		return "nothing"
	}
	for _, c := range text {
		if c < ' ' || c == 0x7f || c >= utf8.RuneSelf && !utf8.Valid(text) {
			return fmt.Sprintf("%.*q", longest, text)
		}
	}
	if len(text) <= longest {
		return string(text)
	}
	cut := longest
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return string(text[:cut]) + "…"
}
