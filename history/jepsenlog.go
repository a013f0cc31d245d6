package history

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// logMark is before the operation in a line of a Jepsen log; a dash or a colon
// follows it.
const logMark = "jepsen.util"

// ReadJepsenLog reads the operations of a Jepsen log as a trace of the named
// model, one of Models: lines such as
//
//	INFO  jepsen.util - 4	:invoke	:cas	[3 0]
//
// with whatever columns of time, level and thread before, or, as Jepsen's
// history.txt has them, with nothing before the process. Lines that are not
// operations, and operations of the nemesis, are passed over. A line that
// begins as the operation of a client and does not go on as one is an error,
// but for a last line without a line end, which was cut.
//
// Everything is as ReadEDN has it, with one exception: a :fail of a
// compare-and-set that repeats its arguments, and nothing else, is a comparison
// that failed, so it tells that the register held something else.
func ReadJepsenLog(r io.Reader, source, modelName string) (*Trace, error) {
	return readJepsenLog(r, source, modelName, size(r))
}

func readJepsenLog(r io.Reader, source, modelName string, size int64) (*Trace, error) {
	reader, err := newJepsenReader(source, modelName, nil, size)
	if err != nil {
		return nil, err
	}
	reader.echoes, reader.ended, reader.limit = true, true, "the end of the line"
	lines := bufio.NewReaderSize(r, bufferFor(size))
	read := int64(0)
	for number := 1; ; number++ {
		text, err := readLine(lines)
		if err != nil && err != io.EOF {
			return nil, fmt.Errorf("read %s: %w", source, err)
		}
		cut := err == io.EOF
		read += int64(len(text))
		reader.expect(read)
		if err := reader.logLine(number, bytes.TrimRight(text, "\r\n")); err != nil && !(cut && reader.endedEarly(err)) {
			return nil, err
		}
		if cut {
			return reader.finish()
		}
	}
}

// endedEarly is true if more of the line could have mended it.
func (r *jepsenReader) endedEarly(err error) bool {
	var syntax *SyntaxError
	return errors.As(err, &syntax) && syntax.Problem == nil && r.pos == r.end
}

// logLine reads one line.
func (r *jepsenReader) logLine(number int, text []byte) error {
	begin := afterMark(text)
	if begin < 0 && isBare(text) {
		begin = 0
	}
	if begin < 0 {
		return nil
	}
	r.buf, r.pos, r.end, r.line = text, begin, len(text), number
	r.forms.reset()
	op := jepsenOp{word: -1, value: -1, key: -1, time: NoTime, line: number}
	process, is := integer(r.column())
	if !is {
		return nil
	}
	r.blanks()
	if op.at = r.place(); r.pos == r.end || r.buf[r.pos] != ':' {
		return nil // a message that begins with a number
	}
	op.process = process
	kind := r.column()
	if op.kind = opKindOf(kind[1:]); op.kind == opNone {
		return r.fault(op.at, opKinds, excerpt(kind))
	}
	r.blanks()
	op.atF = r.place()
	name := r.column()
	if len(name) < 2 || name[0] != ':' {
		found := excerpt(name)
		if len(name) == 0 {
			found = r.limit
		}
		return r.fault(op.atF, r.model.known(), found)
	}
	if op.word = r.model.word(name[1:]); op.word < 0 {
		op.name = name
	} else if err := r.logValue(&op); err != nil {
		return err
	}
	return r.operation(&op)
}

// logValue reads the columns behind the function: a value, and behind that of
// a reply perhaps an error. Where the outcome is :fail or :info the only column
// may be the error, which can be any text.
func (r *jepsenReader) logValue(op *jepsenOp) error {
	r.blanks()
	op.atValue = r.place()
	form, err := r.form(1)
	if err == nil {
		op.value = form
		var c int
		if c, err = r.next(1); err == nil && c != -1 {
			switch op.kind {
			case opInvoke:
				err = r.unexpected("the end of the line")
			case opOk:
				err = r.skip(1)
			default:
				op.value = -1 // it is about the error
			}
		}
	}
	if err != nil && (op.kind == opFail || op.kind == opInfo) {
		op.value, err = -1, nil
	}
	return err
}

// afterMark returns the index of what follows the mark of an operation, or -1.
func afterMark(text []byte) int {
	at := 0
	for {
		k := bytes.Index(text[at:], []byte(logMark))
		if k < 0 {
			return -1
		}
		at += k + len(logMark)
		i := at
		for i < len(text) && (text[i] == ' ' || text[i] == '\t') {
			i++
		}
		if i < len(text) && (text[i] == '-' || text[i] == ':') {
			return i + 1
		}
	}
}

// isBare is true if a line is an operation without a mark, such as those of
// Jepsen's history.txt: a process and a :type.
func isBare(text []byte) bool {
	text = bytes.TrimLeft(text, " \t")
	process, rest := text, []byte(nil)
	if k := bytes.IndexAny(text, " \t"); k > 0 {
		process, rest = text[:k], bytes.TrimLeft(text[k:], " \t")
	}
	if _, is := integer(process); !is && !bytes.Equal(process, []byte(":nemesis")) || len(rest) == 0 || rest[0] != ':' {
		return false
	}
	kind := rest[1:]
	if k := bytes.IndexAny(kind, " \t\r"); k >= 0 {
		kind = kind[:k]
	}
	return opKindOf(kind) != opNone
}

// blanks moves to the next column.
func (r *jepsenReader) blanks() {
	for r.pos < r.end && ednClass[r.buf[r.pos]]&spaceByte != 0 {
		r.pos++
	}
}

// column reads a column without blanks or brackets in it; it may be empty.
func (r *jepsenReader) column() []byte {
	r.blanks()
	return r.token()
}
