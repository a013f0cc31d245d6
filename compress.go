package holdfast

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"
)

// compressAbove is the size from which a journal is compressed at the end of its
// run, which makes it about ten times smaller.
const compressAbove = 64 << 20

// The endings of compressed journals. A run directory may have a journal under
// any of them instead of its plain name; the plain one comes first.
const (
	zstdEnding = ".zst"
	gzipEnding = ".gz"
)

// compress replaces a journal that is larger than above by a compressed one. It
// may be killed at any moment: the compressed one appears when it is whole, and
// only then is the plain one removed.
func compress(path, name string, above int64) (err error) {
	in, err := os.Open(filepath.Join(path, name))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("compress %s: %w", name, err)
	}
	defer in.Close()
	stat, err := in.Stat()
	if err != nil {
		return fmt.Errorf("compress %s: %w", name, err)
	}
	if stat.Size() <= above {
		return nil
	}
	temporary := filepath.Join(path, "."+name+zstdEnding)
	out, err := os.Create(temporary)
	if err != nil {
		return fmt.Errorf("compress %s: %w", name, err)
	}
	// It is on the disk before what it replaces is removed.
	if err = errors.Join(zstdTo(out, in, stat.Size()), out.Sync(), out.Close()); err == nil {
		err = os.Rename(temporary, filepath.Join(path, name+zstdEnding))
	}
	if err != nil {
		return fmt.Errorf("compress %s: %w", name, errors.Join(err, os.Remove(temporary)))
	}
	if err := os.Remove(filepath.Join(path, name)); err != nil {
		return fmt.Errorf("compress %s: %w", name, err)
	}
	return nil
}

// zstdTo writes the size bytes of r; the frame says how many they are.
func zstdTo(w io.Writer, r io.Reader, size int64) error {
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		return err
	}
	encoder.ResetContentSize(w, size)
	_, err = io.Copy(encoder, r)
	return errors.Join(err, encoder.Close())
}
