package workloads

import (
	"bytes"
	"regexp"
)

// goroutineLine is the number and state of a goroutine, and of its bubble.
var goroutineLine = regexp.MustCompile(`\bgoroutine( \d+)?( \[[^\]]*\])?`)

// plainStack is a stack trace without what differs between two runs that do the
// same: the numbers of goroutines, and the values of arguments, which are mostly
// addresses.
func plainStack(stack []byte) []byte {
	lines := bytes.Split(stack, []byte("\n"))
	for i, line := range lines {
		if bytes.HasPrefix(line, []byte("\t")) {
			continue
		}
		line = goroutineLine.ReplaceAll(line, []byte("goroutine"))
		if from := arguments(line); from >= 0 {
			line = append(line[:from:from], "(...)"...)
		}
		lines[i] = line
	}
	return bytes.Join(lines, []byte("\n"))
}

// arguments is where the arguments of a call begin that ends a line, or -1.
func arguments(line []byte) int {
	if !bytes.HasSuffix(line, []byte(")")) || bytes.HasSuffix(line, []byte("()")) {
		return -1
	}
	open := 0
	for i := len(line) - 1; i >= 0; i-- {
		switch line[i] {
		case ')':
			open++
		case '(':
			if open--; open == 0 {
				return i
			}
		}
	}
	return -1
}
