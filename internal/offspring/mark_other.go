//go:build !linux

package offspring

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Mark names this process, so that it can be asked later, on this machine, whether
// it lives: see Dead.
func Mark() (string, error) { return fmt.Sprintf("%d/%d", os.Getpid(), time.Now().Unix()), nil }

// Dead is true if the process with a mark of this machine's is certain to have ended.
// One whose number another process has by now counts as alive.
func Dead(mark string) bool {
	text, _, _ := strings.Cut(mark, "/")
	pid, err := strconv.Atoi(text)
	return err == nil && !alive(pid)
}
