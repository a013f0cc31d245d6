package answers

import (
	"encoding/json"
	"testing"
	"time"
)

func TestQuantilesAreOfTheTimesThemselves(t *testing.T) {
	var times []time.Duration
	for i := 100; i >= 1; i-- {
		times = append(times, time.Duration(i)*time.Millisecond)
	}
	for _, test := range []struct {
		times []time.Duration
		want  Quantiles
	}{
		{nil, Quantiles{}},
		{times[99:], Quantiles{time.Millisecond, time.Millisecond, time.Millisecond, time.Millisecond}},
		{times[98:], Quantiles{time.Millisecond, 2 * time.Millisecond, 2 * time.Millisecond, 2 * time.Millisecond}},
		{times, Quantiles{50 * time.Millisecond, 90 * time.Millisecond, 99 * time.Millisecond, 100 * time.Millisecond}},
	} {
		if got := quantilesOf(test.times); got != test.want {
			t.Errorf("%d times: %v, want %v", len(test.times), got, test.want)
		}
	}
	content, err := json.Marshal(quantilesOf(times))
	if want := `{"p50_ms":50,"p90_ms":90,"p99_ms":99,"max_ms":100}`; err != nil || string(content) != want {
		t.Errorf("%s, %v, want %s", content, err, want)
	}
}

func TestWrapBreaksBetweenWords(t *testing.T) {
	if got, want := wrap("one  two\nthree, fünf", 8), "one two\nthree,\nfünf"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := wrap("toolongforit a", 5); got != "toolongforit\na" {
		t.Errorf("%q", got)
	}
}
