package exact

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/anishathalye/porcupine"

	"github.com/etcd-holdfast/holdfast/history"
)

// The models here are the sequential specifications of objects that carry
// values, for porcupine: the other opinion, which shares nothing with the
// checks. The input of an operation is its history.Call; a call of unknown
// outcome may also leave the state as it is. States are comparable.

// step is a specification: the states that may follow if c takes effect.
type step func(state string, c history.Call) []string

// valueOracle makes a model of a specification.
func valueOracle(initial string, next step) porcupine.NondeterministicModel {
	return porcupine.NondeterministicModel{
		Init: func() []any { return []any{initial} },
		Step: func(state, input, _ any) []any {
			c := input.(history.Call)
			var states []any
			for _, s := range next(state.(string), c) {
				states = append(states, s)
			}
			if c.Known == history.Unknown {
				states = append(states, state)
			}
			return states
		},
	}
}

func text(v history.Value) string { return strconv.FormatInt(int64(v), 10) }

// registerOracle is a register that is read, written, and compared and set.
func registerOracle(initial history.Value) porcupine.NondeterministicModel {
	return valueOracle(text(initial), func(state string, c history.Call) []string {
		switch {
		case c.Function == history.FunctionRead && c.Known == history.Unknown:
			return nil
		case c.Function == history.FunctionRead && text(c.Value) == state:
			return []string{state}
		case c.Function == history.FunctionWrite:
			return []string{text(c.Value)}
		case c.Function == history.FunctionCompareAndSet && c.Known == history.Refused:
			if state != text(c.Argument) {
				return []string{state}
			}
		case c.Function == history.FunctionCompareAndSet && state == text(c.Argument):
			return []string{text(c.Value)}
		}
		return nil
	})
}

// queueOracle is a queue, its state the values in their order.
func queueOracle() porcupine.NondeterministicModel {
	return valueOracle("", func(state string, c history.Call) []string {
		first, rest, _ := strings.Cut(state, ",")
		switch {
		case c.Function == history.FunctionEnqueue:
			return []string{state + text(c.Value) + ","}
		case c.Known == history.Unknown:
			return []string{rest}
		case c.Known == history.Refused || c.Value == history.Nil:
			if state == "" {
				return []string{state}
			}
		case state != "" && first == text(c.Value):
			return []string{rest}
		}
		return nil
	})
}

// priorityQueueOracle is a priority queue, its state the priorities and values
// that are in it, sorted as texts, so that equal contents are equal states.
func priorityQueueOracle() porcupine.NondeterministicModel {
	return valueOracle("", func(state string, c history.Call) []string {
		present := strings.FieldsFunc(state, func(r rune) bool { return r == ',' })
		if c.Function == history.FunctionEnqueue {
			present = append(present, fmt.Sprintf("%d/%d", c.Argument, c.Value))
			slices.Sort(present)
			return []string{strings.Join(present, ",")}
		}
		if c.Known == history.Refused || c.Known == history.Succeeded && c.Value == history.Nil {
			if len(present) == 0 {
				return []string{state}
			}
			return nil
		}
		var states []string
		for i, one := range present {
			var priority, value history.Value
			if _, err := fmt.Sscanf(one, "%d/%d", &priority, &value); err != nil {
				return nil
			}
			least := !slices.ContainsFunc(present, func(other string) bool {
				p, _, _ := strings.Cut(other, "/")
				n, err := strconv.ParseInt(p, 10, 64)
				return err == nil && history.Value(n) < priority
			})
			if least && (c.Known == history.Unknown || value == c.Value) {
				states = append(states, strings.Join(slices.Delete(slices.Clone(present), i, i+1), ","))
			}
		}
		return states
	})
}

// kvOracle is a register in a store that numbers its states: its state is the
// last revision of which something is known, and the value. A write of unknown
// outcome takes the next revision; later calls may have any higher one, as
// other keys take revisions too.
func kvOracle() porcupine.NondeterministicModel {
	return valueOracle("0 "+text(history.Nil), func(state string, c history.Call) []string {
		var revision int64
		var value history.Value
		if _, err := fmt.Sscanf(state, "%d %d", &revision, &value); err != nil {
			return nil
		}
		after := func(r int64, v history.Value) []string { return []string{fmt.Sprintf("%d %d", r, v)} }
		unknown := c.Known == history.Unknown
		switch c.Function {
		case history.FunctionRead:
			if !unknown && c.Revision >= revision && c.Value == value {
				return after(c.Revision, value)
			}
		case history.FunctionWrite, history.FunctionCompareAndSet:
			fits := c.Function == history.FunctionWrite || c.Argument == value
			switch {
			case c.Known == history.Refused:
				if !fits && c.Revision >= revision {
					return after(c.Revision, value)
				}
			case fits && unknown:
				return after(revision+1, c.Value)
			case fits && c.Revision > revision:
				return after(c.Revision, c.Value)
			}
		}
		return nil
	})
}
