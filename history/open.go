package history

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

// Format is the format of a history file.
type Format string

// The formats.
const (
	// FormatJournal: what a Recorder writes.
	FormatJournal Format = "journal"
	// FormatEDN: a Jepsen history in EDN.
	FormatEDN Format = "edn"
	// FormatJepsenLog: the log of a Jepsen test.
	FormatJepsenLog Format = "jepsen-log"
)

// File is a history file that was opened. Close it. It is read once, by the
// method that its format asks for.
type File struct {
	// Format is told by the content, whatever the name.
	Format Format
	source string
	reader *Content
	close  []func() error
}

// Open opens a file whose content may be compressed by gzip or zstd.
func Open(path string) (*File, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	f, err := OpenReader(file, path)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	f.close = append(f.close, file.Close)
	return f, nil
}

// OpenReader opens a history that r gives, compressed or not. Source names it
// in messages. Closing the File does not close r.
func OpenReader(r io.Reader, source string) (*File, error) {
	content, err := Decompress(r)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", source, err)
	}
	f := &File{source: source, reader: content, close: []func() error{content.Close}}
	if err := f.detect(); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", source, err), f.Close())
	}
	return f, nil
}

// Close releases what was opened.
func (f *File) Close() error {
	var errs []error
	for _, c := range f.close {
		errs = append(errs, c())
	}
	f.close = nil
	return errors.Join(errs...)
}

// History reads a journal.
func (f *File) History() (*History, error) {
	if f.Format != FormatJournal {
		return nil, fmt.Errorf("%s is not a journal of holdfast but %s", f.source, f.Format)
	}
	h, err := ReadJournal(f.reader)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.source, err)
	}
	return h, nil
}

// Trace reads a Jepsen history or log as a trace of the named model, one of
// Models. The traces of a journal are those of its subjects: see
// History.HoldsTrace.
func (f *File) Trace(modelName string) (*Trace, error) {
	switch f.Format {
	case FormatEDN:
		return readEDN(f.reader, f.source, modelName, f.reader.size)
	case FormatJepsenLog:
		return readJepsenLog(f.reader, f.source, modelName, f.reader.size)
	}
	return nil, fmt.Errorf("%s is a journal of holdfast, which has a trace for each subject", f.source)
}

// detect tells the format from the beginning of the content.
func (f *File) detect() error {
	for size := 512; ; size *= 8 {
		size = min(size, f.reader.Size())
		head, err := f.reader.Peek(size)
		if err != nil && err != io.EOF {
			return fmt.Errorf("read: %w", err)
		}
		whole := err == io.EOF || size == f.reader.Size()
		format, sure := formatOf(head, whole)
		if format != "" && (sure || whole) {
			f.Format = format
			return nil
		}
		if whole && len(bytes.TrimSpace(head)) == 0 {
			return errors.New("there is nothing in it")
		}
		if whole {
			return errors.New(`it is no history: it begins neither as a journal of holdfast ({"type": …}), nor as a Jepsen history in EDN ({:type …} or [{:type …}]), nor as a Jepsen log (lines with "jepsen.util - 0 :invoke …")`)
		}
	}
}

// formatOf tells the format of what begins with head; whole is true if no more
// of it can be seen.
func formatOf(head []byte, whole bool) (format Format, sure bool) {
	rest := head
	for len(rest) > 0 {
		c := rest[0]
		switch {
		case ednClass[c]&spaceByte != 0, c == '[', c == '(':
			rest = rest[1:]
			continue
		case c == ';' || bytes.HasPrefix(rest, []byte("#_")):
			// A comment, or a discarded form: log lines begin with neither.
			return FormatEDN, true
		case c == '#':
			// A tag: what it is on comes next.
			k := bytes.IndexAny(rest, " \t\r\n,{[(")
			if k < 0 {
				return "", false
			}
			rest = rest[k:]
			continue
		case c == '{':
			inside := bytes.TrimLeft(rest[1:], " \t\r\n,")
			switch {
			case len(inside) == 0:
				return "", false
			case inside[0] == '"' && bytes.Contains(inside, []byte(`"type"`)):
				return FormatJournal, true
			case inside[0] == '"':
				return "", false
			}
			return FormatEDN, true
		case (c == ']' || c == ')') && len(bytes.TrimSpace(rest)) == 1 && whole:
			return FormatEDN, true // a history of no operations
		}
		break
	}
	if afterMark(head) >= 0 {
		return FormatJepsenLog, true
	}
	for line := range bytes.Lines(head) {
		if isBare(bytes.TrimRight(line, "\r\n")) {
			return FormatJepsenLog, true
		}
	}
	return "", false
}
