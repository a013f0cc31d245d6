package history

import (
	"reflect"
	"slices"
	"testing"
	"time"
)

// filled sets every field of the struct that p points to, other than those
// named, to something.
func filled(p any, but ...string) {
	v := reflect.ValueOf(p).Elem()
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.IsExported() && !slices.Contains(but, f.Name) {
			flip(v.Field(i))
		}
	}
}

// flip changes a field by as little as can be.
func flip(field reflect.Value) {
	switch field.Kind() {
	case reflect.Bool:
		field.SetBool(!field.Bool())
	case reflect.String:
		field.SetString(field.String() + "x")
	case reflect.Int, reflect.Int64:
		field.SetInt(field.Int() + 1)
	case reflect.Slice:
		field.Set(reflect.Append(field, reflect.Zero(field.Type().Elem())))
	default:
		panic("a field of kind " + field.Kind().String())
	}
}

// TestEveryFieldIsDigested changes one field at a time of each kind of record.
func TestEveryFieldIsDigested(t *testing.T) {
	alone := func(f func(*stream)) Digest {
		var s stream
		f(&s)
		return sum(&s)
	}
	at := 5 * time.Millisecond
	for _, c := range []struct {
		record any
		// unrecorded are the fields that are no part of a record.
		unrecorded []string
		digest     func(any) Digest
	}{
		{&Operation{}, []string{"Return", "Outcome", "Error", "Panicked", "Breach", "Requests"}, func(v any) Digest {
			return alone(func(s *stream) { s.invocation(v.(*Operation)) })
		}},
		{&Completion{}, []string{"Client"}, func(v any) Digest { // the invocation has it
			return alone(func(s *stream) { s.completion(v.(*Completion), at) })
		}},
		{&Event{}, nil, func(v any) Digest { return alone(func(s *stream) { s.event(v.(*Event)) }) }},
		{&Change{}, nil, func(v any) Digest { return alone(func(s *stream) { s.change(v.(*Change)) }) }},
		{&LeaseEnd{}, nil, func(v any) Digest { return alone(func(s *stream) { s.leaseEnd(v.(*LeaseEnd)) }) }},
		{&Tick{}, nil, func(v any) Digest { return alone(func(s *stream) { s.tick(v.(*Tick)) }) }},
		{&Fault{}, nil, func(v any) Digest { return alone(func(s *stream) { s.fault(v.(*Fault)) }) }},
		{&Header{}, []string{"Version"}, func(v any) Digest { return digestOf(t, *v.(*Header)) }},
		{&SubjectInfo{}, nil, func(v any) Digest {
			return digestOf(t, Header{Subjects: []SubjectInfo{*v.(*SubjectInfo)}})
		}},
	} {
		for _, full := range []bool{false, true} {
			value := reflect.ValueOf(c.record).Elem()
			value.SetZero()
			if full {
				filled(c.record)
			}
			before := c.digest(c.record)
			for i := range value.NumField() {
				name := value.Type().Field(i).Name
				if !value.Type().Field(i).IsExported() {
					continue
				}
				old := reflect.New(value.Field(i).Type()).Elem()
				old.Set(value.Field(i))
				flip(value.Field(i))
				after := c.digest(c.record)
				if same := after == before; same != slices.Contains(c.unrecorded, name) {
					t.Errorf("%s.%s: the digest stays: %v", value.Type().Name(), name, same)
				}
				value.Field(i).Set(old)
				if c.digest(c.record) != before {
					t.Fatalf("%s.%s: the digest differs for the same record", value.Type().Name(), name)
				}
			}
		}
	}
}

func digestOf(t *testing.T, h Header) Digest {
	t.Helper()
	m, err := NewMemory(h, NewClock())
	if err != nil {
		t.Fatal(err)
	}
	return m.Digest()
}

// TestDigestTellsRecordsApart: what is the same but for its kind, its time, its
// order, its place or its number is another record.
func TestDigestTellsRecordsApart(t *testing.T) {
	a, b := Tick{Call: 1, Return: 2, Revision: 3}, Tick{Call: 4, Return: 5, Revision: 6}
	seen := make(map[Digest]string)
	for name, f := range map[string]func(*stream){
		"nothing":           func(*stream) {},
		"one tick":          func(s *stream) { s.tick(&a) },
		"two ticks":         func(s *stream) { s.tick(&a); s.tick(&b) },
		"in another order":  func(s *stream) { s.tick(&b); s.tick(&a) },
		"twice the same":    func(s *stream) { s.tick(&a); s.tick(&a) },
		"a lease's end":     func(s *stream) { s.leaseEnd(&LeaseEnd{Lease: 1, Revision: 2, Time: 3}) },
		"start":             func(s *stream) { s.revision(recordStart, 1) },
		"through":           func(s *stream) { s.revision(recordThrough, 1) },
		"a key":             func(s *stream) { s.change(&Change{Key: "ab"}) },
		"a value":           func(s *stream) { s.change(&Change{Value: "ab"}) },
		"half of each":      func(s *stream) { s.change(&Change{Key: "a", Value: "b"}) },
		"a completion":      func(s *stream) { s.completion(&Completion{ID: 1, Outcome: Ok}, 1) },
		"a completion late": func(s *stream) { s.completion(&Completion{ID: 1, Outcome: Ok}, 2) },
	} {
		var first, second stream
		f(&first)
		d := sum(&first, &second)
		if same, ok := seen[d]; ok {
			t.Errorf("%s and %s have one digest", name, same)
		}
		seen[d] = name
		if name != "nothing" && sum(&second, &first) == d {
			t.Errorf("%s: it does not matter in which journal it is", name)
		}
	}
}

// TestSameRunsHaveOneDigest: a golden one, so that a change of the hash is one
// that was meant.
func TestSameRunsHaveOneDigest(t *testing.T) {
	var s stream
	op := Operation{ID: 1, Client: "c1", Subject: "mutex", Object: "0", Kind: Acquire, Call: 3}
	s.invocation(&op)
	s.completion(&Completion{ID: 1, Client: "c1", Outcome: Ok, Token: 7}, 9)
	if got, want := sum(&s).String(), "84b8654a8777211e"; got != want {
		t.Errorf("the digest is %s, not %s", got, want)
	}
}
