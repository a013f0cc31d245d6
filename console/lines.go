package console

import (
	"context"
	"errors"
)

// RunOptions say how lines that nobody types are executed.
type RunOptions struct {
	// Echo prints each line before it is executed.
	Echo bool
	// FailFast ends the console after the first command that fails.
	FailFast bool
}

// ErrFailed is returned when a command failed and FailFast was asked for.
var ErrFailed = errors.New("a command failed")

// Run executes lines until there are no more, the user quits, or ctx ends. It
// does not close the console. It returns ErrCrashed, ErrFailed or nil.
func (c *Console) Run(ctx context.Context, lines <-chan string, options RunOptions) error {
	// A command that the console waits for ends with ctx too.
	defer context.AfterFunc(ctx, c.cancelAll)()
	for {
		select {
		case line, more := <-lines:
			if !more {
				if options.FailFast && c.Failures() > 0 {
					return ErrFailed
				}
				return nil
			}
			if options.Echo {
				c.out.line(dim, "%s%s", c.Prompt(), line)
			}
			err := c.Execute(line)
			switch {
			case errors.Is(err, ErrCrashed):
				return ErrCrashed
			case IsQuit(err):
				return nil
			}
			if options.FailFast && c.Failures() > 0 {
				return ErrFailed
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// cancelAll ends every command that runs.
func (c *Console) cancelAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, j := range c.jobs {
		j.cancel(errQuit)
	}
}
