package history

import (
	"bytes"
	"fmt"
	"io"
)

// deepest is how deep forms may be nested, so that a short input cannot take
// much stack.
const deepest = 200

// scanner reads EDN (github.com/edn-format/edn) by tokens from a stream. It
// holds one buffer, which grows only for a token that is longer. Slices that
// it returns are valid until its next method.
type scanner struct {
	source   string
	limit    string // what the end of the input is called
	reader   io.Reader
	buf      []byte
	pos, end int
	base     int64 // offset of buf[0] in the source
	line     int
	lineAt   int64 // offset of the line's first byte
	ended    bool
	err      error // of reader
	forms    forms
}

// newScanner returns a scanner of a source of so many bytes, 0 if that is not
// known.
func newScanner(source string, r io.Reader, size int64) *scanner {
	return &scanner{source: source, limit: "the end of the file", reader: r, buf: make([]byte, bufferFor(size)), line: 1}
}

// bufferFor returns the size of a buffer for so many bytes.
func bufferFor(size int64) int {
	const enough = 256 << 10
	if size <= 0 || size > enough {
		return enough
	}
	return int(max(size, 64))
}

// Classes of bytes.
const (
	spaceByte = 1 << iota
	delimiterByte
)

var ednClass = func() (class [256]uint8) {
	for _, c := range []byte(" \t\r\n\f\v,") {
		class[c] = spaceByte | delimiterByte
	}
	for _, c := range []byte("()[]{}\";") {
		class[c] = delimiterByte
	}
	return class
}()

// fill reads more behind what there is from index keep on, which becomes index
// 0. It returns false at the end of the source.
func (s *scanner) fill(keep int) bool {
	if s.ended {
		return false
	}
	copy(s.buf, s.buf[keep:s.end])
	s.base += int64(keep)
	s.pos -= keep
	s.end -= keep
	if s.end == len(s.buf) {
		s.buf = append(s.buf, make([]byte, len(s.buf))...)
	}
	for range 100 {
		n, err := s.reader.Read(s.buf[s.end:])
		s.end += n
		if err != nil {
			s.ended = true
			if err != io.EOF {
				s.err = err
			}
		}
		if n > 0 || s.ended {
			return n > 0
		}
	}
	s.ended, s.err = true, io.ErrNoProgress
	return false
}

// place is that of the next byte.
func (s *scanner) place() place {
	return place{s.line, int(s.base + int64(s.pos) - s.lineAt + 1)}
}

// fault is the error that at a place something else was expected. An error of
// the reader explains everything that seems to be missing.
func (s *scanner) fault(at place, expected, found string) error {
	if s.err != nil {
		return fmt.Errorf("read %s: %w", s.source, s.err)
	}
	return &SyntaxError{Source: s.source, Line: at.line, Column: at.column, Expected: expected, Found: found}
}

// unexpected is a fault at the next byte: it looks at what is there.
func (s *scanner) unexpected(expected string) error {
	at := s.place()
	if s.pos == s.end && !s.fill(s.pos) {
		return s.fault(at, expected, s.limit)
	}
	if c := s.buf[s.pos]; c == '"' || ednClass[c] != 0 {
		return s.fault(at, expected, excerpt(s.buf[s.pos:s.pos+1]))
	}
	return s.fault(at, expected, excerpt(s.token()))
}

// next skips whitespace, comments and discarded forms, and returns the byte
// that follows, which is still to be read, or -1 at the end.
func (s *scanner) next(depth int) (int, error) {
	for {
		for s.pos < s.end {
			c := s.buf[s.pos]
			if ednClass[c]&spaceByte != 0 {
				s.pos++
				if c == '\n' {
					s.newline()
				}
				continue
			}
			if c == ';' {
				s.comment()
				continue
			}
			if c == '#' && s.second() == '_' {
				if depth >= deepest {
					return 0, s.tooDeep()
				}
				s.pos += 2
				if err := s.skip(depth + 1); err != nil {
					return 0, err
				}
				continue
			}
			return int(c), nil
		}
		if !s.fill(s.pos) {
			if s.err != nil {
				return 0, s.fault(s.place(), "", "")
			}
			return -1, nil
		}
	}
}

// newline notes that the byte before the next one ended a line.
func (s *scanner) newline() {
	s.line++
	s.lineAt = s.base + int64(s.pos)
}

// comment skips what is left of the line.
func (s *scanner) comment() {
	for {
		if k := bytes.IndexByte(s.buf[s.pos:s.end], '\n'); k >= 0 {
			s.pos += k
			return
		}
		s.pos = s.end
		if !s.fill(s.pos) {
			return
		}
	}
}

// second returns the byte after the next one, or 0 at the end.
func (s *scanner) second() byte {
	if s.pos+1 >= s.end && !s.fill(s.pos) {
		return 0
	}
	return s.buf[s.pos+1]
}

// token reads up to a delimiter. It may be empty.
func (s *scanner) token() []byte {
	start, i := s.pos, s.pos
	for {
		for i < s.end && ednClass[s.buf[i]]&delimiterByte == 0 {
			i++
		}
		if i < s.end {
			break
		}
		s.pos = start
		i -= start
		if !s.fill(start) {
			i, start = s.end, s.pos
			break
		}
		start = 0
	}
	s.pos = i
	return s.buf[start:i]
}

// quoted reads a string, from its first quote to its last, and appends it to to:
// quoted, with the same escapes for the same characters.
func (s *scanner) quoted(to []byte, keep bool) ([]byte, error) {
	began := s.place()
	s.pos++
	if keep {
		to = append(to, '"')
	}
	for {
		i := s.pos
		for i < s.end && s.buf[i] != '"' && s.buf[i] != '\\' && s.buf[i] >= ' ' {
			i++
		}
		if keep {
			to = append(to, s.buf[s.pos:i]...)
		}
		s.pos = i
		if i == s.end {
			if !s.fill(i) {
				return to, s.fault(began, "a string with its closing quote", s.limit)
			}
			continue
		}
		c := rune(s.buf[i])
		if c == '\\' {
			var err error
			if c, err = s.escape(); err != nil {
				return to, err
			}
		} else {
			s.pos++
			switch c {
			case '"':
				if keep {
					to = append(to, '"')
				}
				return to, nil
			case '\n':
				s.newline()
			}
		}
		if keep {
			to = appendEscaped(to, c)
		}
	}
}

// escape reads a backslash and what it stands for.
func (s *scanner) escape() (rune, error) {
	at := s.place()
	c := s.second()
	s.pos = min(s.pos+2, s.end)
	digits, base := 0, rune(8)
	var value rune
	switch c {
	case 't':
		return '\t', nil
	case 'r':
		return '\r', nil
	case 'n':
		return '\n', nil
	case 'b':
		return '\b', nil
	case 'f':
		return '\f', nil
	case '\\', '"':
		return rune(c), nil
	case 'u':
		digits, base = 4, 16
	case '0', '1', '2', '3', '4', '5', '6', '7':
		digits, value = 2, rune(c-'0')
	default:
		return 0, s.fault(at, `one of \t \r \n \b \f \\ \" \uXXXX`, excerpt([]byte{'\\', c}))
	}
	for range digits {
		if s.pos == s.end && !s.fill(s.pos) {
			break
		}
		d, ok := digit(s.buf[s.pos], base)
		if !ok {
			if base == 8 {
				break // it may be shorter
			}
			return 0, s.fault(s.place(), "four hexadecimal digits after \\u", excerpt(s.buf[s.pos:s.pos+1]))
		}
		value = value*base + d
		s.pos++
	}
	return value, nil
}

func digit(c byte, base rune) (rune, bool) {
	d := rune(-1)
	switch {
	case '0' <= c && c <= '9':
		d = rune(c - '0')
	case 'a' <= c && c <= 'f':
		d = rune(c-'a') + 10
	case 'A' <= c && c <= 'F':
		d = rune(c-'A') + 10
	}
	return d, d >= 0 && d < base
}

// appendEscaped appends a character as canonical text has it.
func appendEscaped(to []byte, c rune) []byte {
	switch c {
	case '"', '\\':
		return append(to, '\\', byte(c))
	case '\n':
		return append(to, '\\', 'n')
	case '\t':
		return append(to, '\\', 't')
	case '\r':
		return append(to, '\\', 'r')
	}
	if c < ' ' || 0xd800 <= c && c < 0xe000 { // half of a pair stays what it is
		return fmt.Appendf(to, `\u%04x`, c)
	}
	return append(to, string(c)...)
}

func (s *scanner) tooDeep() error {
	return s.fault(s.place(), fmt.Sprintf("forms that are nested at most %d deep", deepest), "more")
}
