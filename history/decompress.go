package history

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Content is what a file holds once it is decompressed.
type Content struct {
	*bufio.Reader
	// Compressed is true if the file was.
	Compressed bool
	size       int64
	close      func() error
}

// Len is about how many bytes there are in all, 0 if that is not known. It is
// a hint: a file can say what it likes.
func (c *Content) Len() int { return int(c.size) }

// Close releases what decompression took. It does not close the file.
func (c *Content) Close() error {
	if c.close == nil {
		return nil
	}
	return c.close()
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

// Decompress returns the content of r, which may be compressed by gzip or
// zstd: that shows in its first bytes. A byte order mark before it is dropped.
func Decompress(r io.Reader) (*Content, error) {
	plain := bufio.NewReaderSize(r, headSize)
	head, err := plain.Peek(4)
	if err != nil && err != io.EOF {
		return nil, err
	}
	c := &Content{Reader: plain}
	switch {
	case string(head[:min(2, len(head))]) == gzipMagic:
		z, err := gzip.NewReader(plain)
		if err != nil {
			return nil, fmt.Errorf("decompress: %w", err)
		}
		c.Reader, c.Compressed, c.size, c.close = bufio.NewReaderSize(z, headSize), true, gzipSize(r), z.Close
	case string(head) == zstdMagic, len(head) == 4 && head[0]&0xf0 == 0x50 && string(head[1:]) == skipMagic:
		size := zstdSize(plain)
		// One decoder at a time: no goroutines to wait for.
		z, err := zstd.NewReader(plain, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(zstdWindow), zstd.WithDecoderLowmem(true))
		if err != nil {
			return nil, fmt.Errorf("decompress: %w", err)
		}
		c.Reader, c.Compressed, c.size = bufio.NewReaderSize(z, headSize), true, size
		c.close = func() error { z.Close(); return nil }
	default:
		if c.size = size(r); c.size > 0 {
			if _, ok := r.(*os.File); !ok {
				c.size += int64(plain.Buffered()) // Len is what is left
			}
		}
	}
	if head, _ := c.Peek(len(byteOrder)); string(head) == byteOrder {
		_, _ = c.Discard(len(byteOrder)) // it was there
	}
	return c, nil
}

// gzipSize returns the size of the content that the end of a file tells,
// modulo 4 GiB.
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
