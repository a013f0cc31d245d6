package holdfast

import (
	"fmt"
	"strings"
)

// SelectionError says that what was asked for by name is not there.
type SelectionError struct {
	// What is the kind of thing, Name the name, and Have what there is.
	What, Name string
	Have       []string
}

func (e *SelectionError) Error() string {
	have := "none"
	if len(e.Have) > 0 {
		have = strings.Join(e.Have, ", ")
	}
	return fmt.Sprintf("there is no %s %q; there are: %s", e.What, e.Name, have)
}
