package pipe

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// fields are those of one JSON object. Those that are null are as good as
// absent, and those that nobody asks for do no harm. The first field of a wrong
// kind is kept.
type fields struct {
	by    map[string]json.RawMessage
	wrong string
}

// parse reads a line.
func parse(line []byte) (*fields, error) {
	f := &fields{}
	if !utf8.Valid(line) {
		return nil, errors.New("it is no UTF-8")
	}
	if err := json.Unmarshal(line, &f.by); err != nil {
		return nil, err
	}
	for name, value := range f.by {
		if string(value) == "null" {
			delete(f.by, name)
		}
	}
	return f, nil
}

func (f *fields) has(name string) bool { _, ok := f.by[name]; return ok }

func (f *fields) complain(name, want string) {
	if f.wrong == "" {
		value := f.by[name]
		if len(value) > 80 {
			value = append(bytes.Clone(value[:80]), "…"...)
		}
		f.wrong = fmt.Sprintf("%q is %s, and has to be %s", name, value, want)
	}
}

// text is a string.
func (f *fields) text(name string) string {
	var s string
	if value, ok := f.by[name]; ok && json.Unmarshal(value, &s) != nil {
		f.complain(name, "a string")
	}
	return s
}

// truth is true or false.
func (f *fields) truth(name string) bool {
	var b bool
	if value, ok := f.by[name]; ok && json.Unmarshal(value, &b) != nil {
		f.complain(name, "true or false")
	}
	return b
}

// integer is a whole number of 63 bits, not negative: as a number, or as a
// string, as etcd's gateway writes it and languages without such integers have
// to.
func (f *fields) integer(name string) int64 {
	value, ok := f.by[name]
	if !ok {
		return 0
	}
	text := string(bytes.Trim(value, `"`))
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		f.complain(name, "a whole number from 0 to 9223372036854775807, or that as a string")
		return 0
	}
	return n
}

// texts is a list of strings.
func (f *fields) texts(name string) []string {
	var s []string
	if value, ok := f.by[name]; ok && json.Unmarshal(value, &s) != nil {
		f.complain(name, "a list of strings")
	}
	return s
}
