package answers

import (
	"context"
	"errors"
)

// Standing is how far a measurement is.
type Standing struct {
	// Done counts the parts that are measured, of Planned.
	Done, Planned int
	// Now is what is measured now, and SoFar what came out until now in a few words,
	// "" for nothing.
	Now, SoFar string
}

// ErrInterrupted says that a measurement was ended before its time. What is
// returned beside it is of the parts that were through by then; no result, that
// none was.
var ErrInterrupted = errors.New("interrupted before all was measured")

// interrupted is the error of a part: once ctx has ended every other one may come
// from that.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ErrInterrupted
	}
	return err
}
