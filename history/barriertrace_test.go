package history

import "testing"

func TestBarrierTrace(t *testing.T) {
	h := &History{
		Header: Header{Prefix: "run/", Subjects: []SubjectInfo{{Name: "s", Primitive: Barrier, Layout: BarrierKeys}}},
		End:    100 * ms,
		Events: []Event{{Kind: PhaseBegan, Detail: PhaseFinal, Time: 80 * ms}, {Kind: PhaseBegan, Detail: PhaseEnd, Time: 100 * ms}},
		Operations: []Operation{
			meetingOp(1, "c1", "a", Block, "", 1, 4, Ok),
			meetingOp(2, "c2", "a", Block, "", 5, 6, Fail),
			meetingOp(3, "c1", "a", Unblock, "", 7, 0, Pending), // may be what deleted it at 12
			meetingOp(4, "c3", "a", Pass, "", 8, 13, Ok),
			meetingOp(5, "c3", "a", Pass, "", 14, 15, Info),
			meetingOp(6, "c4", "a", Unblock, "", 20, 21, Info), // nothing was deleted then
		},
		Revisions: NewRevisionLog(2, 3, []Change{
			{Revision: 2, Key: "run/s/a/held", Create: 2, Time: 3 * ms},
			{Revision: 3, Key: "run/s/a/held", Deleted: true, Time: 12 * ms},
		}, nil, []Tick{{85 * ms, 86 * ms, 3}}, nil),
	}
	want := lines("1: c1 hold on a [1000000, 4000000]", "3: c1 lower on a [7000000, ?", "4: c3 wait on a [8000000, 13000000]")
	if got := tell(h.BarrierTrace("s")); got != want {
		t.Errorf("trace\n%swant\n%s", got, want)
	}
	h.Revisions = nil
	if n := len(h.BarrierTrace("s").Calls); n != 4 {
		t.Errorf("%d calls without a log, want 4", n)
	}
}

func TestDoubleBarrierTraceEndsWhereItsRuleDoes(t *testing.T) {
	run := func() *History {
		h := &History{
			Header: Header{Prefix: "run/", Subjects: []SubjectInfo{{Name: "s", Primitive: DoubleBarrier, Layout: MemberKeys, Permits: 2}}},
			End:    100 * ms,
			Operations: []Operation{
				meetingOp(1, "c1", "a", Enter, "", 1, 6, Ok),
				meetingOp(2, "c2", "a", Enter, "", 4, 6, Ok),
				meetingOp(3, "c1", "a", Leave, "", 10, 16, Ok),
				meetingOp(4, "c2", "a", Leave, "", 14, 16, Ok),
				meetingOp(5, "c1", "a", Enter, "", 20, 30, Ok),
				meetingOp(6, "c2", "a", Enter, "", 22, 30, Ok),
			},
			Revisions: NewRevisionLog(2, 2, nil, nil, []Tick{{90 * ms, 91 * ms, 2}}, nil),
		}
		for i := range h.Operations {
			h.Operations[i].Lease = 1 + int64(i%2)
		}
		return h
	}
	whole := []string{"1: c1 enter on a [1000000, 6000000]", "2: c2 enter on a [4000000, 6000000]", "3: c1 leave on a [10000000, 16000000]",
		"4: c2 leave on a [14000000, 16000000]", "5: c1 enter on a [20000000, 30000000]", "6: c2 enter on a [22000000, 30000000]"}
	for _, c := range []struct {
		name   string
		change func(h *History)
		want   string
	}{
		{"all is known", func(*History) {}, lines(whole...)},
		{"a call of unknown outcome", func(h *History) { h.Operations[3].Outcome = Info },
			lines(whole[0], whole[1], "3: c1 leave on a [10000000, ?")},
		{"a crash", func(h *History) { h.Events = []Event{{Kind: Crashed, Client: "c2", Time: 15 * ms}} },
			lines(whole[0], whole[1], "3: c1 leave on a [10000000, ?", "4: c2 leave on a [14000000, ?")},
		{"a third client", func(h *History) { h.Operations[4].Client = "c3" }, lines(whole[:4]...)},
		{"a call that was refused", func(h *History) { h.Operations[4].Outcome = Fail }, lines(append(whole[:4:4], whole[5])...)},
		{"a lease's end", func(h *History) {
			h.Revisions = NewRevisionLog(2, 2, nil, []LeaseEnd{{Lease: 2, Revision: 2, Time: 19 * ms}}, []Tick{{12 * ms, 13 * ms, 1}, {90 * ms, 91 * ms, 2}}, nil)
		}, lines(whole[0], whole[1], "3: c1 leave on a [10000000, ?")},
		{"no log", func(h *History) { h.Revisions = nil }, ""},
	} {
		h := run()
		c.change(h)
		if got := tell(h.DoubleBarrierTrace("s")); got != c.want {
			t.Errorf("%s: trace\n%swant\n%s", c.name, got, c.want)
		}
	}
}
