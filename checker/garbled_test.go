package checker

import (
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/etcd-holdfast/holdfast/history"
)

// TestGarbledHistories: whatever a history claims, Check judges it without a
// panic, and every violation is told in full.
func TestGarbledHistories(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		s := simulate(seed, rapid.SampledFrom(primitives).Draw(t, "primitive"))
		n := rapid.IntRange(0, len(s.records)).Draw(t, "cut")
		h := s.cut(n, rapid.IntRange(0, len(s.records)).Draw(t, "log"), s.layout())
		garble(h, rand.New(rand.NewPCG(seed, 2)))
		result := Check(h, Options{NoticeLimit: 10 * time.Millisecond})
		for _, p := range result.Properties {
			if p.Sentence == "" {
				t.Fatalf("%s says nothing", p.Property)
			}
			for _, v := range p.Violations {
				if v.Blame == "" || v.Sentence == "" || len(v.Witness) == 0 {
					t.Fatalf("%s: incomplete violation %+v", p.Property, v)
				}
			}
		}
	})
}

// garble changes one field of about every tenth operation and event.
func garble(h *history.History, random *rand.Rand) {
	for i := range h.Operations {
		op := &h.Operations[i]
		switch random.IntN(150) {
		case 0:
			op.Token += random.Int64N(5) - 2
		case 1:
			op.Key = "elsewhere"
		case 2:
			op.Outcome = history.Ok
		case 3:
			op.Hold = random.Int64N(int64(len(h.Operations)) + 9)
		case 4:
			op.Return = op.Call
		case 5:
			op.Value, op.Prior = op.Prior, op.Value
		case 6:
			op.Lease = random.Int64N(9)
		case 7:
			op.Deadline = op.Call
		case 8:
			op.Revision = random.Int64N(100)
		case 9:
			op.Kind = history.Acquire
		case 10:
			op.Key, op.Token = "", 0
		case 11:
			op.Prior = op.Value
		case 12:
			op.Object = ""
		case 13:
			op.Subject = "unlisted"
		case 14:
			op.Client = "c0"
		}
	}
	for i := range h.Events {
		e := &h.Events[i]
		switch random.IntN(60) {
		case 0:
			e.Token--
		case 1:
			e.Revision = 1
		case 2:
			e.Value = "invented"
		case 3:
			e.Operation = 0
		case 4:
			e.Lease = 1
		case 5:
			e.Kind = history.Lost
		}
	}
	if random.IntN(8) == 0 {
		h.Revisions = nil
	}
}
