package history

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
)

// The journals of a long run have millions of lines, and encoding/json would
// take most of the time of judging it, and twice the memory. So lines are read by
// hand as long as they are of the plain form: one flat object, known names that
// come once each, strings in UTF-8, whole numbers, with white space or without,
// as this package and most others write them. Whatever is not, valid or not, is
// given to encoding/json, so that every line reads as encoding/json reads it.

// plain reads one object of the plain form. Each method returns false if what
// comes next is of another form. Between them it is at no white space.
type plain struct {
	line  []byte
	at    int
	texts *texts
	ended bool
}

// begin reads up to the first name.
func (p *plain) begin() bool {
	p.space()
	return p.sign('{')
}

// space passes over white space.
func (p *plain) space() {
	for p.at < len(p.line) && p.line[p.at] <= ' ' {
		switch p.line[p.at] {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return
		}
	}
}

// sign reads one character and the white space behind it.
func (p *plain) sign(c byte) bool {
	if p.at >= len(p.line) || p.line[p.at] != c {
		return false
	}
	p.at++
	p.space()
	return true
}

// name reads a name and its colon. No name that is known has an escape.
func (p *plain) name() ([]byte, bool) {
	name, bare := p.quoted()
	if !bare {
		return nil, false
	}
	p.space()
	return name, p.sign(':')
}

// quoted reads a string of ASCII without escapes; bare is false if there is
// none.
func (p *plain) quoted() (content []byte, bare bool) {
	if p.at >= len(p.line) || p.line[p.at] != '"' {
		return nil, false
	}
	rest := p.line[p.at+1:]
	for i, c := range rest {
		if c == '"' {
			p.at += i + 2
			return rest[:i], true
		}
		if c < ' ' || c >= 0x80 || c == '\\' {
			return nil, false
		}
	}
	return nil, false
}

// text reads the value of a field that is a string.
func (p *plain) text(field *string) bool {
	value, bare := p.quoted()
	if !bare {
		var ok bool
		if value, ok = p.escaped(); !ok {
			return false
		}
	}
	*field = p.texts.text(value)
	return p.after()
}

// escaped reads a string of any characters, as encoding/json reads it. They are
// few: messages that quote something.
func (p *plain) escaped() ([]byte, bool) {
	if p.at >= len(p.line) || p.line[p.at] != '"' {
		return nil, false
	}
	for i := p.at + 1; i < len(p.line); i++ {
		switch p.line[i] {
		case '\\':
			i++
		case '"':
			var value string
			if json.Unmarshal(p.line[p.at:i+1], &value) != nil {
				return nil, false
			}
			p.at = i + 1
			return []byte(value), true
		}
	}
	return nil, false
}

// number reads the value of a field that is a whole number.
func (p *plain) number(field *int64) bool {
	line, i := p.line, p.at
	negative := i < len(line) && line[i] == '-'
	if negative {
		i++
	}
	first := i
	var n uint64
	for i < len(line) && '0' <= line[i] && line[i] <= '9' {
		n = 10*n + uint64(line[i]-'0')
		i++
	}
	// Nineteen digits fit into 64 bits without a sign.
	if digits := i - first; digits == 0 || digits > 19 || digits > 1 && line[first] == '0' || n > math.MaxInt64 {
		return false
	}
	*field = int64(n)
	if negative {
		*field = -int64(n)
	}
	p.at = i
	return p.after()
}

// yes reads the value of a field that is true or false.
func (p *plain) yes(field *bool) bool {
	rest := p.line[p.at:]
	switch {
	case len(rest) > 4 && string(rest[:4]) == "true":
		*field = true
		p.at += 4
	case len(rest) > 5 && string(rest[:5]) == "false":
		*field = false
		p.at += 5
	default:
		return false
	}
	return p.after()
}

// after reads what stands behind a value: a comma, or the end of it all.
func (p *plain) after() bool {
	p.space()
	if p.sign('}') {
		p.ended = true
		return p.at == len(p.line)
	}
	return p.sign(',')
}

// misreading is a fault at a column of a line, counted in bytes from 1.
type misreading struct {
	column int64
	fault  error
}

func (m *misreading) Error() string { return fmt.Sprintf("column %d: %v", m.column, m.fault) }
func (m *misreading) Unwrap() error { return m.fault }

// misread says where in a line encoding/json found a fault, and what was
// expected there.
func misread(err error) error {
	var syntax *json.SyntaxError
	var mismatch *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return &misreading{syntax.Offset, err}
	case errors.As(err, &mismatch):
		wanted := "an object"
		switch mismatch.Type.Kind() {
		case reflect.Int, reflect.Int64:
			wanted = "a whole number"
		case reflect.String:
			wanted = "a string"
		case reflect.Bool:
			wanted = "true or false"
		case reflect.Slice:
			wanted = "a list"
		}
		if mismatch.Field != "" {
			wanted += fmt.Sprintf(" for %q", mismatch.Field)
		}
		return &misreading{mismatch.Offset, fmt.Errorf("expected %s, found %s", wanted, mismatch.Value)}
	}
	return err
}
