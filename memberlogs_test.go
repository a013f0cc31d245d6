package holdfast

import (
	"strings"
	"testing"
	"time"
)

func TestMemberLog(t *testing.T) {
	started := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	lines := memberLog(strings.NewReader(`{"level":"warn","ts":"2026-03-01T12:00:01.250Z","caller":"x.go:1","msg":"slow","took":"1s","a":3}
{"level":"info","ts":"2026-03-01T14:00:02.000+0200","msg":"zap's own way to write a zone"}

panic: without a time
{"level":"info","ts":"2026-03-01T11:59:59Z","msg":"before"}
{"msg":"`+strings.Repeat("long", maxLogText)+`"}
`), "m1", started)
	want := []struct {
		at          time.Duration
		level, text string
	}{
		{1250 * time.Millisecond, "warn", `slow a=3 took="1s"`},
		{2 * time.Second, "info", "zap's own way to write a zone"},
		{2 * time.Second, "", "panic: without a time"},
		{-time.Second, "info", "before"},
		{-time.Second, "", `{"msg":"long`},
	}
	if len(lines) != len(want) {
		t.Fatalf("%d lines, want %d: %v", len(lines), len(want), lines)
	}
	for i, w := range want {
		if l := lines[i]; l.Time != w.at || l.Level != w.level || !strings.HasPrefix(l.Text, w.text) || l.Member != "m1" || len(l.Text) > maxLogText {
			t.Errorf("line %d is %.80v, want %v", i, l, w)
		}
	}
}

func TestMemberLogIsBounded(t *testing.T) {
	var b strings.Builder
	for i := range 5 * maxMemberLines {
		level := "info"
		if i == 7 {
			level = "error"
		}
		b.WriteString(`{"level":"` + level + `","ts":"2026-03-01T12:00:01Z","msg":"x"}` + "\n")
	}
	lines := memberLog(strings.NewReader(b.String()), "m1", time.Time{})
	if len(lines) > 2*maxMemberLines+maxLoudLines {
		t.Errorf("%d lines", len(lines))
	}
	if lines[0].Level != "error" {
		t.Error("the one error is gone")
	}
}
