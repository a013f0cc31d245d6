//go:build !unix

package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

// Terminal is a terminal at which somebody types. There is none here.
type Terminal struct{ io.Writer }

// OpenTerminal fails: reading keys beside Ctrl-C needs poll. Lines can be typed
// all the same, without completion and history.
func OpenTerminal(_, _ *os.File) (*Terminal, error) {
	return nil, fmt.Errorf("keys cannot be read on this system: %w", errors.ErrUnsupported)
}

// Run fails.
func (t *Terminal) Run(context.Context, *Console) error { return errors.ErrUnsupported }

// Close has nothing to do.
func (t *Terminal) Close() error { return nil }
