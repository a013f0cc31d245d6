package history

import "io"

// ReadEDN reads a Jepsen history in EDN as a trace of the named model, one of
// Models. It is maps one after the other, or one vector or list of maps; tags
// on them, like #jepsen.history.Op, and keys that it does not know are passed
// over, and so are the operations of processes that are not integers.
//
// An operation that ends as :fail had no effect, and says nothing about the
// state: it is left out. One that ends as :info, or not at all, is Unknown; its
// process may go on. A :dequeue that returns nil found the queue empty. A
// :drain is as many dequeues, at one interval, as it returned values. One whose
// outcome is not known is an error.
//
// Values of jepsen.independent, [key value], are told by the first operation
// that can be nothing else; they make the objects of the trace. So does a
// :key.
//
// Values are integers, or symbols with the text that EDN gives them, strings
// in their quotes; equal values have one text.
//
// Faults of the input are a *SyntaxError that names source. Reading takes,
// beside the trace, a buffer for the longest token.
func ReadEDN(r io.Reader, source, modelName string) (*Trace, error) {
	return readEDN(r, source, modelName, size(r))
}

func readEDN(r io.Reader, source, modelName string, size int64) (*Trace, error) {
	reader, err := newJepsenReader(source, modelName, r, size)
	if err != nil {
		return nil, err
	}
	if err := reader.history(); err != nil {
		return nil, err
	}
	return reader.finish()
}

// history reads the whole source.
func (r *jepsenReader) history() error {
	first := true
	for {
		c, err := r.untagged()
		if err != nil {
			return err
		}
		switch {
		case c == -1:
			return nil
		case c == '{':
			if err := r.mapOp(); err != nil {
				return err
			}
		case (c == '[' || c == '(') && first:
			return r.vector(byte(c))
		case first:
			return r.unexpected("a map, or a vector of maps")
		default:
			return r.unexpected("a map, or the end of the file")
		}
		first = false
	}
}

// vector reads the operations of a vector or list, and what follows it.
func (r *jepsenReader) vector(opening byte) error {
	closing := byte(']')
	if opening == '(' {
		closing = ')'
	}
	r.pos++
	for {
		c, err := r.untagged()
		if err != nil {
			return err
		}
		switch c {
		case int(closing):
			r.pos++
			if c, err = r.next(0); err == nil && c != -1 {
				err = r.unexpected("the end of the file")
			}
			return err
		case '{':
			if err := r.mapOp(); err != nil {
				return err
			}
		default:
			return r.unexpected("a map, or the " + string(closing) + " that ends the history")
		}
	}
}

// untagged is next, beyond tags.
func (r *jepsenReader) untagged() (int, error) {
	for {
		c, err := r.next(0)
		if err != nil || c != '#' {
			return c, err
		}
		if s := r.second(); s == 0 || ednClass[s] != 0 || s == '#' {
			return c, nil
		}
		r.token()
	}
}

// mapOp reads one operation.
func (r *jepsenReader) mapOp() error {
	r.forms.reset()
	op := jepsenOp{word: -1, value: -1, key: -1, time: NoTime, at: r.place()}
	op.line = op.at.line
	op.atValue = op.at
	client, hasProcess := false, false
	r.pos++
	for {
		c, err := r.next(1)
		if err != nil {
			return err
		}
		if c == '}' {
			r.pos++
			break
		}
		if c != ':' { // a key of another kind
			if c == -1 || c == ']' || c == ')' {
				return r.unexpected("a keyword or the } of the operation")
			}
			if err := r.skipBoth(); err != nil {
				return err
			}
			continue
		}
		at := r.place()
		key := r.token()
		k := keyOf(key)
		if k == keyOther {
			if len(key) == 1 {
				return r.fault(at, "a keyword", "a lone colon")
			}
			if err := r.mapValue(); err != nil {
				return err
			}
			if err := r.skip(1); err != nil {
				return err
			}
			continue
		}
		if err := r.mapValue(); err != nil {
			return err
		}
		if k == keyProcess {
			hasProcess = true
		}
		if err := r.field(k, &op, &client); err != nil {
			return err
		}
	}
	if !hasProcess {
		return r.fault(op.at, "an operation with :process", "one without")
	}
	if !client {
		return nil
	}
	r.expect(r.base + int64(r.pos))
	return r.operation(&op)
}

// skipBoth skips a key and its value.
func (r *jepsenReader) skipBoth() error {
	if err := r.skip(1); err != nil {
		return err
	}
	if err := r.mapValue(); err != nil {
		return err
	}
	return r.skip(1)
}

// mapValue moves to the value of a key.
func (r *jepsenReader) mapValue() error {
	c, err := r.next(1)
	if err == nil && (c == '}' || c == -1) {
		err = r.unexpected("a value after the key")
	}
	return err
}

// opKey is a key of an operation's map.
type opKey uint8

const (
	keyOther opKey = iota
	keyType
	keyF
	keyValue
	keyProcess
	keyTime
	keyKey
	keyPriority
	keyRevision
	keyRefused
)

func keyOf(name []byte) opKey {
	switch string(name) {
	case ":type":
		return keyType
	case ":f":
		return keyF
	case ":value":
		return keyValue
	case ":process":
		return keyProcess
	case ":time":
		return keyTime
	case ":key":
		return keyKey
	case ":priority":
		return keyPriority
	case ":revision":
		return keyRevision
	case ":refused":
		return keyRefused
	}
	return keyOther
}

// field reads the value of a key, which is at the next byte.
func (r *jepsenReader) field(k opKey, op *jepsenOp, client *bool) error {
	at := r.place()
	switch c := r.buf[r.pos]; {
	case k == keyType && c != ':':
		return r.unexpected("a keyword after :type")
	case k == keyType:
		name := r.token()
		if op.kind = opKindOf(name[1:]); op.kind == opNone {
			return r.fault(at, opKinds+" after :type", excerpt(name))
		}
		return nil
	case k == keyF && c == ':':
		op.atF = at
		name := r.token()
		if op.word = r.model.word(name[1:]); op.word < 0 {
			op.name = append([]byte(nil), name...)
		}
		return nil
	}
	form, err := r.form(1)
	if err != nil {
		return err
	}
	n := r.forms.nodes[form] // it may be an integer
	isInteger := n.kind == integerNode
	switch k {
	case keyF:
		op.atF, op.name, op.word = at, append([]byte(nil), r.text(form)...), -1
	case keyValue:
		op.value, op.atValue = form, at
	case keyProcess:
		op.process, *client = n.integer, isInteger
	case keyTime:
		if isInteger {
			op.time = n.integer
		}
	case keyKey:
		if n.kind != nilNode {
			op.key = form
		}
	case keyPriority:
		if !isInteger {
			return r.fault(at, "an integer after :priority", r.found(form))
		}
		op.priority, op.prioritized = n.integer, true
	case keyRevision:
		if isInteger {
			op.revision = n.integer
		}
	case keyRefused:
		op.refused = n.kind == textNode && string(r.forms.textOf(form)) == "true"
	}
	return nil
}
