package history

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
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
	size   int64 // of the content, or 0
	reader *bufio.Reader
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
	f := &File{source: source}
	if err := f.decompress(r); err != nil {
		return nil, fmt.Errorf("open %s: %w", source, err)
	}
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
		return readEDN(f.reader, f.source, modelName, f.size)
	case FormatJepsenLog:
		return readJepsenLog(f.reader, f.source, modelName, f.size)
	}
	return nil, fmt.Errorf("%s is a journal of holdfast, which has a trace for each subject", f.source)
}

// How compressed content begins, and what may be before text.
const (
	gzipMagic = "\x1f\x8b"
	zstdMagic = "\x28\xb5\x2f\xfd"
	// A zstd file may begin with frames to be skipped: 0x184d2a50 to …5f.
	skipMagic = "\x2a\x4d\x18"
	byteOrder = "\xef\xbb\xbf"
)

// headSize is how much of a file may come before it shows what it is.
const headSize = 1 << 20

// zstdWindow bounds the memory that a compressed file can ask for.
const zstdWindow = 128 << 20

// decompress sets reader, and size if it can be known.
func (f *File) decompress(r io.Reader) error {
	plain := bufio.NewReaderSize(r, headSize)
	head, err := plain.Peek(4)
	if err != nil && err != io.EOF {
		return err
	}
	switch {
	case string(head[:min(2, len(head))]) == gzipMagic:
		z, err := gzip.NewReader(plain)
		if err != nil {
			return fmt.Errorf("decompress: %w", err)
		}
		f.size = gzipSize(r)
		f.close = append(f.close, z.Close)
		f.reader = bufio.NewReaderSize(z, headSize)
	case string(head) == zstdMagic, len(head) == 4 && head[0]&0xf0 == 0x50 && string(head[1:]) == skipMagic:
		// One decoder at a time: no goroutines to wait for.
		z, err := zstd.NewReader(plain, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(zstdWindow))
		if err != nil {
			return fmt.Errorf("decompress: %w", err)
		}
		f.size = zstdSize(plain)
		f.close = append(f.close, func() error { z.Close(); return nil })
		f.reader = bufio.NewReaderSize(z, headSize)
	default:
		f.size = sizeOf(r)
		if _, ok := r.(*os.File); !ok && f.size > 0 {
			f.size += int64(plain.Buffered()) // Len is what is left
		}
		f.reader = plain
	}
	if head, _ := f.reader.Peek(len(byteOrder)); string(head) == byteOrder {
		_, _ = f.reader.Discard(len(byteOrder)) // it was there
	}
	return nil
}

// gzipSize returns the size of the content that the end of a file tells,
// modulo 4 GiB: it is a hint.
func gzipSize(r io.Reader) int64 {
	file, ok := r.(*os.File)
	if !ok {
		return 0
	}
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() < 18 {
		return 0
	}
	var last [4]byte
	if _, err := file.ReadAt(last[:], info.Size()-4); err != nil {
		return 0
	}
	return int64(binary.LittleEndian.Uint32(last[:]))
}

// zstdSize returns the size that the first frame tells, if it does.
func zstdSize(r *bufio.Reader) int64 {
	head, _ := r.Peek(zstd.HeaderMaxSize) // as many as there are
	var h zstd.Header
	if err := h.Decode(head); err != nil || !h.HasFCS || h.FrameContentSize > 1<<40 {
		return 0
	}
	return int64(h.FrameContentSize)
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
	return "", false
}
