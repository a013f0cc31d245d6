package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

// concludeCatalogue ends a command that has run a catalogue and printed its table:
// failed is what went wrong meanwhile, markdown where page is to be written, if
// anywhere, and kept whether all was as the catalogue says.
func concludeCatalogue(cmd *cobra.Command, failed error, markdown string, page func() []byte, kept bool) error {
	if cmd.Context().Err() != nil {
		fmt.Fprintln(cmd.ErrOrStderr(), "interrupted: what is not in the table was not run")
		return exitError{2}
	}
	if failed != nil {
		return failed
	}
	if markdown != "" {
		if err := os.WriteFile(markdown, page(), 0o644); err != nil {
			return fmt.Errorf("write the track record: %w", err)
		}
	}
	if !kept {
		return exitError{1}
	}
	return nil
}
