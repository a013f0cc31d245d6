package checker

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/etcd-holdfast/holdfast/history"
)

var primitives = []history.Primitive{history.Mutex, history.RWMutex, history.Election}

// alarm describes what is wrong with the judgement of a correct run.
func alarm(result *Result, whole bool) error {
	for _, p := range result.Properties {
		for _, v := range p.Violations {
			if p.Property != Exclusion || v.Blame != BlameLease {
				return fmt.Errorf("%s %s: false alarm, blame %s %s: %s", p.Subject, p.Property, v.Blame, v.Known, v.Sentence)
			}
		}
		if whole && p.Verdict == Unknown {
			return fmt.Errorf("%s %s: unknown although nothing is missing: %s", p.Subject, p.Property, p.Sentence)
		}
	}
	return nil
}

// TestCorrectRunsHold judges whole runs of an ideal service.
func TestCorrectRunsHold(t *testing.T) {
	verdicts := make(map[string]int)
	rapid.Check(t, func(t *rapid.T) {
		s := simulate(rapid.Uint64().Draw(t, "seed"), rapid.SampledFrom(primitives).Draw(t, "primitive"))
		n := len(s.records)
		h := s.cut(n, n, s.layout())
		if !h.Complete() {
			t.Fatal("the simulated run did not end")
		}
		result := Check(h, Options{})
		if err := alarm(result, true); err != nil {
			t.Fatal(err)
		}
		for _, p := range result.Properties {
			verdicts[fmt.Sprint(p.Property, " ", p.Verdict)]++
		}
	})
	for _, p := range PropertyNames() {
		switch p.Name {
		case Delivery, Passage, Total:
			continue // of queues, barriers and banks; see TestCorrectMeetingsHold and TestCorrectBanksHold
		case Lease:
			continue // of renewals, which are recorded where servers may be any; see TestALeaseThatEndsBeforeItsTimeIsTheServers
		}
		if verdicts[p.Name+" holds"] == 0 {
			t.Errorf("no run put %s to the test: %v", p.Name, verdicts)
		}
	}
	if verdicts["exclusion violated"] == 0 {
		t.Error("no run had a belief that outlived its lease")
	}
	t.Log(verdicts)
}

// TestPrefixesOfCorrectRunsRaiseNoAlarm cuts runs at every record, with the
// log's file cut at the same line, behind it or ahead of it.
func TestPrefixesOfCorrectRunsRaiseNoAlarm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := simulate(rapid.Uint64().Draw(t, "seed"), rapid.SampledFrom(primitives).Draw(t, "primitive"))
		layout := s.layout()
		if rapid.IntRange(0, 3).Draw(t, "layout") == 0 {
			layout = history.NoLayout
		}
		nameless := rapid.IntRange(0, 3).Draw(t, "nameless") == 0
		skew := rapid.SampledFrom([]int{0, 0, 3, -3, 40, -40}).Draw(t, "skew")
		step := 1 + rapid.IntRange(0, 6).Draw(t, "step")
		var gaps []history.Gap
		if rapid.IntRange(0, 2).Draw(t, "gap") == 0 {
			from := rapid.Int64Range(2, max(2, s.revision)).Draw(t, "from")
			gaps = append(gaps, history.Gap{From: from, Through: from + rapid.Int64Range(0, 10).Draw(t, "length")})
		}
		for n := step; n <= len(s.records)+step; n += step {
			n := min(n, len(s.records))
			h := s.cut(n, max(0, n+skew), layout, gaps...)
			if nameless {
				unname(h)
			}
			if err := alarm(Check(h, Options{}), false); err != nil {
				t.Fatalf("cut at record %d of %d, %v: %v", n, len(s.records), h.End, err)
			}
		}
	})
}

// TestSharedSessionThatExpiredIsNoLeftover repeats a run that once raised an alarm,
// cut at every record: a client's campaign gave up after the lease of the session
// that it shared had ended, because the other client was cut off, and had taken its
// key; the other closed that session much later, successfully.
func TestSharedSessionThatExpiredIsNoLeftover(t *testing.T) {
	const seed = 0xd9
	s := simulate(seed, history.Election)
	if !s.gaveUpOnExpired() {
		t.Fatalf("the run of seed %#x no longer shows it", seed)
	}
	for _, skew := range []int{0, 3, -3, 40, -40} {
		for n := 1; n <= len(s.records); n++ {
			h := s.cut(n, max(0, n+skew), s.layout())
			if err := alarm(Check(h, Options{}), false); err != nil {
				t.Fatalf("cut at record %d of %d, the log at %d: %v", n, len(s.records), n+skew, err)
			}
		}
	}
}

// TestResumedLeadershipOfADeadResigner repeats a run that once raised an alarm: a
// leader called resign and died, and its successor resumed the leadership before
// the resignation came, and died resigning from a later one.
func TestResumedLeadershipOfADeadResigner(t *testing.T) {
	s := simulate(0x2046, history.Election)
	for n := 1; n <= len(s.records); n++ {
		if err := alarm(Check(s.cut(n, n, s.layout()), Options{}), false); err != nil {
			t.Fatalf("cut at record %d of %d: %v", n, len(s.records), err)
		}
	}
}

// TestTryBehindTheKeyOfItsOwnSession repeats a run that once raised an alarm: a try
// was refused for the key of a client with which the trying one shares its session.
func TestTryBehindTheKeyOfItsOwnSession(t *testing.T) {
	s := simulate(0xb489, history.Mutex)
	for n := 1; n <= len(s.records); n++ {
		if err := alarm(Check(s.cut(n, n, s.layout()), Options{}), n == len(s.records)); err != nil {
			t.Fatalf("cut at record %d of %d: %v", n, len(s.records), err)
		}
	}
}

// TestLateWriteOfADeadLeader repeats a run that once raised an alarm: a dead
// leader's fenced write was accepted after that of the client who had resumed its
// leadership, which has the same token.
func TestLateWriteOfADeadLeader(t *testing.T) {
	s := simulate(0xe05dad3f85, history.Election)
	for n := 1; n <= len(s.records); n++ {
		if err := alarm(Check(s.cut(n, n, s.layout()), Options{}), n == len(s.records)); err != nil {
			t.Fatalf("cut at record %d of %d: %v", n, len(s.records), err)
		}
	}
}

// TestCompactionAtTheEndOfAnObservation repeats a run that once raised an alarm: an
// observation ended, and then, at the same instant, the store was compacted.
func TestCompactionAtTheEndOfAnObservation(t *testing.T) {
	s := simulate(0xaafd18a85, history.Election)
	for n := 1; n <= len(s.records); n++ {
		if err := alarm(Check(s.cut(n, n, s.layout()), Options{}), n == len(s.records)); err != nil {
			t.Fatalf("cut at record %d of %d: %v", n, len(s.records), err)
		}
	}
}

// TestFinalLeaderWhoseSessionWasClosed repeats a run that once raised an alarm:
// without a layout, the one who still believed at the end was taken for the final
// leader, and had closed its session long before.
func TestFinalLeaderWhoseSessionWasClosed(t *testing.T) {
	s := simulate(0xe77080, history.Election)
	for n := 1; n <= len(s.records); n++ {
		h := s.cut(n, n, history.NoLayout)
		unname(h)
		if err := alarm(Check(h, Options{}), n == len(s.records)); err != nil {
			t.Fatalf("cut at record %d of %d: %v", n, len(s.records), err)
		}
	}
}

// gaveUpOnExpired is true if an acquire gave up on a session that the log saw
// end before, and that another client closed after.
func (s *ideal) gaveUpOnExpired() bool {
	h := s.cut(len(s.records), len(s.records), s.layout())
	for _, op := range h.Operations {
		end, ended := h.Revisions.LeaseEnd(op.Lease)
		if !op.Kind.Acquires() || op.Outcome != history.Info || !ended || end.Time >= op.Return {
			continue
		}
		for _, closing := range h.Operations {
			if closing.Kind == history.CloseSession && closing.Outcome == history.Ok && closing.Lease == op.Lease && closing.Client != op.Client && closing.Call > op.Return {
				return true
			}
		}
	}
	return false
}

// unname makes the subject one that cannot say which key it owns.
func unname(h *history.History) {
	for i := range h.Operations {
		if h.Operations[i].Kind.Acquires() {
			h.Operations[i].Key, h.Operations[i].Token = "", 0
		}
	}
}
