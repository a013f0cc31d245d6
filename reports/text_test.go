package reports

import (
	"slices"
	"testing"
	"time"
)

func TestVisible(t *testing.T) {
	for in, want := range map[string]string{
		"plain é 漢\n\t": "plain é 漢\n\t", "\x1b[0m": `\x1b[0m`, "a\u202eb": `a\u202eb`, "\x00\u0085\xff": `\x00\x85\xff`, "\ufffe": `\ufffe`,
	} {
		if got := visible(in); got != want {
			t.Errorf("visible(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		in    string
		width int
		want  []string
	}{
		{"one two three", 7, []string{"one two", "three"}},
		{"held at 1.377 s; gone", 13, []string{"held at", "1.377 s; gone"}},
		{"abcdefgh ij", 3, []string{"abc", "def", "gh", "ij"}},
		{"", 5, nil},
	} {
		if got := wrap(c.in, c.width); !slices.Equal(got, c.want) {
			t.Errorf("wrap(%q, %d) = %q, want %q", c.in, c.width, got, c.want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for got, want := range map[string]string{
		figure("overlap_max_ms", 572.6): "overlap max 573 ms", figure("damage_percent", 0.25): "damage 0.25 %", figure("waits", 12): "waits 12",
		lasting(573 * time.Millisecond): "573 ms", lasting(1204 * time.Millisecond): "1.20 s", lasting(2500 * time.Microsecond): "2.5 ms",
		at(1204 * time.Millisecond): "1.204 s", shorten("abcdef", 4): "abc…", shorten("abcd", 4): "abcd",
		coordinate(12.34): "12.3", coordinate(-0.26): "-0.3", coordinate(7): "7",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestNaturalOrder(t *testing.T) {
	names := []string{"c10", "m1", "c9", "c1", "c09", "x"}
	slices.SortFunc(names, natural)
	if want := []string{"c1", "c09", "c9", "c10", "m1", "x"}; !slices.Equal(names, want) {
		t.Errorf("got %v, want %v", names, want)
	}
}

// TestScaleTicks: never more than a reader can tell apart, never none.
func TestScaleTicks(t *testing.T) {
	for _, span := range []time.Duration{1, time.Millisecond, 70 * time.Millisecond, time.Second, 25 * time.Second, 90 * time.Hour} {
		s := scale{time.Second, time.Second + span}
		if n := span / s.step(); n > 12 || n < 4 && span > time.Millisecond {
			t.Errorf("%v has %d ticks", span, n)
		}
		if s.x(0) != gutter || s.x(time.Second+2*span) != rightMargin {
			t.Errorf("%v: a time outside the window is drawn outside", span)
		}
	}
}

func TestQuantile(t *testing.T) {
	l := &latency{}
	if got := milliseconds(quantile(l.durations, 50)); got != "–" {
		t.Errorf("the median of nothing is %q", got)
	}
	for i := range 100 {
		l.durations = append(l.durations, time.Duration(i+1)*time.Millisecond)
	}
	for percent, want := range map[int]string{50: "50.0", 90: "90.0", 99: "99.0", 100: "100.0"} {
		if got := milliseconds(quantile(l.durations, percent)); got != want {
			t.Errorf("p%d is %s, want %s", percent, got, want)
		}
	}
}
