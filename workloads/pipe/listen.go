package pipe

import (
	"context"
	"errors"
	"os"
	"strconv"
	"time"
	"unicode/utf8"
)

// listen hears what the program writes until it ends, and then says why.
func (p *Program) listen(stdout *os.File) {
	defer close(p.ended)
	defer func() { _ = stdout.Close() }()
	err := eachLine(stdout, false, p.out.begin, func(line []byte) bool {
		p.out.add(line)
		return p.hear(line)
	})
	if errors.Is(err, errLongLine) {
		p.note(flooded, "it wrote %v", err)
		p.kill()
		return
	}
	timer := time.NewTimer(p.patience.End)
	defer timer.Stop()
	select {
	case <-p.process.Done():
		<-p.logged // which is soon, and may say why
		if !p.isEnding() {
			p.note(died, "it %s", end(p.process.Err()))
		}
	case <-timer.C:
		if !p.isEnding() {
			p.note(closedOutput, "its standard output has ended, and it goes on")
			p.kill()
		}
	}
}

func (p *Program) isEnding() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ending
}

// end says how a process ended.
func end(err error) string {
	var exit interface{ ExitCode() int }
	if err == nil {
		return "ended by itself, with exit code 0"
	}
	if !errors.As(err, &exit) {
		return "ended: " + err.Error()
	}
	switch code := exit.ExitCode(); {
	case code == 127:
		return "ended with exit code 127: the command was not found"
	case code > 128 && code < 192:
		return "was killed by signal " + strconv.Itoa(code-128) + " (exit code " + strconv.Itoa(code) + ")"
	default:
		return "ended with exit code " + strconv.Itoa(code)
	}
}

// keepLog keeps what the program writes on its standard error.
func (p *Program) keepLog(stderr *os.File) {
	defer close(p.logged)
	defer func() { _ = stderr.Close() }()
	defer func() { _ = p.log.Close() }()
	_ = eachLine(stderr, true, p.err.begin, func(line []byte) bool {
		p.err.add(line)
		_, _ = p.log.Write(append(line, '\n'))
		return true
	})
}

// hear takes one line. It returns false when no more is to be heard.
func (p *Program) hear(line []byte) bool {
	if len(line) == 0 {
		return p.strays()
	}
	f, err := parse(line)
	if err != nil || f.by == nil {
		if utf8.Valid(line) {
			p.note(noJSON, "it wrote %s", quoted(line))
		} else {
			p.note(noJSON, "it wrote %s, which is no UTF-8", quoted(line))
		}
		return p.strays()
	}
	switch {
	case f.has("id") && f.has("ok"): // whatever else it has
		return p.hearAnswer(f, line)
	case f.has("call"):
		return p.hearCall(f)
	case f.has("event"):
		return p.hearEvent(f)
	case f.has("id"):
		return p.hearAnswer(f, line)
	}
	p.note(noProtocol, `it wrote %s, which has neither "id" nor "event" nor "call"`, quoted(line))
	return p.strays()
}

func quoted(line []byte) string {
	if len(line) > tailWidth {
		line = append(append([]byte(nil), line[:tailWidth]...), "…"...)
	}
	return strconv.QuoteToGraphic(string(line))
}

// strays counts a line that answers nothing. Of too many, the program is killed.
func (p *Program) strays() bool {
	p.mu.Lock()
	p.stray++
	few := p.stray <= maxStray
	p.mu.Unlock()
	if !few {
		p.note(flooded, "it wrote more than %d lines that answer nothing", maxStray)
		p.kill()
	}
	return few
}

func (p *Program) hearAnswer(f *fields, line []byte) bool {
	id := f.integer("id")
	p.mu.Lock()
	q := p.pending[id]
	delete(p.pending, id)
	asked := id <= p.last && id > 0
	p.mu.Unlock()
	switch {
	case q != nil:
		q.answer <- f
		close(q.over)
		return true
	case asked:
		p.note(notAsked, "it answered request %d a second time: %s", id, quoted(line))
	default:
		p.note(notAsked, "it answered a request of another id than it was asked: %s", quoted(line))
	}
	return p.strays()
}

// waitingFor returns the request with an id, or, if id is zero, of an op.
func (p *Program) waitingFor(id int64, op string) *pending {
	p.mu.Lock()
	defer p.mu.Unlock()
	if id != 0 {
		if q := p.pending[id]; q != nil && q.op == op {
			return q
		}
		return nil
	}
	for _, q := range p.pending {
		if q.op == op {
			return q
		}
	}
	return nil
}

func (p *Program) hearEvent(f *fields) bool {
	p.mu.Lock()
	few := p.events.spend()
	p.mu.Unlock()
	if !few {
		p.note(flooded, "it told more than %d events a second", maxRate)
		p.kill()
		return false
	}
	switch event := f.text("event"); event {
	case "lost":
		p.mu.Lock()
		first := !p.isLost
		p.isLost = true
		p.mu.Unlock()
		if first {
			close(p.lost)
			return true
		}
		return p.strays()
	case "observed":
		q := p.waitingFor(f.integer("id"), "observe")
		if q == nil {
			return p.strays() // of an observation that is over
		}
		select {
		case q.observed <- f:
		case <-q.over:
		case <-p.process.Done():
		}
		return true
	default:
		p.note(noProtocol, "it told of an event %s; there are lost and observed", quoted([]byte(event)))
		return p.strays()
	}
}

// hearCall takes what a program asks for while it works.
func (p *Program) hearCall(f *fields) bool {
	if q := p.waitingFor(0, "work"); q != nil {
		select {
		case q.asked <- f:
		case <-q.over:
			return p.hearCallLate(f)
		case <-p.process.Done():
		}
		return true
	}
	return p.hearCallLate(f)
}

func (p *Program) hearCallLate(f *fields) bool {
	p.note(outOfTurn, "it asked to %s the resource while it was not at work", quoted([]byte(f.text("call"))))
	reply := request{"ok": false, "error": "there is no work under way"}
	if id, ok := f.by["id"]; ok {
		reply["answer"] = id
	}
	if err := p.write(reply); err != nil {
		return false
	}
	return p.strays()
}

// notAskedFor is why a program was not asked at all: it did nothing.
func notAskedFor(err error) error {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || errors.Is(err, errEnded) {
		return withoutEffect(err)
	}
	return err
}
