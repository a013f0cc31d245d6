package sim

import (
	"errors"
	"fmt"
	"runtime/debug"
	"testing"
	"testing/synctest"
	_ "unsafe" // for go:linkname

	_ "go.etcd.io/etcd/client/v3" // whose variable this file sets
)

// valCtxCh is the channel of clientv3 that stands for "never done" in the
// contexts of watches. It is made before any bubble, so that a goroutine that
// waits on it is not durably blocked, and virtual time would stand still while
// there is a watch. A nil channel means the same.
//
//go:linkname valCtxCh go.etcd.io/etcd/client/v3.valCtxCh
var valCtxCh chan struct{}

func init() { valCtxCh = nil }

// PanicError is the panic of what ran in a bubble.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// ErrLeftBehind is returned when all was done, but goroutines are left that nothing
// will ever wake. They stay for as long as the process lives.
var ErrLeftBehind = errors.New("goroutines are left behind that wait for what never comes")

// Bubble runs f where time is virtual: it stands still while any goroutine of
// the bubble can run, and then jumps to the next timer. It returns when f and
// every goroutine that it started have ended. It returns as a *PanicError what f
// panicked with, or what the bubble did when nothing would ever wake f, and
// ErrLeftBehind if only others are left. What was made outside, channels, timers and contexts that end, must
// not be waited for within.
//
// It is a bubble of testing/synctest, which promises to work in tests only: that
// it works here with this version of Go is what TestBubble holds.
func Bubble(f func()) (err error) {
	var panicked *PanicError
	returned := false
	defer func() {
		switch p := recover(); {
		case p == nil:
		case panicked != nil:
			err = panicked
		case returned:
			err = ErrLeftBehind
		default:
			err = &PanicError{p, debug.Stack()}
		}
	}()
	synctest.Test(new(testing.T), func(*testing.T) {
		done := make(chan struct{})
		// In a goroutine of its own: testing would take a panic for a test's.
		go func() {
			defer close(done)
			defer func() {
				if p := recover(); p != nil {
					panicked = &PanicError{p, debug.Stack()}
				}
			}()
			f()
			returned = true
		}()
		<-done
	})
	if panicked != nil {
		return panicked
	}
	return nil
}
