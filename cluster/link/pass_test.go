package link

import (
	"testing"
)

func TestPassesBothWays(t *testing.T) {
	r := newRoad(t)
	dialler, target := r.connect(t)

	write(t, dialler, "request")
	expect(t, target, "request")
	write(t, target, "the answer")
	expect(t, dialler, "the answer")

	eventually(t, "all bytes are counted", func() bool {
		return r.link.Stats().Passed == Bytes{ToTarget: 7, ToDialler: 10}
	})
	s := r.link.Stats()
	if s.From != "c" || s.To != "m" || s.Open != 1 || s.Accepted != 1 || s.HeldTotal.Total() != 0 {
		t.Errorf("stats: %+v", s)
	}
}

// What one side has finished the other must see as finished, while it goes on
// answering itself.
func TestCarriesHalfCloseOver(t *testing.T) {
	for _, first := range []Direction{ToTarget, ToDialler} {
		t.Run(first.String(), func(t *testing.T) {
			r := newRoad(t)
			a, b := r.connect(t)
			if first == ToDialler {
				a, b = b, a
			}
			write(t, a, "that is all")
			if err := a.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			expect(t, b, "that is all")
			expectEnd(t, b)
			write(t, b, "thank you")
			expect(t, a, "thank you")
			if err := b.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			expectEnd(t, a)
			eventually(t, "the connection is over", func() bool { return r.link.Stats().Open == 0 })
			if s := r.link.Stats(); s.Severed != 0 {
				t.Errorf("stats: %+v; nobody severed anything", s)
			}
		})
	}
}

func TestCarriesResetOver(t *testing.T) {
	for _, from := range []Direction{ToTarget, ToDialler} {
		t.Run(from.String(), func(t *testing.T) {
			r := newRoad(t)
			a, b := r.connect(t)
			if from == ToDialler {
				a, b = b, a
			}
			reset(a)
			expectReset(t, b)
			eventually(t, "the connection is over", func() bool { return r.link.Stats().Open == 0 })
		})
	}
}

func TestTellsDiallerThatTargetIsDown(t *testing.T) {
	gone := newTarget(t)
	r := newRoad(t)
	r.network.SetBackend(r.addr, "")
	expectRefused(t, r.addr)
	eventually(t, "it is counted", func() bool { return r.link.Stats().Unreached == 1 })

	r.network.SetBackend(r.addr, gone.addr)
	dialler := dial(t, r.addr)
	write(t, dialler, "found")
	expect(t, gone.next(t), "found")
	if s := r.link.Stats(); s.Accepted != 1 || s.Refused != 0 {
		t.Errorf("stats: %+v", s)
	}
}
