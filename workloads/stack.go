package workloads

import "regexp"

var (
	goroutineNumber = regexp.MustCompile(`\bgoroutine \d+`)
	bubbleNumber    = regexp.MustCompile(`, synctest bubble \d+`)
	argumentValues  = regexp.MustCompile(`\((?:\{?0x[^()]*|\.\.\.)\)\n`)
)

// plainStack is a stack trace without what differs between two runs that do the
// same: the numbers of goroutines and of bubbles, and the values of arguments,
// which are mostly addresses.
func plainStack(stack []byte) []byte {
	stack = goroutineNumber.ReplaceAll(stack, []byte("goroutine"))
	stack = bubbleNumber.ReplaceAll(stack, nil)
	return argumentValues.ReplaceAll(stack, []byte("(...)\n"))
}
