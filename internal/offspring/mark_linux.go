package offspring

import (
	"os"
	"strconv"
	"strings"
)

// Mark names this process, so that it can be asked later, on this machine, whether
// it lives: see Dead.
func Mark() (string, error) {
	mark, err := ownMark()
	if err != nil {
		return "", err
	}
	return mark + "/" + pidNamespace(), nil
}

// Dead is true if the process with a mark of this machine's is certain to have ended.
// Of one in another PID namespace nobody can say it, unless the machine was booted
// since.
func Dead(mark string) bool {
	parts := strings.Split(mark, "/")
	boot, err := bootID()
	if err != nil || len(parts) != 4 {
		return false
	}
	if parts[2] != boot {
		return true
	}
	pid, err := strconv.Atoi(parts[0])
	if err != nil || parts[3] != pidNamespace() {
		return false
	}
	s, err := readStat(pid)
	return err != nil || s.ended() || strconv.FormatInt(s.started, 10) != parts[1]
}

// pidNamespace names that of this process: numbers of processes mean nothing in
// another.
func pidNamespace() string {
	name, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return ""
	}
	return name
}
