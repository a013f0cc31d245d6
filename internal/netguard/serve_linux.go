package netguard

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Serve guards the network namespace that this process is in, by what it reads
// from in, until that ends. It tells what it
// cannot do on out. It uses the thread that it is called on, and no other, for
// all that has to do with the namespace.
func Serve(in io.Reader, out io.Writer) error {
	tell := json.NewEncoder(out)
	t, err := newTable()
	if err != nil {
		err = fmt.Errorf("guard a network namespace: %w", err)
		return errors.Join(err, tell.Encode(hello{Protocol: protocol, Problem: err.Error()}))
	}
	s := &server{table: t, severed: make(map[address]int64)}
	h := hello{Protocol: protocol, Table: t.name()}
	if err := probeDelay(); err != nil {
		h.NoDelay = err.Error()
	}
	err = tell.Encode(h)
	for heard := json.NewDecoder(in); err == nil; {
		var r request
		if err = heard.Decode(&r); err == nil && r.End {
			break
		}
		if err == nil {
			err = tell.Encode(s.answer(r))
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return errors.Join(err, s.end())
}

// server is a guard.
type server struct {
	table   *table
	severed map[address]int64
	delay   *netem // nil if nothing is delayed
	delayed int64  // by those before
}

func (s *server) answer(r request) answer {
	a := answer{ID: r.ID}
	var problems []error
	if r.Orders != nil {
		problems = append(problems, s.obey(*r.Orders, r.Replaces))
	}
	var err error
	a.Counts, err = s.counts()
	if err := errors.Join(append(problems, err)...); err != nil {
		a.Error = err.Error()
	}
	return a
}

// obey brings orders into force. What cannot be is left as it was.
func (s *server) obey(o orders, replaces []string) error {
	if err := s.table.set(o, replaces); err != nil {
		return fmt.Errorf("set the rules: %w", err)
	}
	// The rules come first: nothing that is destroyed is opened anew.
	var problems []error
	for _, from := range o.Cuts {
		n, err := destroy(from, o.Port)
		s.severed[from] += n
		if err != nil {
			problems = append(problems, fmt.Errorf("destroy the connections of %s: %w", from, err))
		}
	}
	return errors.Join(append(problems, s.delays(o.Delay))...)
}

// delays has packets delayed as d says.
func (s *server) delays(d *delay) error {
	if s.delay != nil && (d == nil || s.delay.delay != *d) {
		n, err := s.delay.count()
		if err := errors.Join(err, s.delay.remove()); err != nil {
			return fmt.Errorf("end the delay of packets: %w", err)
		}
		s.delayed += n
		s.delay = nil
	}
	if d == nil || s.delay != nil {
		return nil
	}
	var err error
	if s.delay, err = addNetem(*d); err != nil {
		return fmt.Errorf("delay packets to %s: %w", d.To, err)
	}
	return nil
}

func (s *server) counts() (Counts, error) {
	c := Counts{Severed: s.severed, Delayed: s.delayed}
	var errs [3]error
	c.Packets, errs[0] = s.table.counts()
	c.Open, errs[1] = open(s.table.port)
	if s.delay != nil {
		var n int64
		n, errs[2] = s.delay.count()
		c.Delayed += n
	}
	return c, errors.Join(errs[:]...)
}

// end takes everything away.
func (s *server) end() error { return errors.Join(s.delays(nil), s.table.remove()) }
