package netguard

import (
	"fmt"
	"os"
)

// Guard is what a process in the role Role does: it serves on its standard input
// and output. It returns the exit code.
func Guard() int {
	if err := Serve(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
