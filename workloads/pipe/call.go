package pipe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"
)

// request is what a program is asked; call adds its id and its time.
type request map[string]any

// pending is a request that was not answered yet.
type pending struct {
	op     string
	answer chan *fields
	// observed takes the events of an observation, and asked what the program asks
	// for while it works; reply is what that is answered with. They may be nil. over
	// is closed when nobody listens.
	observed chan *fields
	asked    chan *fields
	reply    func(*fields) request
	over     chan struct{}
}

// call asks the program for something and waits for the answer. An error
// without effect on the program is certain. One that has not answered overtime
// after the end of ctx is killed. Listener hears the rest, and may be nil.
func (p *Program) call(ctx context.Context, r request, listener func(*pending) error) (*fields, error) {
	return p.callWith(ctx, r, nil, listener)
}

// callWith is call, with the replies to what the program asks meanwhile.
func (p *Program) callWith(ctx context.Context, r request, reply func(*fields) request, listener func(*pending) error) (*fields, error) {
	select {
	case <-p.ended:
		return nil, notAskedFor(errEnded)
	default:
	}
	select {
	case p.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, notAskedFor(ctx.Err())
	case <-p.ended:
		return nil, notAskedFor(errEnded)
	}
	q, id, err := p.send(ctx, r, reply)
	if op, _ := r["op"].(string); op == "observe" || err != nil {
		<-p.turn
	} else {
		defer func() { <-p.turn }()
	}
	if err != nil {
		return nil, err
	}
	defer p.forget(id, q)
	return p.await(ctx, r, id, q, listener)
}

// send writes a request.
func (p *Program) send(ctx context.Context, r request, reply func(*fields) request) (*pending, int64, error) {
	q := &pending{answer: make(chan *fields, 1), over: make(chan struct{})}
	q.op, _ = r["op"].(string)
	switch q.op {
	case "observe":
		q.observed = make(chan *fields)
	case "work":
		q.asked, q.reply = make(chan *fields), reply
	}
	if deadline, ok := ctx.Deadline(); ok && q.op != "observe" {
		r["timeout_ms"] = max(time.Until(deadline).Milliseconds(), 1)
	}
	p.mu.Lock()
	p.last++
	id := p.last
	r["id"] = id
	p.pending[id] = q
	p.mu.Unlock()
	if err := p.write(r); err != nil {
		p.forget(id, q)
		return nil, 0, err
	}
	return q, id, nil
}

// tick is how often it is looked whether a program that is waited for is frozen:
// such a time does not count.
const tick = 50 * time.Millisecond

// write writes a line. A program that does not read it in time is killed.
func (p *Program) write(message any) error {
	line, err := json.Marshal(message)
	if err != nil {
		return err
	}
	line = append(line, '\n')
	p.writing.Lock()
	defer p.writing.Unlock()
	for left := p.patience.Overtime; left > 0; {
		_ = p.stdin.SetWriteDeadline(time.Now().Add(tick))
		n, err := p.stdin.Write(line)
		if err == nil {
			return nil
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return p.deaf()
		}
		if line = line[n:]; p.frozen.Load() == 0 {
			left -= tick
		}
	}
	p.note(hung, "it does not read what it is told")
	p.kill()
	return errEnded
}

// deaf is the error of a program whose input cannot be written to.
func (p *Program) deaf() error {
	// It has closed its input, by its death as a rule: whoever listens tells.
	timer := time.NewTimer(p.patience.End)
	defer timer.Stop()
	select {
	case <-p.ended:
	case <-p.life.Done():
	case <-timer.C:
		p.note(closedInput, "its standard input is closed, and it goes on")
		p.kill()
	}
	return errEnded
}

func (p *Program) forget(id int64, q *pending) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pending[id] == q {
		delete(p.pending, id)
		close(q.over)
	}
}

// await waits for the answer.
func (p *Program) await(ctx context.Context, r request, id int64, q *pending, listener func(*pending) error) (*fields, error) {
	if listener != nil {
		if err := listener(q); err != nil {
			return nil, err
		}
	}
	for ctx.Err() == nil {
		select {
		case f := <-q.answer:
			return p.judge(q, f)
		case <-q.observed: // nobody listens any more
		case f := <-q.asked:
			if err := p.write(q.reply(f)); err != nil {
				return nil, err
			}
		case <-p.ended:
			return p.late(q)
		case <-p.life.Done():
			return nil, p.life.Err()
		case <-ctx.Done():
		}
	}
	if p.Can("cancel") || q.op == "observe" {
		if err := p.write(request{"op": "cancel", "of": id}); err != nil {
			return nil, err
		}
	}
	began := time.Now()
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for left := p.patience.Overtime; left > 0; {
		select {
		case f := <-q.answer:
			return p.judge(q, f)
		case <-q.observed: // which was on its way when the observation was cancelled
		case f := <-q.asked: // one that stood still works on when it wakes
			if err := p.write(q.reply(f)); err != nil {
				return nil, err
			}
		case <-p.ended:
			return p.late(q)
		case <-p.life.Done():
			return nil, p.life.Err()
		case <-ticker.C:
			if p.frozen.Load() == 0 {
				left -= tick
			}
		}
	}
	p.note(hung, "it has not answered %s %v after its time was over (%s)", q.op, time.Since(began).Round(100*time.Millisecond), p.silence())
	p.kill()
	return nil, fmt.Errorf("%s was not answered: %w", r["op"], context.Cause(ctx))
}

// silence is what may be behind an answer that does not come.
func (p *Program) silence() string {
	if p.out.isOpen() {
		return "it has begun a line, and not ended it"
	}
	return "does it flush what it writes?"
}

// late is the answer of a program that has ended, if it gave one before.
func (p *Program) late(q *pending) (*fields, error) {
	select {
	case f := <-q.answer:
		return p.judge(q, f)
	default:
		return nil, errEnded
	}
}

// judge says whether an answer is of success.
func (p *Program) judge(q *pending, f *fields) (*fields, error) {
	ok, text := f.truth("ok"), f.text("error")
	taken, none := f.truth("taken"), f.truth("none")
	f.truth("certain")
	switch {
	case f.wrong != "":
		p.note(noProtocol, "in its answer to %s %s", q.op, f.wrong)
		return nil, errors.New(f.wrong)
	case !f.has("ok"):
		p.note(noProtocol, `its answer to %s has no "ok"`, q.op)
		return nil, errors.New(`the answer has no "ok"`)
	case ok && (taken || none && q.op != "leader" || f.has("error") && text != ""):
		p.note(contradicted, "its answer to %s says ok, and that it failed", q.op)
		return nil, errors.New("the answer says ok, and that it failed")
	case ok:
		return f, nil
	case text == "":
		text = "the program gave no reason"
	}
	return f, certainty(f, text)
}
