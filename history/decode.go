package history

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
)

// ReadJournal reads what a Recorder wrote. A last line that was cut in its
// middle is dropped, be it the header: that is how a killed run's journal ends.
// Any other fault is an error that names the line, and the column where that is
// known.
//
// It takes the least memory if the reader can tell its size, by Stat as a file
// or by Len as a bytes.Reader does.
func ReadJournal(r io.Reader) (*History, error) {
	h := &History{Revisions: nil}
	names := newTexts()
	var l line
	err := eachLine(r, func(number int, text []byte, progress fraction) error {
		if err := l.decode(text, names); err != nil {
			return err
		}
		if number == 1 {
			if l.Type != lineHeader || l.Header == nil {
				return errors.New("a history begins with its header line")
			}
			if l.Header.Version != FormatVersion {
				return fmt.Errorf("the history has format version %d; this program reads version %d", l.Header.Version, FormatVersion)
			}
			h.Header = *l.Header
			return nil
		}
		if l.Time < h.End {
			return fmt.Errorf("time %d is before the time of an earlier line, %d", l.Time, h.End)
		}
		h.End = l.Time
		switch l.Type {
		case lineInvoke:
			if n := len(h.Operations); n > 0 && h.Operations[n-1].ID >= l.ID {
				return fmt.Errorf("operation id %d does not rise", l.ID)
			}
			h.Operations = append(grown(h.Operations, progress), l.operation())
		case string(Ok), string(Fail), string(Info):
			op := h.Operation(l.ID)
			if op == nil || op.Completed() {
				return fmt.Errorf("operation %d completes but is not open", l.ID)
			}
			l.complete(op)
		case lineEvent:
			h.Events = append(grown(h.Events, progress), l.event())
		default:
			return fmt.Errorf("unknown line type %q", l.Type)
		}
		return nil
	})
	return h, err
}

// decode makes l the line that text is.
func (l *line) decode(text []byte, names *texts) error {
	*l = line{}
	if l.scan(plain{line: text, texts: names}) {
		return nil
	}
	*l = line{}
	if err := json.Unmarshal(text, l); err != nil {
		return misread(err)
	}
	return nil
}

// scan reads a line of the plain form; it returns false if it is of another.
func (l *line) scan(p plain) bool {
	ok := p.begin()
	for seen := 0; ok && !p.ended; {
		var name []byte
		if name, ok = p.name(); !ok {
			return false
		}
		field := 0
		switch string(name) {
		case "type":
			field, ok = 1<<0, p.text(&l.Type)
		case "id":
			field, ok = 1<<1, p.number(&l.ID)
		case "time":
			field, ok = 1<<2, p.number((*int64)(&l.Time))
		case "event":
			field, ok = 1<<3, p.text((*string)(&l.Event))
		case "client":
			field, ok = 1<<4, p.text(&l.Client)
		case "subject":
			field, ok = 1<<5, p.text(&l.Subject)
		case "object":
			field, ok = 1<<6, p.text(&l.Object)
		case "kind":
			field, ok = 1<<7, p.text((*string)(&l.Kind))
		case "mode":
			field, ok = 1<<8, p.text((*string)(&l.Mode))
		case "deadline":
			field, ok = 1<<9, p.number((*int64)(&l.Deadline))
		case "error":
			field, ok = 1<<10, p.text(&l.Error)
		case "panicked":
			field, ok = 1<<11, p.yes(&l.Panicked)
		case "lease":
			field, ok = 1<<12, p.number(&l.Lease)
		case "ttl":
			field, ok = 1<<13, p.number((*int64)(&l.TTL))
		case "heeded":
			field, ok = 1<<14, p.yes(&l.Heeded)
		case "key":
			field, ok = 1<<15, p.text(&l.Key)
		case "token":
			field, ok = 1<<16, p.number(&l.Token)
		case "hold":
			field, ok = 1<<17, p.number(&l.Hold)
		case "operation":
			field, ok = 1<<18, p.number(&l.Operation)
		case "value":
			field, ok = 1<<19, p.text(&l.Value)
		case "prior":
			field, ok = 1<<20, p.text(&l.Prior)
		case "revision":
			field, ok = 1<<21, p.number(&l.Revision)
		case "detail":
			field, ok = 1<<22, p.text(&l.Detail)
		case "number":
			field, ok = 1<<23, p.number(&l.Number)
		case "requests":
			field, ok = 1<<24, p.number(&l.Requests)
		case "breach":
			field, ok = 1<<25, p.text(&l.Breach)
		default: // the header, or a name that only encoding/json would take
			return false
		}
		ok = ok && seen&field == 0
		seen |= field
	}
	return ok
}

func (l *line) operation() Operation {
	return Operation{
		ID: l.ID, Client: l.Client, Subject: l.Subject, Object: l.Object, Kind: l.Kind, Mode: l.Mode,
		Call: l.Time, Deadline: l.Deadline, Lease: l.Lease, Key: l.Key, Token: l.Token, Hold: l.Hold,
		Value: l.Value, Prior: l.Prior, Revision: l.Revision, Number: l.Number,
	}
}

func (l *line) complete(op *Operation) {
	op.complete(&Completion{
		Outcome: Outcome(l.Type), Error: l.Error, Panicked: l.Panicked, Breach: l.Breach, Lease: l.Lease, Key: l.Key, Token: l.Token,
		Value: l.Value, Revision: l.Revision, Number: l.Number, Requests: l.Requests,
	}, l.Time)
}

func (l *line) event() Event {
	return Event{
		Time: l.Time, Kind: l.Event, Client: l.Client, Subject: l.Subject, Object: l.Object,
		Lease: l.Lease, TTL: l.TTL, Heeded: l.Heeded, Operation: l.Operation,
		Value: l.Value, Key: l.Key, Token: l.Token, Revision: l.Revision, Detail: l.Detail,
	}
}

// eachLine calls f for each complete line; text is valid during the call only.
// An error of f in the very last line is forgiven if that line has no line end:
// it was cut.
func eachLine(r io.Reader, f func(number int, text []byte, progress fraction) error) error {
	b := bufio.NewReaderSize(r, 1<<20)
	progress := fraction{whole: size(r)}
	for number := 1; ; number++ {
		text, err := readLine(b)
		whole := err == nil
		if err != nil && err != io.EOF {
			return fmt.Errorf("line %d: %w", number, err)
		}
		progress.done += int64(len(text))
		text = bytes.TrimRight(text, "\r\n")
		if len(text) > 0 {
			if ferr := f(number, text, progress); ferr != nil {
				if !whole {
					return nil
				}
				if at := (*misreading)(nil); errors.As(ferr, &at) {
					return fmt.Errorf("line %d, column %d: %w", number, at.column, at.fault)
				}
				return fmt.Errorf("line %d: %w", number, ferr)
			}
		} else if number == 1 {
			return errors.New("line 1: the file is empty")
		}
		if !whole {
			return nil
		}
	}
}

func readLine(b *bufio.Reader) ([]byte, error) {
	text, err := b.ReadSlice('\n')
	if err != bufio.ErrBufferFull {
		return text, err
	}
	long := append([]byte(nil), text...)
	for err == bufio.ErrBufferFull {
		text, err = b.ReadSlice('\n')
		long = append(long, text...)
	}
	return long, err
}

// fraction is how much of a journal has been read, in bytes; whole is zero if
// its size is not known.
type fraction struct{ done, whole int64 }

// size is how many bytes a reader has, or zero.
func size(r io.Reader) int64 {
	switch r := r.(type) {
	case interface{ Len() int }:
		return int64(r.Len())
	case interface{ Stat() (fs.FileInfo, error) }:
		if info, err := r.Stat(); err == nil && info.Mode().IsRegular() {
			return info.Size()
		}
	}
	return 0
}

const (
	// sampled is after how many records their number is estimated.
	sampled = 1 << 14
	// largestEstimate keeps a journal that pretends to be huge from being
	// given memory before it is there.
	largestEstimate = 1 << 23
)

// grown returns s with room for one more. A full slice that is not small any
// more gets room for as many records as the rest of the journal will have, if it
// goes on like this, and a tenth more: what of it is never used costs address
// space only, whereas a slice that is doubled is in memory twice.
func grown[T any](s []T, progress fraction) []T {
	if len(s) < cap(s) || len(s) < sampled || progress.whole == 0 || progress.done == 0 {
		return s
	}
	left := float64(len(s)) * max(0, float64(progress.whole)/float64(progress.done)-1)
	return slices.Grow(s, int(min(1.1*left, largestEstimate))+sampled)
}
