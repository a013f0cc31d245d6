package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/etcd-holdfast/holdfast"
)

// series is a command of several parts that takes minutes: its story on stderr, and
// below it, if that is a terminal, a line that says how far it is.
type series struct {
	status *status
	began  time.Time
	finish func()

	mu    sync.Mutex
	parts []part // what the line says after the time
	ended bool   // by an interrupt
}

// beat is between two drawings of the line, whose time goes on.
const beat = 200 * time.Millisecond

// follow begins a series; its end has to be called.
//
// An interrupt takes the line away: what follows is the story of the end, and a second
// one ends the process where it stands.
func follow(cmd *cobra.Command) *series {
	s := &series{status: newStatus(cmd.ErrOrStderr()), began: time.Now()}
	stop := context.AfterFunc(cmd.Context(), s.interrupt)
	over, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		if s.status.width == nil {
			return // plain lines come when there is something new
		}
		ticker := time.NewTicker(beat)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				s.draw()
			case <-over:
				return
			}
		}
	}()
	s.finish = func() {
		stop()
		close(over)
		<-done
	}
	return s
}

// set says how far the series is; only what is not empty is shown. Where there is no
// terminal the line is shown only if it is news.
func (s *series) set(news bool, parts ...part) {
	s.mu.Lock()
	s.parts = s.parts[:0:0]
	for _, p := range parts {
		if p.text != "" {
			s.parts = append(s.parts, p)
		}
	}
	s.mu.Unlock()
	if news || s.status.width != nil {
		s.draw()
	}
}

// stand is set for runs that have something to find.
func (s *series) stand(now holdfast.Standing) {
	parts := []part{counted(now.Done, now.Planned), {text: fmt.Sprintf("%d found", now.Found)}}
	if now.Missed > 0 {
		parts = append(parts, part{fmt.Sprintf("%d missed", now.Missed), red})
	}
	if now.Alarms > 0 {
		parts = append(parts, part{fmt.Sprintf("%d false %s", now.Alarms, plural("alarm", int64(now.Alarms))), red})
	} else {
		parts = append(parts, part{text: "no false alarm"})
	}
	if len(now.Running) > 0 {
		parts = append(parts, part{text: "now: " + strings.Join(now.Running, ", ")})
	}
	s.set(now.Done > 0, parts...)
}

// counted says how many are done.
func counted(done, planned int) part { return part{text: fmt.Sprintf("%d of %d done", done, planned)} }

func (s *series) draw() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.parts) > 0 {
		s.status.set(append([]part{{text: time.Since(s.began).Truncate(time.Second).String()}}, s.parts...)...)
	}
}

// say tells a line of the story, or several.
func (s *series) say(line string) { s.status.say(line) }

// interrupt takes the line away and says what follows.
func (s *series) interrupt() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.ended = true
		s.status.end()
		s.status.say("interrupted: ending what is under way, then comes what was found by then; once more ends at once")
	}
}

// end takes the line away.
func (s *series) end() {
	s.finish()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	s.status.end()
}
