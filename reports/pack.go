package reports

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"time"
)

// numbers are columns one after the other, each number in as few bytes as it
// needs: base 128, the lowest seven bits first. script/data.js reads them.
type numbers struct{ b []byte }

// number appends v, which is not negative.
func (c *numbers) number(v int64) { c.b = binary.AppendUvarint(c.b, uint64(max(v, 0))) }

// signed appends any v.
func (c *numbers) signed(v int64) { c.b = binary.AppendVarint(c.b, v) }

// time appends a time that is not negative, in microseconds.
func (c *numbers) time(t time.Duration) { c.number(micros(t)) }

func micros(t time.Duration) int64 { return int64(t / time.Microsecond) }

// packed is a header and columns as text: base64 of a deflated stream that has
// the header's length in four bytes, the lowest first, the header as JSON, and
// the columns.
func packed(header any, c *numbers) (string, error) {
	head, err := json.Marshal(header)
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.DefaultCompression)
	if err != nil {
		return "", err
	}
	size := binary.LittleEndian.AppendUint32(nil, uint32(len(head)))
	for _, part := range [][]byte{size, head, c.b} {
		if _, err := w.Write(part); err != nil {
			return "", err
		}
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(b.Bytes()), nil
}
