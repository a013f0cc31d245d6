package reports

import (
	"slices"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

const second = time.Second

// TestDistributions: a leader that is crashed at 2 s is followed at 3.5 s; the
// holder c1 dies at 4 s and c2, who waits, has the lock at 6 s; c3's lease ends at
// 7 s and it is told at 7.5 s. Whom nobody waited for, and who led last, gives no
// sample.
func TestDistributions(t *testing.T) {
	key := "/holdfast/mutex/x/"
	op := func(id int64, client string, call, got time.Duration, lease int64) history.Operation {
		return history.Operation{ID: id, Client: client, Subject: "mutex", Object: "x", Kind: history.Acquire, Call: call, Return: got, Outcome: history.Ok, Lease: lease, Key: key + client}
	}
	h := &history.History{
		Header: history.Header{Prefix: "/holdfast/", Subjects: []history.SubjectInfo{{Name: "mutex", Primitive: history.Mutex, Layout: history.OldestKey}}},
		Operations: []history.Operation{
			op(1, "c1", 1*second, 2*second, 1), op(2, "c2", 3*second, 6*second, 2),
			{ID: 3, Client: "c2", Subject: "mutex", Object: "x", Kind: history.Release, Call: 6200 * time.Millisecond, Return: 6300 * time.Millisecond, Outcome: history.Ok, Hold: 2, Lease: 2},
			op(4, "c3", 6250*time.Millisecond, 6400*time.Millisecond, 3), op(5, "c4", 8*second, 8500*time.Millisecond, 4),
		},
		Events: []history.Event{
			{Time: 0, Kind: history.Leads, Client: "m1", Detail: "leader"},
			{Time: 3500 * time.Millisecond, Kind: history.Leads, Client: "m2", Detail: "leader"},
			{Time: 4 * second, Kind: history.Crashed, Client: "c1"},
			{Time: 7500 * time.Millisecond, Kind: history.Lost, Client: "c3", Lease: 3, Heeded: true},
			{Time: 9 * second, Kind: history.Crashed, Client: "c4"},
		},
		Faults: []history.Fault{{ID: 1, Kind: "crash-member", Target: "m1", From: 2 * second, To: 5 * second, Verified: true}},
		Revisions: history.NewRevisionLog(1, 0, []history.Change{
			{Revision: 2, Time: second, Key: key + "c3", Create: 2, Lease: 3}, {Revision: 3, Time: 7 * second, Key: key + "c3", Deleted: true},
		}, []history.LeaseEnd{{Lease: 3, Revision: 3, Time: 7 * second}}, nil, nil),
		End: 10 * second,
	}
	want := map[string][]time.Duration{"Failover": {1500 * time.Millisecond}, "Notice": {500 * time.Millisecond}, "Holder death": {2 * second}}
	all := distributions(h, newIndex(h))
	if len(all) != len(want) {
		t.Fatalf("%d distributions, want %d", len(all), len(want))
	}
	for _, d := range all {
		if !slices.Equal(d.samples, want[d.Title]) || d.Unmeasured != 0 {
			t.Errorf("%s: %v and %d without a measure, want %v", d.Title, d.samples, d.Unmeasured, want[d.Title])
		}
	}
	h.Faults[0].Verified = false // then nothing says when m1 ceased to lead
	if d := failovers(h); len(d.samples) != 0 || d.Unmeasured != 1 {
		t.Errorf("without the fault: %v and %d without a measure", d.samples, d.Unmeasured)
	}
}

func TestMomentsOfLatency(t *testing.T) {
	h := &history.History{End: moments * second}
	for i, took := range []time.Duration{3, 1, 2} { // all in moment 5
		h.Operations = append(h.Operations, history.Operation{ID: int64(i + 1), Kind: history.Read, Call: 5*second + time.Duration(i), Return: 5*second + time.Duration(i) + took*time.Millisecond, Outcome: history.Ok})
	}
	h.Operations = append(h.Operations, history.Operation{ID: 9, Kind: history.Read, Call: 7 * second, Outcome: history.Pending})
	l := latencies(h)[0]
	if l.good[5] != 3 || l.other[7] != 1 || l.Pending != 1 {
		t.Errorf("%d ok in moment 5, %d others in moment 7, %d pending", l.good[5], l.other[7], l.Pending)
	}
	for m := range moments {
		if n := len(l.in(m)); n != map[int]int{5: 3}[m] {
			t.Errorf("%d durations in moment %d", n, m)
		}
	}
	if l.Median != "2.0" || l.Longest != "3.0" {
		t.Errorf("median %s, longest %s", l.Median, l.Longest)
	}
}

func TestLogsAreMergedAndLoudOnesStay(t *testing.T) {
	var lines []LogLine
	for i := range 2 * maxLogLines {
		lines = append(lines, LogLine{Time: time.Duration(2*maxLogLines-i) * second, Name: "m1", Level: "info", Text: "x"})
	}
	near := 2000 * second
	lines[0].Level = "error" // at the other end of the run
	out, left := logLines(lines, []time.Duration{near})
	if len(out) != maxLogLines || left != maxLogLines {
		t.Fatalf("%d lines, %d left", len(out), left)
	}
	if !out[len(out)-1].Loud {
		t.Error("the error is gone")
	}
	if !slices.IsSortedFunc(out, func(a, b logged) int { return len(a.Seconds) - len(b.Seconds) }) {
		t.Error("the lines are not in the order of their times")
	}
	if !slices.ContainsFunc(out, func(l logged) bool { return l.At == at(near) }) {
		t.Error("the line at the violation is gone")
	}
}

// Lines of all parties are merged in the order of their times; what is not known to
// have been at some time is not filtered by it.
func TestLogsOfClientsAndPrograms(t *testing.T) {
	lines := []LogLine{
		{Time: second, Name: "m1", Level: "info", Text: "up"}, {Time: 3 * second, Name: "m1", Level: "info", Text: "down"},
		{Time: 2 * second, Of: Clients, Name: "c1", Text: "panic: no lock"}, {Undated: true, Of: Programs, Name: "c2", Level: "WARNING", Text: "?"},
	}
	out, _ := logLines(lines, nil)
	want := []logged{
		{"", "–", "program of c2", "WARNING", "?", true}, {number6(second), at(second), "m1", "info", "up", false},
		{number6(2 * second), at(2 * second), "client c1", "", "panic: no lock", true}, {number6(3 * second), at(3 * second), "m1", "info", "down", false},
	}
	if !slices.Equal(out, want) {
		t.Errorf("%+v, want %+v", out, want)
	}
	for n, want := range map[int]string{0: "", 2: "members", 3: "members and clients", 4: "members, clients and programs"} {
		if got := logsOf(lines[:n]); got != want {
			t.Errorf("logs of %q, want %q", got, want)
		}
	}
}
