package history

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"
)

// tell writes the calls of a trace, one a line, in names: what a test compares.
func tell(t *Trace) string {
	var b strings.Builder
	for _, c := range t.Calls {
		fmt.Fprintf(&b, "%d: %s %s", c.ID, t.Processes[c.Process], c.Function)
		if c.Shared {
			b.WriteString(" shared")
		}
		if o := t.Objects[c.Object]; o != "" {
			fmt.Fprintf(&b, " on %s", o)
		}
		if c.Argument != 0 {
			fmt.Fprintf(&b, " %s", t.Text(c.Argument))
		}
		if c.Value != Nil {
			fmt.Fprintf(&b, " %s", t.Text(c.Value))
		}
		if c.Revision != 0 {
			fmt.Fprintf(&b, " @%d", c.Revision)
		}
		switch c.Known {
		case Unknown:
			fmt.Fprintf(&b, " [%d, ?\n", c.Invoke)
		case Refused:
			fmt.Fprintf(&b, " [%d, %d] refused\n", c.Invoke, c.Return)
		default:
			fmt.Fprintf(&b, " [%d, %d]\n", c.Invoke, c.Return)
		}
	}
	return b.String()
}

func lines(text ...string) string { return strings.Join(text, "\n") + "\n" }

func TestEDN(t *testing.T) {
	for name, c := range map[string]struct{ model, text, want string }{
		"a line an operation": {"register",
			lines(`{:type :invoke, :f :write, :value 3, :process 0, :time 10, :index 0}`,
				`{:type :invoke, :f :read, :value nil, :process 1, :time 20, :index 1}`,
				`{:type :ok, :f :write, :value 3, :process 0, :time 30, :index 2}`,
				`{:type :ok, :f :read, :value 3, :process 1, :time 40, :index 3}`),
			lines("1: 0 write 3 [0, 2]", "2: 1 read 3 [1, 3]")},
		"a vector": {"register",
			`[{:f :w :value "a" :process 0 :type :invoke} {:f :w :value "a" :process 0 :type :ok}]`,
			lines(`1: 0 write "a" [0, 1]`)},
		"a vector across lines, keys in any order, other keys": {"register",
			"[{:process 7,\n :error {:via [{:type java.lang.X :at #inst \"2020\"}] :c \\] 1/2 1.5M}\n :value nil :type :invoke #_{:f :write} :f :read}\n; a comment }\n{:type :ok \"text\" 1 [:odd] #{1 2} :f :read :process 7 :value :k}]",
			lines("1: 7 read :k [0, 1]")},
		"records": {"cas-register",
			lines(`#jepsen.history.Op{:index 0, :time 1, :type :invoke, :process 0, :f :cas, :value [1 2]}`,
				`#jepsen.history.Op {:index 1, :time 2, :type :ok, :process 0, :f :cas, :value [1 2]}`),
			lines("1: 0 cas 1 2 [0, 1]")},
		"what failed is left out, what is unknown stays": {"cas-register",
			lines(`{:type :invoke :f :write :value 1 :process 0}`, `{:type :fail :f :write :value 1 :process 0}`,
				`{:type :invoke :f :cas :value [1 2] :process 0}`, `{:type :fail :f :cas :value [1 2] :process 0}`,
				`{:type :invoke :f :write :value 2 :process 0}`, `{:type :info :f :write :value 2 :process 0 :error :timeout}`,
				`{:type :invoke :f :read :value nil :process 1}`,
				`{:type :invoke :f :write :value 3 :process 0}`, `{:type :ok :f :write :value 3 :process 0}`),
			lines("5: 0 write 2 [4, ?", "7: 1 read [6, ?", "8: 0 write 3 [7, 8]")},
		"the nemesis": {"mutex",
			lines(`{:type :info :f :start :value {:cut #{"n1"}} :process :nemesis}`, `{:type :invoke :f :acquire :process 0 :value nil}`,
				`{:type :info :f :stop :value nil :process nil}`, `{:type :ok :f :acquire :process 0}`, `{:type :invoke :f :release :process 0}`),
			lines("2: 0 acquire [0, 1]", "5: 0 release [2, ?")},
		"a read-write lock in three dialects": {"rwmutex",
			lines(`{:type :invoke :f :acquire :value :read :process 0}`, `{:type :ok :f :acquire :value :read :process 0}`,
				`{:type :invoke :f :release :value nil :process 0}`, `{:type :ok :f :release :process 0}`,
				`{:type :invoke :f :write-acquire :process 1}`, `{:type :ok :f :write-acquire :process 1}`,
				`{:type :invoke :f :rlock :process 2}`, `{:type :invoke :f :release-write :process 1}`),
			lines("1: 0 acquire shared [0, 1]", "3: 0 release shared [2, 3]", "5: 1 acquire [4, 5]", "7: 2 acquire shared [6, ?", "8: 1 release [7, ?")},
		"queues, and an empty one": {"queue",
			lines(`{:type :invoke :f :enqueue :value 1 :process 0}`, `{:type :ok :f :enqueue :value 1 :process 0}`,
				`{:type :invoke :f :dequeue :value nil :process 0}`, `{:type :ok :f :dequeue :value nil :process 0}`,
				`{:type :invoke :f :drain :value nil :process 1}`, `{:type :invoke :f :dequeue :process 0}`, `{:type :ok :f :drain :value [1 2 3] :process 1}`),
			lines("1: 0 enqueue 1 [0, 1]", "3: 0 dequeue [2, 3] refused",
				"5: 1 dequeue 1 [4, 6]", "5: 1 dequeue 2 [4, 6]", "5: 1 dequeue 3 [4, 6]", "6: 0 dequeue [5, ?")},
		"a drain of nothing": {"queue", lines(`{:type :invoke :f :drain :process 0}`, `{:type :ok :f :drain :value [] :process 0}`), "\n"},
		"priorities": {"priority-queue",
			lines(`{:type :invoke :f :enqueue :value 4 :process 0}`, `{:type :invoke :f :enqueue :value "a" :priority 2 :process 1}`),
			lines("1: 0 enqueue 4 4 [0, ?", `2: 1 enqueue 2 "a" [1, ?`)},
		"permits": {"semaphore",
			lines(`{:type :invoke :f :acquire :value 2 :process 0}`, `{:type :invoke :f :acquire :value nil :process 1}`),
			lines("1: 0 acquire 2 [0, ?", "2: 1 acquire [1, ?")},
		"fencing tokens": {"fenced-mutex",
			lines(`{:type :invoke :f :acquire :value nil :process 0}`, `{:type :ok :f :acquire :value 33 :process 0}`),
			lines("1: 0 acquire @33 [0, 1]")},
		"a barrier": {"barrier",
			lines(`{:type :invoke :f :hold :value nil :process 0}`, `{:type :ok :f :hold :process 0}`, `{:type :invoke :f :wait :process 1}`, `{:type :invoke :f :lower :process 0}`),
			lines("1: 0 hold [0, 1]", "3: 1 wait [2, ?", "4: 0 lower [3, ?")},
		"independent keys": {"cas-register",
			lines(`{:type :invoke :f :write :value [1 5] :process 0}`, `{:type :invoke :f :cas :value ["x" [1 2]] :process 1}`,
				`{:type :invoke :f :read :value [1 nil] :process 2}`, `{:type :ok :f :read :value [1 5] :process 2}`,
				`{:type :info :f :write :value nil :process 0}`),
			lines("1: 0 write on 1 5 [0, ?", `2: 1 cas on "x" 1 2 [1, ?`, "3: 2 read on 1 5 [2, 3]")},
		"pairs that are values": {"cas-register",
			lines(`{:type :invoke :f :write :value [1 5] :process 0}`, `{:type :ok :f :write :value [1 5] :process 0}`,
				`{:type :invoke :f :cas :value [[1 5] [2 6]] :process 1}`,
				`{:type :invoke :f :read :value nil :process 2}`, `{:type :ok :f :read :value [1 5] :process 2}`),
			lines("1: 0 write [1 5] [0, 1]", "3: 1 cas [1 5] [2 6] [2, ?", "4: 2 read [1 5] [3, 4]")},
		"a comparison of scalars is no key": {"cas-register",
			lines(`{:type :invoke :f :cas :value [1 2] :process 0}`, `{:type :invoke :f :cas :value [3 nil] :process 1}`),
			lines("1: 0 cas 1 2 [0, ?", "2: 1 cas 3 [1, ?")},
		"tagged keys, and :key": {"register",
			lines(`{:type :invoke :f :write :value #jepsen.independent/tuple [:a [1 2]] :process 0}`, `{:type :invoke :f :write :value [1 2] :key :a :process 1}`,
				`{:type :ok :f :write :value #jepsen.independent/tuple [:a [1 2]] :process 0}`),
			lines("1: 0 write on :a [1 2] [0, 2]", "2: 1 write on :a [1 2] [1, ?")},
		"keyed locks": {"mutex",
			lines(`{:type :invoke :f :acquire :value [3 nil] :process 0}`, `{:type :ok :f :acquire :value [3 nil] :process 0}`, `{:type :invoke :f :release :value [3 nil] :process 0}`),
			lines("1: 0 acquire on 3 [0, 1]", "3: 0 release on 3 [2, ?")},
		"values that are equal": {"register",
			lines(`{:type :invoke :f :write :value 007 :process 0}`, `{:type :invoke :f :write :value +7N :process 1}`, `{:type :invoke :f :write :value 1.50 :process 2}`,
				`{:type :invoke :f :write :value (1 #{2 1} {:b 1, :a 2}) :process 3}`, `{:type :invoke :f :write :value "\u0041\"\n" :process 4}`,
				`{:type :invoke :f :write :value 100000000000000000000000N :process 5}`, `{:type :invoke :f :write :value 1e3 :process 6}`, `{:type :invoke :f :write :value \( :process 7}`,
				`{:type :invoke :f :write :value #"a\"b" :process 8}`, `{:type :invoke :f :write :value ##Inf :process 9}`, `{:type :invoke :f :write :value true :process 10}`),
			lines("1: 0 write 7 [0, ?", "2: 1 write 7 [1, ?", "3: 2 write 1.5 [2, ?", "4: 3 write [1 #{1 2} {:a 2 :b 1}] [3, ?", `5: 4 write "A\"\n" [4, ?`,
				"6: 5 write 100000000000000000000000 [5, ?", "7: 6 write 1000.0 [6, ?", `8: 7 write \( [7, ?`, `9: 8 write #"a\"b" [8, ?`, "10: 9 write ##Inf [9, ?", "11: 10 write true [10, ?")},
	} {
		for way, read := range map[string]func() (*Trace, error){
			"at once": func() (*Trace, error) { return ReadEDN(strings.NewReader(c.text), "x.edn", c.model) },
			"byte by byte": func() (*Trace, error) {
				return readEDN(iotest.OneByteReader(strings.NewReader(c.text)), "x.edn", c.model, 1)
			},
		} {
			trace, err := read()
			if err != nil {
				t.Errorf("%s, %s: %v", name, way, err)
			} else if got := tell(trace); got != c.want && got+"\n" != c.want {
				t.Errorf("%s, %s:\n%s\nwant\n%s", name, way, got, c.want)
			}
		}
	}
}

// Every fault is told with its place and what was expected there.
func TestEDNFaults(t *testing.T) {
	deep := strings.Repeat("[", 100_000)
	for text, want := range map[string]string{
		`{:type 12}`:                               "x.edn:1:8: expected a keyword after :type, found 12",
		"\n {:type :invoked}":                      "x.edn:2:9: expected :invoke, :ok, :fail or :info after :type, found :invoked",
		`{:type :ok :f :cas :process 0}`:           "x.edn:1:15: expected a function of the model register: :read, :write, found :cas",
		`{:type :ok :f :read :value 1}`:            "x.edn:1:1: expected an operation with :process, found one without",
		`{:type :ok :value 1 :process 0}`:          "x.edn:1:1: expected an operation with :f, found one without",
		`{:f :read :value 1 :process 0}`:           "x.edn:1:1: expected an operation with :type, found one without",
		`{:type :ok :f :read :value 1 :process 0}`: "x.edn:1:1: process 0 returns from read and had not called it",
		`{:type :invoke :f :write :process 0}`:     "x.edn:1:1: expected a :value of :write, found none",
		`{:type :invoke`:                           "x.edn:1:15: expected a keyword or the } of the operation, found the end of the file",
		`{:type`:                                   "x.edn:1:7: expected a value after the key, found the end of the file",
		`{:type}`:                                  "x.edn:1:7: expected a value after the key, found }",
		`{:value [1 2}`:                            "x.edn:1:13: expected ] for the [ of line 1, column 9, found }",
		`{:value {1}}`:                             "x.edn:1:11: expected a value for the last key of the map, found }",
		`{:value "a`:                               "x.edn:1:9: expected a string with its closing quote, found the end of the file",
		`{:value "\q"}`:                            `x.edn:1:10: expected one of \t \r \n \b \f \\ \" \uXXXX, found \q`,
		`{:value "\u12x4"}`:                        `x.edn:1:14: expected four hexadecimal digits after \u, found x`,
		`{:value 12x}`:                             "x.edn:1:9: expected a number, found 12x",
		`{:value :}`:                               "x.edn:1:9: expected a keyword, found a lone colon",
		`{: 1}`:                                    "x.edn:1:2: expected a keyword, found a lone colon",
		`{:value ^a b}`:                            "x.edn:1:9: expected a value, found ^a",
		`{:value # a}`:                             `x.edn:1:10: expected a tag after #, found  `,
		`{:value \`:                                "x.edn:1:10: expected a character after the backslash, found the end of the file",
		"{:value " + deep:                          "x.edn:1:208: expected forms that are nested at most 200 deep, found more",
		strings.Repeat("#_ ", 100_000):             "x.edn:1:601: expected forms that are nested at most 200 deep, found more",
		strings.Repeat("{:value "+"#a ", 1) + strings.Repeat("#a ", 100_000): "x.edn:1:606: expected forms that are nested at most 200 deep, found more",
		`hello`:              "x.edn:1:1: expected a map, or a vector of maps, found hello",
		`[{:process nil}`:    "x.edn:1:16: expected a map, or the ] that ends the history, found the end of the file",
		`[{:process nil}] 1`: "x.edn:1:18: expected the end of the file, found 1",
		`{:process nil} [1]`: "x.edn:1:16: expected a map, or the end of the file, found [",
		`[1]`:                "x.edn:1:2: expected a map, or the ] that ends the history, found 1",
		"{:process 0 :type :invoke :f :read}\n{:process 0 :type :invoke :f :read}":                           "x.edn:2:1: process 0 calls read while its read of line 1 has not returned",
		"{:process 0 :type :invoke :f :read}\n{:process 0 :type :ok :f :write}":                              "x.edn:2:1: process 0 returns from write, and what it called, in line 1, is read",
		"{:process 0 :type :invoke :f :read}\n{:process 0 :type :ok :f :read}":                               "x.edn:2:1: expected a :value of :read, found none",
		"{:process 0 :type :invoke :f :read :value [1 nil]}\n{:process 1 :type :invoke :f :read :value nil}": "x.edn:2:43: expected [key value], as in the operations before, found nil",
		"{:process 0 :type :invoke :f :read :value [1 nil]}\n{:process 0 :type :ok :f :read :value 3}":       "x.edn:2:39: expected [key value], as in the operations before, found 3",
		"{:process 0 :type :invoke :f :read :value [1 nil]}\n{:process 0 :type :ok :f :read :value [2 3]}":   "x.edn:2:1: process 0 called :read on 1 and returns from it on 2",
	} {
		for _, size := range []int64{0, 1} {
			reader := iotest.HalfReader(strings.NewReader(text))
			_, err := readEDN(reader, "x.edn", "register", size)
			var syntax *SyntaxError
			if err == nil || err.Error() != want || !errors.As(err, &syntax) {
				t.Errorf("%.60s: %v\nwant %s", text, err, want)
			}
		}
	}
	for model, cases := range map[string]map[string]string{
		"cas-register": {`{:process 0 :type :invoke :f :cas :value 3}`: "x.edn:1:42: expected [old new] as the :value of :cas, found 3"},
		"semaphore":    {`{:process 0 :type :invoke :f :acquire :value 0}`: "x.edn:1:46: expected a number of permits from 1 to 2147483647, or nil, found 0"},
		"rwmutex":      {`{:process 0 :type :invoke :f :acquire :value :all}`: "x.edn:1:46: expected :read or :write as the :value of :acquire, found :all"},
		"priority-queue": {`{:process 0 :type :invoke :f :enqueue :value "a"}`: `x.edn:1:46: expected an integer, or a :priority beside the :value, found "a"`,
			`{:process 0 :type :invoke :f :enqueue :value 1 :priority :a}`: "x.edn:1:58: expected an integer after :priority, found :a"},
		"queue": {`{:process 0 :type :invoke :f :drain}`: "x.edn:1: the drain that begins here never returns: it may have dequeued any number of values, which no trace can tell",
			"{:process 0 :type :invoke :f :drain}\n{:process 0 :type :info :f :drain}":           "x.edn:2:1: a drain of unknown outcome may have dequeued any number of values, which no trace can tell",
			"{:process 0 :type :invoke :f :drain}\n{:process 0 :type :ok :f :drain :value 3}":    "x.edn:2:40: expected [values] as the :value of :drain, found 3",
			"{:process 0 :type :invoke :f :drain}\n{:process 0 :type :ok :f :dequeue :value 3}":  "x.edn:2:1: process 0 returns from :dequeue and had not called it",
			"{:process 0 :type :invoke :f :dequeue}\n{:process 0 :type :ok :f :drain :value []}": "x.edn:2:1: process 0 returns from :drain and had not called it"},
	} {
		for text, want := range cases {
			if _, err := ReadEDN(strings.NewReader(text), "x.edn", model); err == nil || err.Error() != want {
				t.Errorf("%s: %v\nwant %s", text, err, want)
			}
		}
	}
	if _, err := ReadEDN(strings.NewReader(""), "x.edn", "registre"); err == nil || !strings.Contains(err.Error(), "cas-register") {
		t.Errorf("an unknown model: %v", err)
	}
	broken := errors.New("the disk is gone")
	for _, text := range []string{"", "{:type :ok", `{:value "a`, "[", "{:process 0 :type :ok :f :re"} {
		_, err := ReadEDN(iotest.ErrReader(broken), "x.edn", "register")
		if !errors.Is(err, broken) {
			t.Errorf("the reader failed, and all that was told of it is %v", err)
		}
		_, err = ReadEDN(&failingReader{strings.NewReader(text), broken}, "x.edn", "register")
		if !errors.Is(err, broken) {
			t.Errorf("%s: the reader failed, and all that was told of it is %v", text, err)
		}
	}
}

// failingReader fails after its text.
type failingReader struct {
	*strings.Reader
	err error
}

func (f *failingReader) Read(b []byte) (int, error) {
	if f.Reader.Len() == 0 {
		return 0, f.err
	}
	return f.Reader.Read(b)
}
