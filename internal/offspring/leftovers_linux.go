package offspring

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Leftovers finds the processes that a harness has left behind which is dead. It
// sees those whose environment it may read.
func Leftovers() ([]Leftover, error) {
	boot, err := bootID()
	if err != nil {
		return nil, err
	}
	pids, err := allProcesses()
	if err != nil {
		return nil, err
	}
	var found []Leftover
	for _, pid := range pids {
		mark := markOf(pid)
		parts := strings.Split(mark, "/")
		if len(parts) != 3 || parts[2] != boot || pid == os.Getpid() {
			continue
		}
		harness, err := strconv.Atoi(parts[0])
		if err != nil {
			continue
		}
		if s, err := readStat(harness); err == nil && !s.ended() && strconv.FormatInt(s.started, 10) == parts[1] {
			continue // it lives
		}
		if s, err := readStat(pid); err != nil || s.ended() {
			continue
		}
		found = append(found, Leftover{PID: pid, Command: commandOf(pid), Harness: harness})
	}
	return found, nil
}

// Remove kills it, and returns when it has ended.
func (l Leftover) Remove() error {
	if err := syscall.Kill(l.PID, syscall.SIGKILL); err != nil && err != syscall.ESRCH {
		return fmt.Errorf("kill process %d (%s): %w", l.PID, l.Command, err)
	}
	for deadline := time.Now().Add(killPatience); time.Now().Before(deadline); {
		if s, err := readStat(l.PID); err != nil || s.ended() {
			return nil
		}
		timer := time.NewTimer(lookPause)
		<-timer.C
	}
	return fmt.Errorf("kill process %d (%s): it has not ended after %v", l.PID, l.Command, killPatience)
}

// markOf is the mark in a process's environment, or "".
func markOf(pid int) string {
	environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil {
		return ""
	}
	for _, entry := range slices.Backward(bytes.Split(environ, []byte{0})) {
		if mark, ok := bytes.CutPrefix(entry, []byte(markVariable+"=")); ok {
			return string(mark)
		}
	}
	return ""
}

func commandOf(pid int) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return ""
	}
	return string(bytes.TrimSpace(bytes.ReplaceAll(text, []byte{0}, []byte{' '})))
}
