package history

// jepsen.independent makes one history of many objects: each value is a tuple
// of the object's key and the value proper. Printed, a tuple may carry a tag,
// or look like any vector of two: then it is told from a plain value by what
// its function could take.

// tupleTag is on tuples that say what they are.
const tupleTag = "jepsen.independent/tuple"

// tagged is true if the value is a tuple that says so.
func (r *jepsenReader) tagged(op *jepsenOp) bool {
	return op.value >= 0 && r.forms.nodes[op.value].kind == tagNode && string(r.forms.textOf(op.value)) == tupleTag
}

// tuple returns the key and the value of an operation that has both.
func (r *jepsenReader) tuple(op *jepsenOp) (key, value int, ok bool) {
	if r.tagged(op) {
		return r.forms.pair(op.value + 1)
	}
	if op.key >= 0 || r.keying == keyingNone {
		return 0, 0, false
	}
	return r.forms.pair(op.value)
}

// unkey splits the value of an invocation into the object and the value proper.
func (r *jepsenReader) unkey(op *jepsenOp, w *word) (value int, object int32, err error) {
	switch {
	case r.keying == keyingNone:
	case op.key >= 0 || r.tagged(op): // then so do all that are keyed
		r.plain()
	default:
		if err := r.decide(op, w); err != nil {
			return 0, 0, err
		}
	}
	if key, rest, ok := r.tuple(op); ok {
		return rest, r.builder.Object(r.text(key)), nil
	}
	if op.key >= 0 {
		return op.value, r.builder.Object(r.text(op.key)), nil
	}
	return op.value, r.builder.Object(nil), nil
}

// decide learns from an invocation whether values are tuples.
func (r *jepsenReader) decide(op *jepsenOp, w *word) error {
	_, value, pair := r.forms.pair(op.value)
	certain := false // that a pair is a tuple
	if pair {
		switch w.function {
		case FunctionWrite, FunctionEnqueue:
		case FunctionCompareAndSet:
			// [old new] looks like [key value], whose value would be [old new].
			_, _, pair = r.forms.pair(value)
		default:
			certain = true // plain, it would be nil or a scalar
		}
	}
	switch {
	case pair && certain:
		r.keying = keyingCertain
	case pair && r.keying == keyingUnknown:
		r.keying = keyingLikely
	case !pair && r.keying == keyingCertain:
		return r.fault(op.atValue, "[key value], as in the operations before", r.found(op.value))
	case !pair:
		r.plain()
	}
	return nil
}

// plain settles that values are not tuples, and makes plain values of those
// that were taken for it.
func (r *jepsenReader) plain() {
	likely := r.keying == keyingLikely
	if r.keying != keyingCertain {
		r.keying = keyingNone
	}
	if !likely {
		return
	}
	t := r.builder.trace
	for i := range t.Calls {
		c := &t.Calls[i]
		key := t.Objects[c.Object]
		if c.Function == FunctionCompareAndSet {
			c.Argument, c.Value = t.Symbol(key), t.Symbol("["+t.Text(c.Argument)+" "+t.Text(c.Value)+"]")
		} else if c.Function != FunctionNone {
			c.Value = t.Symbol("[" + key + " " + t.Text(c.Value) + "]")
		}
		c.Object = 0
	}
	t.Objects, r.builder.objects = nil, nil
	r.builder.Object(nil)
}
