package playground

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"time"
)

// Order is what is asked of the process of a cluster.
type Order struct {
	// Do is one of the constants below.
	Do string `json:"do"`
	// Member is whom it is about: of crash, restart and isolate.
	Member string `json:"member,omitempty"`
}

// The orders that there are.
const (
	DoStatus  = "status"
	DoCrash   = "crash"
	DoRestart = "restart"
	// DoIsolate cuts a member off from all others; clients can still reach it.
	DoIsolate = "isolate"
	// DoHeal lifts every isolation. Crashed members stay down.
	DoHeal = "heal"
	DoDown = "down"
)

// Answer is what the process of a cluster replies.
type Answer struct {
	Error string `json:"error,omitempty"`
	// Serving is false while the members are still being started.
	Serving bool     `json:"serving"`
	State   State    `json:"state"`
	Members []Member `json:"members,omitempty"`
}

// Member is the condition of one member.
type Member struct {
	Name     string `json:"name"`
	Endpoint string `json:"endpoint"`
	Running  bool   `json:"running"`
	Leads    bool   `json:"leads"`
	// Leader is whom it follows, "" if it knows none.
	Leader   string `json:"leader,omitempty"`
	Term     uint64 `json:"term"`
	Isolated bool   `json:"isolated"`
}

// ErrNotUp is returned when no process runs the cluster.
var ErrNotUp = errors.New("it is not up")

// controlTimeout bounds how long an order may take: a member that is restarted
// without a quorum waits for one.
const controlTimeout = 30 * time.Second

// Ask gives an order to the process of a cluster and returns its answer, or
// ErrNotUp. An answer that tells of an error is returned with that error.
func (p Place) Ask(ctx context.Context, order Order) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, controlTimeout)
	defer cancel()
	answer, err := p.ask(ctx, order)
	if err != nil {
		if up, lockErr := p.up(); lockErr == nil && !up {
			err = ErrNotUp
		}
		return Answer{}, fmt.Errorf("cluster %s: %w", p.Name, err)
	}
	if answer.Error != "" {
		return answer, fmt.Errorf("cluster %s: %s", p.Name, answer.Error)
	}
	return answer, nil
}

func (p Place) ask(ctx context.Context, order Order) (Answer, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", p.control())
	if err != nil {
		return Answer{}, err
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	if err := json.NewEncoder(conn).Encode(order); err != nil {
		return Answer{}, err
	}
	var answer Answer
	if err := json.NewDecoder(conn).Decode(&answer); err != nil {
		return Answer{}, fmt.Errorf("no answer to %s: %w", order.Do, errors.Join(err, ctx.Err()))
	}
	return answer, nil
}

// up is true if a process holds the lock.
func (p Place) up() (bool, error) {
	file, err := p.tryLock()
	if err != nil || file == nil {
		return err == nil, err
	}
	return false, file.Close()
}
