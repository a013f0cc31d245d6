package history

import "testing"

func TestCalled(t *testing.T) {
	trace := &Trace{Processes: []string{"12", "c3", ""}}
	for _, test := range []struct{ got, want string }{
		{Called("0"), "#0"}, {Called("41"), "#41"}, {Called("a"), "a"}, {Called("x1"), "x1"}, {Called(""), ""},
		{trace.Called(0), "process 12"}, {trace.Called(1), "c3"}, {trace.Called(2), ""},
	} {
		if test.got != test.want {
			t.Errorf("%q and not %q", test.got, test.want)
		}
	}
}
