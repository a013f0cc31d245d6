package reports

import (
	"bytes"
	"testing"
	"time"
)

func TestATrackRecordCountsWhatWasFound(t *testing.T) {
	var r TrackRecord
	if r.Found() != 0 || r.Median() != 0 || !r.Clean() {
		t.Errorf("a record without a trial: %d, %v, %v", r.Found(), r.Median(), r.Clean())
	}
	for _, test := range []struct {
		trial  Trial
		line   string
		found  int
		median time.Duration
		clean  bool
	}{
		{Trial{Found: true, After: 2 * time.Second, Property: "leftovers", Directory: "d1"}, "found in 2.0 s by leftovers", 1, 2 * time.Second, true},
		{Trial{Directory: "d2", Notes: []string{"why"}}, "MISSED\n  note: why\n  d2", 1, 2 * time.Second, true},
		{Trial{Found: true, After: 900 * time.Millisecond, Property: "order"}, "found in 0.9 s by order", 2, 2 * time.Second, true},
		{Trial{Found: true, After: time.Second, Property: "order", Directory: "d4", Alarms: []string{"a", "b"}},
			"found in 1.0 s by order\n  ALARM: a\n  ALARM: b\n  d4", 3, time.Second, false},
		{Trial{Found: true, After: time.Minute, Property: "order"}, "found in 60.0 s by order", 4, 2 * time.Second, false},
	} {
		if line := r.Add(test.trial); line != test.line {
			t.Errorf("it says\n%s\nwant\n%s", line, test.line)
		}
		if r.Found() != test.found || r.Median() != test.median || r.Clean() != test.clean {
			t.Errorf("after %+v: %d, %v, %v", test.trial, r.Found(), r.Median(), r.Clean())
		}
	}
}

func records() []TrackRecord {
	rows := []TrackRecord{
		{Name: "upstream/late", Mechanism: "It is late | or not at all.", Primitive: "mutex", Known: "etcd#7", Issue: "7"},
		{Name: "upstream/lost", Mechanism: "It is lost.", Primitive: "election", Known: "lost"},
		{Name: "upstream/none", Mechanism: "Never run.", Primitive: "rwmutex", Known: "none"},
	}
	rows[0].Add(Trial{Found: true, After: 1500 * time.Millisecond, Etcd: "3.7.2"})
	rows[0].Add(Trial{Found: true, After: 2500 * time.Millisecond, Etcd: "3.7.3"})
	rows[1].Add(Trial{Etcd: "3.7.3", Alarms: []string{"oh"}})
	return rows
}

func TestTheTableOfATrackRecord(t *testing.T) {
	var b bytes.Buffer
	if err := TrackRecordTable(records(), &b); err != nil {
		t.Fatal(err)
	}
	const want = `NAME           PRIMITIVE  ISSUE  FOUND   SECONDS  CONTROL
upstream/late  mutex      #7     2 of 2  2.5      passes
upstream/lost  election   –      0 of 1  –        ALARM
upstream/none  rwmutex    –      0 of 0  –        –
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func TestThePageOfATrackRecord(t *testing.T) {
	page := string(TrackRecordMarkdown(records(), "holdfast upstream", time.Date(2026, 11, 22, 23, 0, 0, 0, time.FixedZone("", -7200))))
	const want = "# Track record\n\nMade by `holdfast upstream`. Each row is a scenario that reproduces one defect of etcd's client primitives, with a\n" +
		"corrected subject beside it on which nothing may show: `holdfast run upstream/NAME` repeats it. *Found* counts\n" +
		"runs in which the defect showed by its own mechanism, not by just any violation; *seconds* is the median time\n" +
		"from the start of the load until it had shown.\n\n" +
		"| name | primitive | issue | found | seconds | control | last checked | mechanism |\n|---|---|---|---|---|---|---|---|\n" +
		"| upstream/late | mutex | [#7](https://github.com/etcd-io/etcd/issues/7) | 2 of 2 | 2.5 | passes | etcd 3.7.3, 2026-11-23 | It is late \\| or not at all. |\n" +
		"| upstream/lost | election | – | 0 of 1 | – | ALARM | etcd 3.7.3, 2026-11-23 | It is lost. |\n" +
		"| upstream/none | rwmutex | – | 0 of 0 | – | – | – | Never run. |\n"
	if page != want {
		t.Errorf("got\n%s\nwant\n%s", page, want)
	}
}
