package console

import (
	"errors"
	"fmt"
	"time"

	"github.com/etcd-holdfast/holdfast/cluster/link"
)

// harm is what the user does, or did last, to the console's own links.
type harm struct {
	// kind is "cut" or "pause", "" if there never was any.
	kind    string
	began   time.Time
	healed  time.Time     // zero while it lasts
	resumed chan struct{} // of a pause: closed when it is healed
	lifts   []func()
}

func (h *harm) lasts() bool { return h.kind != "" && h.healed.IsZero() }

func (h *harm) paused() bool { return h.kind == "pause" && h.lasts() }

// since says how long ago the harm began, and "" if it was healed more than
// ttl ago: a loss now has another reason.
func (h *harm) since(ttl time.Duration) string {
	if h.kind == "" || !h.lasts() && time.Since(h.healed) > ttl {
		return ""
	}
	when := "after"
	if h.paused() {
		when = "into"
	}
	return fmt.Sprintf(" %.1fs %s the %s", time.Since(h.began).Seconds(), when, h.kind)
}

// impose does harm to all links.
func (c *Console) impose(kind string, condition link.Condition) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.harm.lasts() {
		return fmt.Errorf("there is a %s already: heal first", c.harm.kind)
	}
	c.harm = harm{kind: kind, began: time.Now(), resumed: make(chan struct{})}
	for _, l := range c.links {
		c.harm.lifts = append(c.harm.lifts, l.Impose(condition))
	}
	return nil
}

func (c *Console) cut(*job, []string) error {
	before := c.severed()
	if err := c.impose("cut", link.Condition{Cut: true}); err != nil {
		return err
	}
	c.out.line(yellow, "cut: %d connections to %d endpoints severed, new ones are refused%s", c.severed()-before, len(c.links), c.doom())
	return nil
}

func (c *Console) severed() (count int64) {
	for _, l := range c.links {
		count += l.Stats().Severed
	}
	return count
}

func (c *Console) pause(*job, []string) error {
	if err := c.impose("pause", link.Condition{StallToTarget: true, StallToDialler: true}); err != nil {
		return err
	}
	c.out.line(yellow, "paused, like a process under SIGSTOP: no keepalive leaves, no answer arrives, nothing is told until heal%s", c.doom())
	return nil
}

// doom says what harm means for the session.
func (c *Console) doom() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.session == nil {
		return ""
	}
	return fmt.Sprintf("; lease %s runs out within %v", leaseText(c.session.lease), c.session.ttl)
}

// awaitResumed returns when the console is not paused, or ends.
func (c *Console) awaitResumed() {
	for {
		c.mu.Lock()
		h := c.harm
		c.mu.Unlock()
		if !h.paused() {
			return
		}
		select {
		case <-h.resumed:
		case <-c.ctx.Done():
			return
		}
	}
}

func (c *Console) heal(j *job, _ []string) error {
	c.mu.Lock()
	if !c.harm.lasts() {
		c.mu.Unlock()
		return errors.New("there is nothing to heal")
	}
	c.harm.healed = time.Now()
	h, s := c.harm, c.session
	c.mu.Unlock()
	c.out.line(green, "healed, %.1fs after the %s", h.healed.Sub(h.began).Seconds(), h.kind)
	for _, lift := range h.lifts {
		lift()
	}
	close(h.resumed)
	if s != nil {
		select {
		case <-s.Done(): // already: that comes first
			select {
			case <-s.told:
			case <-j.ctx.Done():
			}
		default:
		}
	}
	c.look(j.ctx, requestTimeout)
	return nil
}

// crash ends the console so that etcd hears nothing of it any more.
func (c *Console) crash(*job, []string) error {
	c.mu.Lock()
	c.ended = true
	s, name := c.session, c.name
	c.mu.Unlock()
	// From here on nothing leaves. What Close returns is of listeners that
	// were to be closed: they are.
	_ = c.network.Close()
	lease := ""
	if s != nil {
		lease = fmt.Sprintf("; lease %s runs out within %v", leaseText(s.lease), s.ttl)
	}
	c.out.line(red, "%s crashed: nobody is told%s", name, lease)
	return ErrCrashed
}
