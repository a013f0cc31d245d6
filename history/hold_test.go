package history

import (
	"testing"
	"time"
)

// A hold begins at its acknowledgement and ends at the call of its release
// whatever that returns, at a loss that is heeded, at a crash, or not at all.
func TestHoldsEndWhereBeliefEnds(t *testing.T) {
	acquire := Operation{ID: 1, Client: "c1", Subject: "s", Object: "o", Kind: Acquire, Call: 1, Return: 10, Outcome: Ok, Lease: 7}
	with := func(change func(*Operation)) Operation { op := acquire; change(&op); return op }
	release := Operation{ID: 2, Client: "c1", Subject: "s", Object: "o", Kind: Release, Call: 20, Return: 30, Hold: 1, Outcome: Info}
	lost := func(at time.Duration, heeded bool, lease int64) Event {
		return Event{Time: at, Kind: Lost, Client: "c1", Lease: lease, Heeded: heeded}
	}
	for name, c := range map[string]struct {
		operations []Operation
		events     []Event
		end        time.Duration
		ended      HoldEnd
	}{
		"the call of its release":                {[]Operation{acquire, release}, nil, 20, EndReleased},
		"the record":                             {[]Operation{acquire}, nil, 100, EndOfRecord},
		"a heeded loss":                          {[]Operation{acquire, release}, []Event{lost(15, true, 7)}, 15, EndLost},
		"not an ignored loss":                    {[]Operation{acquire, release}, []Event{lost(15, false, 7)}, 20, EndReleased},
		"not another session's loss":             {[]Operation{acquire, release}, []Event{lost(15, true, 8)}, 20, EndReleased},
		"not a loss before it began":             {[]Operation{acquire, release}, []Event{lost(9, true, 7)}, 20, EndReleased},
		"a loss told again after it began":       {[]Operation{acquire, release}, []Event{lost(9, true, 7), lost(11, true, 7)}, 11, EndLost},
		"a crash":                                {[]Operation{acquire, release}, []Event{{Time: 17, Kind: Crashed, Client: "c1"}}, 17, EndCrashed},
		"the earlier of a release and a crash":   {[]Operation{acquire, release}, []Event{{Time: 27, Kind: Crashed, Client: "c1"}}, 20, EndReleased},
		"not the crash of somebody else":         {[]Operation{acquire, release}, []Event{{Time: 17, Kind: Crashed, Client: "c1.1"}}, 20, EndReleased},
		"the first of two releases of the same":  {[]Operation{acquire, release, {ID: 3, Client: "c1", Kind: Release, Call: 25, Hold: 1}}, nil, 20, EndReleased},
		"a leadership ends with its resignation": {[]Operation{with(func(o *Operation) { o.Kind = Campaign }), {ID: 2, Client: "c1", Kind: Resign, Call: 22, Hold: 1}}, nil, 22, EndReleased},
		"not a release of another hold":          {[]Operation{acquire, {ID: 3, Client: "c1", Kind: Release, Call: 25, Hold: 9}}, nil, 100, EndOfRecord},
	} {
		h := History{Operations: c.operations, Events: c.events, End: 100}
		holds := h.Holds()
		if len(holds) != 1 || holds[0].Start != 10 || holds[0].End != c.end || holds[0].Ended != c.ended {
			t.Errorf("%s: %+v", name, holds)
		}
	}
	for _, outcome := range []Outcome{Pending, Fail, Info} {
		h := History{Operations: []Operation{with(func(o *Operation) { o.Outcome = outcome })}, End: 100}
		if holds := h.Holds(); len(holds) != 0 {
			t.Errorf("an acquire that ended as %q began a hold: %+v", outcome, holds)
		}
	}
}
