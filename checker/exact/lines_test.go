package exact

import (
	"fmt"
	"strings"

	"github.com/etcd-holdfast/holdfast/history"
)

// lines writes a history for a failed test.
func lines(calls []history.Call) string {
	var b strings.Builder
	for _, c := range calls {
		end := "-"
		if c.Return != history.NoReturn {
			end = fmt.Sprint(c.Return)
		}
		fmt.Fprintf(&b, "#%d p%d [%d,%s] %s value %d argument %d revision %d %s\n", c.ID, c.Process, c.Invoke, end,
			c.Function, c.Value, c.Argument, c.Revision, [...]string{"unknown", "succeeded", "refused"}[c.Known])
	}
	return b.String()
}
