package workloads

import (
	"errors"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/history"
)

// errNotOwner is why a guarded write was refused.
var errNotOwner = errors.New("the guard does not hold: the client's key is gone")

// hold is one hold that the client has now.
type hold struct {
	subject, object string
	mode            history.Mode
	acquire         int64
	grant           Grant
	// resource is nil if the hold excludes nobody, and so can protect none.
	resource Resource
	guard    Guard
	// worker, if not nil, does the work of the hold itself.
	worker Worker
	// given is true once a release was called, whatever became of it.
	given bool
}

// work does the work of a hold: it reads the protected resource, takes its
// time, and writes back what it made of it. Steps are done meanwhile, at equal
// intervals. It returns false if the client was told meanwhile that its session
// is over and heeds that: it then writes nothing.
func (c *Client) work(s *session, holds []*hold, length time.Duration, guarded bool, steps ...func()) (bool, error) {
	type draft struct{ plain, fenced string }
	drafts := make([]draft, len(holds))
	for i, h := range holds {
		if !c.believes(s, h) {
			return false, nil
		}
		if h.resource == nil || h.worker != nil {
			continue
		}
		if h.mode == history.ReadMode {
			if _, err := c.attempt(h.operation(history.Read, s), h.read(&drafts[i].plain)); errors.Is(err, errDead) {
				return false, err
			}
			continue
		}
		if _, err := c.attempt(h.operation(history.Read, s), h.read(&drafts[i].plain)); errors.Is(err, errDead) {
			return false, err
		}
		if h.grant.Token != 0 {
			if _, err := c.attempt(h.operation(history.FencedRead, s), h.readFenced(&drafts[i].fenced)); errors.Is(err, errDead) {
				return false, err
			}
		}
	}
	told := (<-chan struct{})(s.told)
	if !c.heeds {
		if told = nil; s.Partner != nil {
			told = s.Partner.Ended()
		}
	}
	for i := range len(steps) + 1 {
		if piece := length / time.Duration(len(steps)+1); !c.workedBy(s, holds, piece) {
			// After the heal nobody keeps others waiting.
			sleep(c.ctx, piece, told, c.env.Healed)
		}
		if i < len(steps) && c.ctx.Err() == nil {
			steps[i]()
		}
	}
	c.stand()
	for i, h := range holds {
		if h.mode == history.ReadMode || h.worker != nil {
			continue
		}
		if !c.believes(s, h) {
			return false, nil
		}
		if h.resource != nil {
			write := h.operation(history.Write, s)
			write.Value, write.Prior = c.value(), drafts[i].plain
			if _, err := c.attempt(write, h.write(write.Value)); errors.Is(err, errDead) {
				return false, err
			}
		}
		if h.resource != nil && h.grant.Token != 0 {
			write := h.operation(history.FencedWrite, s)
			write.Value, write.Prior = c.value(), drafts[i].fenced
			if _, err := c.attempt(write, h.writeFenced(write.Value)); errors.Is(err, errDead) {
				return false, err
			}
		}
		if guarded && h.guard != nil {
			if err := c.writeGuarded(s, h); errors.Is(err, errDead) {
				return false, err
			}
		}
	}
	for _, h := range holds {
		if !c.believes(s, h) {
			return false, nil
		}
	}
	return c.ctx.Err() == nil, nil
}

// workedBy has those holds' workers work that have some, one after another. It
// returns false if none has.
func (c *Client) workedBy(s *session, holds []*hold, length time.Duration) bool {
	worked := false
	for _, h := range holds {
		if h.worker == nil {
			continue
		}
		worked = true
		if !c.believes(s, h) {
			break
		}
		if c.env.healed() {
			length = min(length, time.Millisecond)
		}
		if err := c.delegate(s, h, length/time.Duration(len(holds))); err != nil {
			break // what it left undone harms nobody; a release follows
		}
	}
	return worked
}

// believes is true unless the client was told that its session is over and
// heeds it. A hold that began after the client was told ends here. The dead are
// told nothing: what they do next comes to nothing, and the end of their session
// reaches them sooner or later than that of their life.
func (c *Client) believes(s *session, h *hold) bool {
	if !c.heeds && !s.gone.Load() || c.ctx.Err() != nil {
		return true
	}
	select {
	case <-s.told:
		c.lose(s, h.acquire)
		return false
	default:
		return true
	}
}

func (h *hold) operation(kind history.Kind, s *session) history.Operation {
	op := history.Operation{
		Subject: h.subject, Object: h.object, Kind: kind, Mode: h.mode, Lease: s.lease, Hold: h.acquire,
	}
	if kind == history.FencedRead || kind == history.FencedWrite || kind == history.GuardedWrite {
		op.Key, op.Token = h.grant.Key, h.grant.Token
	}
	return op
}

func (h *hold) read(into *string) func(*history.Completion) error {
	return func(done *history.Completion) error {
		*into, done.Revision = h.resource.Read()
		done.Value = *into
		return nil
	}
}

func (h *hold) write(value string) func(*history.Completion) error {
	return func(done *history.Completion) error {
		done.Revision = h.resource.Write(value)
		return nil
	}
}

func (h *hold) readFenced(into *string) func(*history.Completion) error {
	return func(done *history.Completion) (err error) {
		*into, done.Revision, err = h.resource.ReadFenced(h.grant.Token)
		done.Value = *into
		return WithoutEffect(err)
	}
}

func (h *hold) writeFenced(value string) func(*history.Completion) error {
	return func(done *history.Completion) (err error) {
		done.Revision, err = h.resource.WriteFenced(h.grant.Token, value)
		return WithoutEffect(err)
	}
}

// writeGuarded writes to etcd on the condition that the client's key exists.
func (c *Client) writeGuarded(s *session, h *hold) error {
	op := h.operation(history.GuardedWrite, s)
	op.Value = c.value()
	ctx, cancel, deadline := c.within(2*time.Second, false)
	defer cancel()
	op.Deadline = deadline
	key := c.env.Prefix + GuardPrefix + h.subject + "/" + h.object
	_, err := c.attempt(op, func(done *history.Completion) error {
		reply, err := s.Client.Txn(ctx).If(h.guard.IsOwner()).Then(clientv3.OpPut(key, op.Value)).Commit()
		if err != nil {
			return err
		}
		if !reply.Succeeded {
			return WithoutEffect(errNotOwner)
		}
		done.Revision = reply.Header.Revision
		return nil
	})
	return err
}
