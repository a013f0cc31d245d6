package link

import "testing"

func TestCutClosesAndRefusesThenHeals(t *testing.T) {
	r := newRoad(t)
	dialler, target := r.connect(t)
	write(t, dialler, "before")
	expect(t, target, "before")

	lift := r.link.Impose(Condition{Cut: true})
	if s := r.link.Stats(); s.Open != 0 || s.Severed != 1 {
		t.Errorf("stats when Impose has returned: %+v", s)
	}
	expectReset(t, dialler)
	expectReset(t, target)
	expectRefused(t, r.addr)
	eventually(t, "the refusal is counted", func() bool { return r.link.Stats().Refused == 1 })

	lift()
	dialler, target = r.connect(t)
	write(t, dialler, "after")
	expect(t, target, "after")
}

func TestOverlappingCuts(t *testing.T) {
	r := newRoad(t)
	first := r.link.Impose(Condition{Cut: true})
	second := r.link.Impose(Condition{Cut: true, StallToTarget: true})
	first()
	first() // a second lift of the same must not lift the other's
	expectRefused(t, r.addr)
	second()
	dialler, target := r.connect(t)
	write(t, dialler, "healed")
	expect(t, target, "healed")
}

func TestCutEndsAStalledConnection(t *testing.T) {
	r := newRoad(t)
	dialler, target := r.connect(t)
	defer r.link.Impose(Stall(ToTarget))()
	write(t, dialler, "kept back")
	eventually(t, "bytes are held", func() bool { return r.link.Stats().Held.ToTarget > 0 })

	r.link.Impose(Condition{Cut: true})()
	expectReset(t, dialler)
	expectReset(t, target)
	if s := r.link.Stats(); s.Held.Total() != 0 || s.HeldTotal.ToTarget != 9 || s.Passed.ToTarget != 0 {
		t.Errorf("stats: %+v; nothing is held for a connection that is gone", s)
	}
}

func TestCutHarmsOnlyItsLink(t *testing.T) {
	r := newRoad(t)
	other, err := r.network.Listen("d", "m", r.target.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer r.network.Link("c", "m").Impose(Condition{Cut: true})()
	dialler := dial(t, other)
	target := r.target.next(t)
	write(t, dialler, "unharmed")
	expect(t, target, "unharmed")
}
