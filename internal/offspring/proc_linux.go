package offspring

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// stat is what is wanted of /proc/PID/stat; see proc_pid_stat(5).
type stat struct {
	state   byte
	parent  int
	ticks   int64 // user and system time, in clock ticks
	started int64 // ticks since boot
}

func readStat(pid int) (stat, error) { return readStatFile(fmt.Sprintf("/proc/%d/stat", pid)) }

func readStatFile(file string) (stat, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return stat{}, err
	}
	// The name, in parentheses, may hold anything.
	end := bytes.LastIndexByte(text, ')')
	fields := strings.Fields(string(text[end+1:]))
	if end < 0 || len(fields) < 20 {
		return stat{}, fmt.Errorf("%s is not understood: %q", file, text)
	}
	numbers := make([]int64, 4)
	for i, field := range []int{1, 11, 12, 19} {
		if numbers[i], err = strconv.ParseInt(fields[field], 10, 64); err != nil {
			return stat{}, fmt.Errorf("%s: %w", file, err)
		}
	}
	return stat{state: fields[0][0], parent: int(numbers[0]), ticks: numbers[1] + numbers[2], started: numbers[3]}, nil
}

func (s stat) ended() bool { return s.state == 'Z' || s.state == 'X' }

// allProcesses lists the ids of all processes that can be seen.
func allProcesses() ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// descendants are the living processes below one, itself left out.
func descendants(root int) []int {
	pids, err := allProcesses()
	if err != nil {
		return nil
	}
	children := make(map[int][]int)
	for _, pid := range pids {
		if s, err := readStat(pid); err == nil && !s.ended() {
			children[s.parent] = append(children[s.parent], pid)
		}
	}
	below := slices.Clone(children[root])
	for i := 0; i < len(below); i++ {
		below = append(below, children[below[i]]...)
	}
	return below
}

// standing says how many threads of a process, and of those that belong to it,
// stand, and how much time they have had.
type standing struct {
	threads, stopped int
	ticks            int64
}

func (s standing) stands() bool { return s.threads > 0 && s.stopped == s.threads }

func (p *Process) standing() (standing, error) {
	var all standing
	for _, pid := range p.pids() {
		tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
		if err != nil {
			return all, err
		}
		for _, task := range tasks {
			s, err := readStatFile(task)
			switch {
			case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ESRCH): // it has just ended
				continue
			case err != nil:
				return all, err
			case s.ended():
				continue
			}
			all.threads++
			all.ticks += s.ticks
			if s.state == 'T' {
				all.stopped++
			}
		}
	}
	if all.threads == 0 {
		return all, errEnded
	}
	return all, nil
}
