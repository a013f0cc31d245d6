package history

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"pgregory.net/rapid"
)

// decodeSeeds are lines as they are written, and lines that say the same or
// something else in another form.
var decodeSeeds = []string{
	`{"type":"invoke","id":52,"time":154823215,"client":"c1","subject":"mutex","object":"1","kind":"release","deadline":3154818388,"lease":6724052384009080323,"key":"holdfast/mutex/1/5d50a20487face03","token":20,"hold":5}`,
	`{"type":"ok","id":5,"time":85299444,"key":"holdfast/mutex/1/5d50a20487face03","token":20}`,
	`{"type":"info","id":5,"time":0,"error":"context deadline exceeded","panicked":true}`,
	`{"type":"event","event":"lost","time":9,"client":"c1","lease":3,"ttl":1000000000,"heeded":true,"operation":4,"value":"v","revision":1,"detail":"d"}`,
	`{"type":"change","revision":47,"time":103668114,"key":"holdfast/mutex/1/5d","deleted":true}`,
	`{"type":"tick","revision":1,"time":32205904,"call":6523655}`,
	`{"type":"change","revision":3,"time":7,"key":"k","create":3,"version":1,"lease":5,"value":"c1-1"}`,
	`{"type":"through","through":570}`,
	`{"type":"header","header":{"version":1,"prefix":"p/","subjects":[{"name":"a","primitive":"mutex","origin":"etcd"}]}}`,
	`{"type":"invoke","id":1,"token":9223372036854775807,"lease":-9223372036854775807}`,
	`{"id":9223372036854775808}`, `{"id":-9223372036854775808}`, `{"id":99999999999999999999}`, `{"id":007}`, `{"id":-0}`, `{"id":-}`, `{"id":1.0}`, `{"id":1e3}`, `{"id":"1"}`,
	` { "type" : "ok" , "id" : 3 } `, `{"id":3,"type":"ok"}`, `{"TYPE":"ok","Id":3}`, `{"type":"ok","id":3,"id":4}`, `{"type":null,"id":null,"heeded":null}`,
	`{"type":"o\u006b","value":"a\"b\\c\n"}`, `{"value":"ü"}`, "{\"value\":\"\xff\"}", "{\"value\":\"\x7f\"}", "{\"value\":\"\t\"}",
	`{"unknown":[1,{"a":2}],"id":3}`, `{"heeded":false,"deleted":false,"panicked":true}`, `{"heeded":truex}`, `{"heeded":tru`, `{"heeded":true`, `{"heeded":"true"}`,
	`{}`, `{`, `}`, ``, `null`, `[]`, `7`, `"x"`, `{"id":1}}`, `{"id":1},`, `{"id":1,}`, `{,"id":1}`, `{"id" 1}`, `{"id":}`, `{"id"`, `{"i`, `{"":1}`, `{"id":1 }`, `{"header":7}`, `{"header":{"subjects":3}}`,
}

// sameAsJSON compares both decoders with encoding/json. Plain is true if a line
// of the history, or of the revision log, was read by hand.
func sameAsJSON(text []byte, names *texts) (plainForm, valid bool, fault error) {
	var fast, slow line
	fastErr, slowErr := fast.decode(text, names), json.Unmarshal(text, &slow)
	if (fastErr == nil) != (slowErr == nil) || slowErr == nil && !reflect.DeepEqual(fast, slow) {
		return false, false, fmt.Errorf("history line %q:\n got %+v, %v\nwant %+v, %v", text, fast, fastErr, slow, slowErr)
	}
	var fastLog, slowLog revisionLine
	fastErr, logErr := fastLog.decode(text, names), json.Unmarshal(text, &slowLog)
	if (fastErr == nil) != (logErr == nil) || logErr == nil && fastLog != slowLog {
		return false, false, fmt.Errorf("revision line %q:\n got %+v, %v\nwant %+v, %v", text, fastLog, fastErr, slowLog, logErr)
	}
	plainForm = new(line).scan(plain{line: text, texts: names}) || new(revisionLine).scan(plain{line: text, texts: names})
	return plainForm, slowErr == nil || logErr == nil, nil
}

// FuzzDecoder holds the decoder written by hand to encoding/json, on any bytes.
func FuzzDecoder(f *testing.F) {
	for _, seed := range decodeSeeds {
		f.Add([]byte(seed))
	}
	names := newTexts()
	f.Fuzz(func(t *testing.T, text []byte) {
		if _, _, err := sameAsJSON(text, names); err != nil {
			t.Fatal(err)
		}
	})
}

// mutate changes a line here and there: what it becomes may be as good, or mean
// something else, or nothing.
func mutate(random *rand.Rand, text []byte) []byte {
	pieces := []string{`"`, `\`, `,`, `:`, `{`, `}`, ` `, `0`, `-`, `9`, `e`, `.`, `null`, `true`, `"id":7,`, `"key":"`, "\x00", "ü", "\xc3", `\u0041`, `[]`}
	text = bytes.Clone(text)
	for range random.IntN(3) {
		at := random.IntN(len(text) + 1)
		switch random.IntN(4) {
		case 0:
			text = append(text[:at:at], append([]byte(pieces[random.IntN(len(pieces))]), text[at:]...)...)
		case 1:
			text = append(text[:at:at], text[min(len(text), at+1+random.IntN(3)):]...)
		case 2:
			if at < len(text) {
				text[at] = byte(random.IntN(256))
			}
		case 3:
			text = text[:at]
		}
	}
	return text
}

func TestDecoderAgreesWithJSON(t *testing.T) {
	lines := 0
	var byHand, byJSON, invalid int
	rapid.Check(t, func(t *rapid.T) {
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		names := newTexts()
		for range 400 {
			lines++
			plainForm, valid, err := sameAsJSON(mutate(random, []byte(decodeSeeds[random.IntN(len(decodeSeeds))])), names)
			switch {
			case err != nil:
				t.Fatal(err)
			case plainForm:
				byHand++
			case valid:
				byJSON++
			default:
				invalid++
			}
		}
	})
	if least := lines / 50; byHand < least || byJSON < least || invalid < least {
		t.Errorf("of %d lines %d were read by hand, %d by encoding/json, %d not at all: each should be a fiftieth at least", lines, byHand, byJSON, invalid)
	}
}

// What this package writes is read by hand: else reading would be slow, and
// nothing would show it.
func TestWrittenLinesArePlain(t *testing.T) {
	names := newTexts()
	op := &Operation{
		ID: 7, Client: "c1", Subject: "mutex", Object: "0", Kind: Acquire, Mode: WriteMode, Call: 1, Deadline: 2, Lease: 7610698560647647262,
		Key: "holdfast/mutex/0/699e", Token: 1<<63 - 1, Hold: 6, Value: "c1-1", Prior: "c2-1", Revision: 4,
	}
	event := &Event{Time: 3, Kind: Lost, Client: "c1", Subject: "m", Object: "0", Lease: 1, TTL: time.Second, Heeded: true, Operation: 1, Value: "v", Key: "k", Token: 2, Revision: 3, Detail: "d"}
	for _, text := range [][]byte{
		appendInvocation(nil, op),
		appendCompletion(nil, &Completion{ID: 7, Outcome: Info, Error: "no answer", Panicked: true, Key: "k", Token: 3, Value: "v", Revision: 9, Requests: 10}, 8),
		appendEvent(nil, event),
	} {
		var l line
		if !l.scan(plain{line: bytes.TrimSpace(text), texts: names}) {
			t.Errorf("not read by hand: %s", text)
		}
	}
	var b bytes.Buffer
	j := NewRevisionJournal(&b, 5)
	j.Change(Change{Revision: 6, Time: 1, Key: "k", Create: 6, Version: 1, Lease: 2, Value: "v"})
	j.Change(Change{Revision: 7, Time: 2, Key: "k", Deleted: true})
	j.LeaseEnd(LeaseEnd{Lease: 2, Revision: 7, Time: 2})
	j.Tick(Tick{Call: 1, Return: 2, Revision: 7})
	j.Through(7)
	for text := range bytes.Lines(b.Bytes()) {
		var l revisionLine
		if !l.scan(plain{line: bytes.TrimSpace(text), texts: names}) {
			t.Errorf("not read by hand: %s", text)
		}
	}
}

// What other programs write is read by hand too: with white space, escapes and
// texts that are not ASCII.
func TestLinesOfOthersArePlain(t *testing.T) {
	names := newTexts()
	for _, text := range []string{
		` { "type" : "ok" ,\t"id" : 3 }\r\n`,
		`{"id": 3, "type": "info", "error": "\"quoted\" \u003cü\u003e \ud83d\ude00"}`,
		`{"type": "event", "heeded": true, "ttl": -1, "value": "ü"}`,
	} {
		text := strings.NewReplacer(`\t`, "\t", `\r`, "\r", `\n`, "\n").Replace(text)
		if !new(line).scan(plain{line: []byte(text), texts: names}) {
			t.Errorf("not read by hand: %s", text)
		}
		if _, valid, err := sameAsJSON([]byte(text), names); err != nil || !valid {
			t.Errorf("%q: valid is %v, %v", text, valid, err)
		}
	}
}

func TestMisreadLinesNameTheColumn(t *testing.T) {
	header := `{"type":"header","header":{"version":1,"prefix":"p","subjects":[]}}` + "\n"
	for text, want := range map[string]string{
		`{"type":"invoke","id":"seven"}`: `line 2, column 29: expected a whole number for "id", found string`,
		`{"type":"invoke","id":1.5}`:     `line 2, column 25: expected a whole number for "id", found number 1.5`,
		`{"type":7}`:                     `line 2, column 9: expected a string for "type", found number`,
		`{"heeded":"yes"}`:               `line 2, column 15: expected true or false for "heeded", found string`,
		`{"type":"invoke",}`:             `line 2, column 18: invalid character '}' looking for beginning of object key string`,
		`[]`:                             `line 2, column 1: expected an object, found array`,
	} {
		_, err := ReadJournal(strings.NewReader(header + text + "\n"))
		if err == nil || err.Error() != want {
			t.Errorf("%s:\n got %v\nwant %s", text, err, want)
		}
	}
	_, err := ReadRevisions(strings.NewReader(`{"type":"start","revision":"2"}` + "\n"))
	if want := `line 1, column 30: expected a whole number for "revision", found string`; err == nil || err.Error() != want {
		t.Errorf("revisions: got %v, want %s", err, want)
	}
}

// A history is the same whether its size is known beforehand or not, and
// however it comes in.
func TestReadingDoesNotDependOnTheReader(t *testing.T) {
	if testing.Short() {
		t.Skip("it reads large journals again and again")
	}
	journal, revisions := journalOf(2 * sampled)
	want, err := ReadJournal(bytes.NewReader(journal))
	if err != nil {
		t.Fatal(err)
	}
	if len(want.Operations) != 2*sampled || want.Operations[2*sampled-1].Outcome != Ok {
		t.Fatalf("read %d operations of %d", len(want.Operations), 2*sampled)
	}
	wantLog, err := ReadRevisions(bytes.NewReader(revisions))
	if err != nil {
		t.Fatal(err)
	}
	for name, wrap := range map[string]func(io.Reader) io.Reader{
		"without a size": func(r io.Reader) io.Reader { return struct{ io.Reader }{r} },
		"in halves":      iotest.HalfReader,
		"a size too small": func(r io.Reader) io.Reader {
			return struct {
				io.Reader
				pretended
			}{r, 1}
		},
		"a size too large": func(r io.Reader) io.Reader {
			return struct {
				io.Reader
				pretended
			}{r, 1 << 30}
		},
	} {
		got, err := ReadJournal(wrap(bytes.NewReader(journal)))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: the history differs, %v", name, err)
		}
		log, err := ReadRevisions(wrap(bytes.NewReader(revisions)))
		if err != nil || !reflect.DeepEqual(log, wantLog) {
			t.Errorf("%s: the revision log differs, %v", name, err)
		}
	}
}

type pretended int

func (p pretended) Len() int { return int(p) }

// journalOf writes a journal of n operations and a revision log beside it.
func journalOf(n int) (journal, revisions []byte) {
	journal, err := appendHeader(nil, &Header{Version: FormatVersion, Prefix: "holdfast/"})
	if err != nil { // headers always marshal
		panic(err)
	}
	var b bytes.Buffer
	log := NewRevisionJournal(&b, 1)
	for i := range int64(n) {
		at := time.Duration(i) * time.Millisecond
		key := fmt.Sprintf("holdfast/mutex/%d/699ea20487fac%03x", i%3, i%900)
		journal = appendInvocation(journal, &Operation{
			ID: i + 1, Client: fmt.Sprintf("c%d", i%9), Subject: "mutex", Object: fmt.Sprint(i % 3), Kind: FencedWrite, Call: at,
			Deadline: at + time.Second, Lease: 7610698560647647262 + i%900, Key: key, Token: i, Hold: i, Value: fmt.Sprintf("v%d", i), Prior: fmt.Sprintf("v%d", i-1),
		})
		journal = appendCompletion(journal, &Completion{ID: i + 1, Outcome: Ok, Revision: i}, at+1)
		log.Change(Change{Revision: i + 1, Time: at, Key: key, Create: i + 1, Version: 1, Lease: 7610698560647647262 + i%900})
	}
	log.Through(int64(n))
	return journal, b.Bytes()
}

func BenchmarkReadJournal(b *testing.B) {
	journal, _ := journalOf(100_000)
	b.SetBytes(int64(len(journal)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ReadJournal(bytes.NewReader(journal)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadRevisions(b *testing.B) {
	_, revisions := journalOf(100_000)
	b.SetBytes(int64(len(revisions)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ReadRevisions(bytes.NewReader(revisions)); err != nil {
			b.Fatal(err)
		}
	}
}
