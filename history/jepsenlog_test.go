package history

import (
	"strings"
	"testing"
)

func TestJepsenLog(t *testing.T) {
	text := lines("INFO  jepsen.core - Running test", "INFO  jepsen.util - 4\t:invoke\t:read\tnil", "INFO  jepsen.util - 0\t:invoke\t:cas\t[3 0]",
		"", "\tat jepsen.util$timeout.invoke(util.clj:1)", "WARN  jepsen.util - 7 nodes are slow", "INFO  jepsen.util - 0\t:fail\t:cas\t[3 0]",
		"INFO  jepsen.util - :nemesis\t:info\t:start\tnil", "2020 [jepsen worker 1] INFO   jepsen.util -   0   :invoke  :cas \t [1 2]", "INFO  jepsen.util - 0\t:fail\t:cas\t:timed-out",
		"INFO  jepsen.util - 4\t:ok\t:read\t3", "INFO  jepsen.util - 2\t:invoke\t:write\t1", "INFO  jepsen.util - 2\t:info\t:write\t:timed-out",
		"INFO  jepsen.util - 4\t:invoke\t:read\tnil", "INFO  jepsen.util - 4\t:fail\t:read\t:timed-out", "INFO\tjepsen.util: 5\t:invoke\t:cas\t[1 2]", "INFO\tjepsen.util: 5\t:fail\t:cas\t[1 2]\t:timed-out")
	want := lines("2: 4 read 3 [0, 5]", "3: 0 cas 3 [1, 2] refused", "12: 2 write 1 [6, ?")
	want = strings.Replace(want, "cas 3 [", "cas 3 0 [", 1)
	for _, end := range []string{"", "INFO  jepsen.util - 9\t:invoke\t:wri", "INFO  jepsen.util - 9\t:invoke\t:cas\t[1 ", "INFO  jepsen.util - 9\t:ok"} {
		trace, err := ReadJepsenLog(strings.NewReader(text+end), "x.log", "cas-register")
		if err != nil {
			t.Fatal(err)
		}
		if got := tell(trace); got != want {
			t.Errorf("%q: read\n%swant\n%s", end, got, want)
		}
	}
	trace, err := ReadJepsenLog(strings.NewReader("jepsen.util - 0 :invoke :acquire nil\njepsen.util - 0 :ok :acquire nil\njepsen.util - 0 :invoke :release nil"), "x.log", "mutex")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := tell(trace), lines("1: 0 acquire [0, 1]", "3: 0 release [2, ?"); got != want {
		t.Errorf("a last line without a line end: read\n%swant\n%s", got, want)
	}
}

func TestJepsenLogFaults(t *testing.T) {
	for text, want := range map[string]string{
		"a\njepsen.util - 0\t:invok\t:read\tnil": "x.log:2:17: expected :invoke, :ok, :fail or :info, found :invok",
		"jepsen.util - 0 :invoke read nil":       "x.log:1:25: expected a function of the model register: :read, :write, found read",
		"jepsen.util - 0 :invoke":                "x.log:1:24: expected a function of the model register: :read, :write, found the end of the line",
		"jepsen.util - 0 :invoke :cas [1 2]":     "x.log:1:25: expected a function of the model register: :read, :write, found :cas",
		"jepsen.util - 0 :invoke :write":         "x.log:1:31: expected a value, found the end of the line",
		"jepsen.util - 0 :invoke :write [1":      "x.log:1:34: expected ] for the [ of line 1, column 32, found the end of the line",
		"jepsen.util - 0 :invoke :write 1 2":     "x.log:1:34: expected the end of the line, found 2",
		"jepsen.util - 0 :ok :read 1":            "x.log:1:17: process 0 returns from read and had not called it",
	} {
		if _, err := ReadJepsenLog(strings.NewReader(text+"\n"), "x.log", "register"); err == nil || err.Error() != want {
			t.Errorf("%s: %v\nwant %s", text, err, want)
		}
	}
}
