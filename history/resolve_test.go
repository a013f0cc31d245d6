package history

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// resolvable is a complete run of 100 ms of an election "e" and a lock without
// a layout, "x". Its log has changes at revisions 2 to 6 and reaches the final
// phase at 80 ms.
func resolvable() *History {
	tick := func(at time.Duration, revision int64) Tick { return Tick{at, at + ms, revision} }
	return &History{
		Header: Header{Prefix: "run/", Subjects: []SubjectInfo{{Name: "e", Primitive: Election, Layout: OldestKey}, {Name: "x"}}},
		Events: []Event{{Kind: PhaseBegan, Detail: PhaseFinal, Time: 80 * ms}, {Kind: PhaseBegan, Detail: PhaseEnd, Time: 100 * ms}},
		End:    100 * ms,
		Revisions: NewRevisionLog(2, 6, []Change{
			{Revision: 2, Key: "run/e/0/a", Create: 2, Value: "waits", Time: 12 * ms},
			{Revision: 3, Key: "run/e/0/a", Create: 2, Value: "proclaimed", Time: 24 * ms},
			{Revision: 4, Key: "run/guarded/e/0", Create: 4, Value: "guarded", Time: 34 * ms},
			{Revision: 5, Key: "run/e/1/b", Create: 5, Value: "elsewhere", Time: 44 * ms},
			{Revision: 6, Key: "run/e/0/a", Deleted: true, Time: 54 * ms},
		}, nil, []Tick{tick(10*ms, 1), tick(20*ms, 2), tick(30*ms, 3), tick(40*ms, 4), tick(50*ms, 5), tick(85*ms, 6)}, nil),
	}
}

func TestTheLogResolvesUnknownWrites(t *testing.T) {
	op := func(kind Kind, value string, call time.Duration) Operation {
		return Operation{ID: 1, Client: "c1", Subject: "e", Object: "0", Kind: kind, Call: call, Value: value}
	}
	with := func(o Operation, change func(*Operation)) Operation { change(&o); return o }
	for _, c := range []struct {
		name   string
		op     Operation
		change func(*History)
		want   Resolution
	}{
		{"a pending campaign that waits", op(Campaign, "waits", 5*ms), nil, Resolution{FateHappened, 2, 10 * ms, 12 * ms}},
		{"called within the revision's bounds", op(Campaign, "waits", 11*ms), nil, Resolution{FateHappened, 2, 11 * ms, 12 * ms}},
		{"info, put after its return", with(op(Proclaim, "proclaimed", 5*ms), func(o *Operation) { o.Outcome, o.Return = Info, 15*ms }), nil,
			Resolution{FateHappened, 3, 20 * ms, 24 * ms}},
		{"ok, returned before it was seen", with(op(Proclaim, "proclaimed", 21*ms), func(o *Operation) { o.Outcome, o.Return = Ok, 23*ms }), nil,
			Resolution{FateHappened, 3, 21 * ms, 23 * ms}},
		{"ok, returned before it can have happened", with(op(Proclaim, "proclaimed", 5*ms), func(o *Operation) { o.Outcome, o.Return = Ok, 15*ms }), nil, Resolution{}},
		{"a guarded write", op(GuardedWrite, "guarded", 5*ms), nil, Resolution{FateHappened, 4, 30 * ms, 34 * ms}},
		{"called when the value was surely there", op(Proclaim, "proclaimed", 25*ms), nil, Resolution{}},
		{"not in the log", op(Proclaim, "lost", 5*ms), nil, Resolution{Fate: FateNever}},
		{"in the log at another election", op(Proclaim, "elsewhere", 5*ms), nil, Resolution{Fate: FateNever}},
		{"a guarded write that is not in the log", op(GuardedWrite, "lost", 5*ms), nil, Resolution{Fate: FateNever}},
		{"a subject that may write anywhere", with(op(Campaign, "lost", 5*ms), func(o *Operation) { o.Subject = "x" }), nil, Resolution{}},
		{"a guarded write of such a subject", with(op(GuardedWrite, "lost", 5*ms), func(o *Operation) { o.Subject = "x" }), nil, Resolution{Fate: FateNever}},
		{"two with one value", op(Proclaim, "proclaimed", 5*ms), func(h *History) {
			h.Operations = append(h.Operations, Operation{ID: 2, Subject: "e", Object: "1", Kind: Campaign, Value: "proclaimed"})
		}, Resolution{}},
		{"put twice", op(Campaign, "waits", 5*ms), func(h *History) {
			h.Revisions = NewRevisionLog(2, 6, append(h.Revisions.Changes, Change{Revision: 5, Key: "run/e/0/c", Create: 5, Value: "waits"}), nil, h.Revisions.Ticks, nil)
		}, Resolution{}},
		{"a gap after its call", op(Proclaim, "lost", 5*ms), func(h *History) { h.Revisions.Gaps = []Gap{{3, 3}} }, Resolution{}},
		{"a gap before its call", op(Proclaim, "lost", 35*ms), func(h *History) { h.Revisions.Gaps = []Gap{{3, 3}} }, Resolution{Fate: FateNever}},
		{"a gap that may be after its call", op(Proclaim, "lost", 24*ms), func(h *History) { h.Revisions.Gaps = []Gap{{3, 3}} }, Resolution{}},
		{"a run cut short", op(Proclaim, "lost", 5*ms), func(h *History) { h.Events = h.Events[:1] }, Resolution{}},
		{"a log that may not reach the final phase", op(Proclaim, "lost", 5*ms), func(h *History) { h.Events[0].Time = 90 * ms }, Resolution{}},
		{"no log", op(Proclaim, "proclaimed", 5*ms), func(h *History) { h.Revisions = nil }, Resolution{}},
	} {
		h := resolvable()
		h.Operations = []Operation{c.op}
		if c.change != nil {
			c.change(h)
		}
		got := h.Resolve(h.Revisions)
		if got[1] != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got[1], c.want)
		}
		if h.Operations[0] != c.op {
			t.Errorf("%s: the record has changed", c.name)
		}
	}
	h := resolvable()
	h.Operations = []Operation{
		with(op(Campaign, "waits", 5*ms), func(o *Operation) { o.Outcome = Fail }), op(Acquire, "", 5*ms), op(Write, "waits", 5*ms),
	}
	if got := h.Resolve(h.Revisions); len(got) != 0 {
		t.Errorf("%+v of what certainly failed, or is not written to etcd", got)
	}
}

func TestLeaderValuesAreARegister(t *testing.T) {
	h := resolvable()
	op := func(id int64, client string, kind Kind, value string, call, end time.Duration, outcome Outcome) Operation {
		return Operation{ID: id, Client: client, Subject: "e", Object: "0", Kind: kind, Value: value, Call: call, Return: end, Outcome: outcome}
	}
	h.Operations = []Operation{
		op(1, "c1", Campaign, "waits", 5*ms, 8*ms, Info),
		op(2, "c2", Leader, "", 6*ms, 7*ms, Ok),
		op(3, "c3", Campaign, "lost", 6*ms, 0, Pending),
		op(4, "c3", Proclaim, "proclaimed", 9*ms, 0, Pending),
		op(5, "c2", Leader, "waits", 14*ms, 16*ms, Ok),
		op(6, "c2", Leader, "proclaimed", 25*ms, 26*ms, Ok),
		op(7, "c4", Campaign, "refused", 26*ms, 27*ms, Fail),
		op(8, "c4", Resign, "", 27*ms, 28*ms, Ok),
		op(9, "c2", Leader, "proclaimed", 86*ms, 87*ms, Ok),
		op(10, "c2", Leader, "", 88*ms, 0, Pending),
		{ID: 11, Client: "c5", Subject: "e", Object: "1", Kind: Campaign, Value: "elsewhere", Call: 41 * ms, Return: 60 * ms, Outcome: Ok},
		{ID: 12, Client: "c5", Subject: "x", Object: "1", Kind: Campaign, Value: "other", Call: 41 * ms, Return: 60 * ms, Outcome: Ok},
	}
	describe := func(trace *Trace) (all []string) {
		for _, c := range trace.Calls {
			end := "-"
			if c.Return != NoReturn {
				end = fmt.Sprint(c.Return / int64(ms))
			}
			all = append(all, fmt.Sprintf("#%d %s %s %s %s [%d,%s]", c.ID, trace.Processes[c.Process], trace.Objects[c.Object], c.Function, trace.Text(c.Value), c.Invoke/int64(ms), end))
		}
		return all
	}
	want := []string{
		"#1 c1 0 write waits [10,-]", // it was put at 10 ms the earliest, and led some time later
		"#5 c2 0 read waits [14,16]",
		"#4 c3 0 write proclaimed [20,24]", // the log dates it
		"#6 c2 0 read proclaimed [25,26]",
		"#11 c5 1 write elsewhere [41,60]",
	}
	if got := describe(h.RegisterTrace("e")); !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	h.Revisions = nil
	want = []string{
		"#1 c1 0 write waits [5,-]", "#3 c3 0 write lost [6,-]", "#4 c3 0 write proclaimed [9,-]",
		"#5 c2 0 read waits [14,16]", "#6 c2 0 read proclaimed [25,26]", "#11 c5 1 write elsewhere [41,60]", "#9 c2 0 read proclaimed [86,87]",
	}
	if got := describe(h.RegisterTrace("e")); !slices.Equal(got, want) {
		t.Errorf("without a log: got %q\nwant %q", got, want)
	}
	if got := h.RegisterTrace("nothing"); len(got.Calls) != 0 || len(got.Objects) != 1 {
		t.Errorf("%+v", got)
	}
}
