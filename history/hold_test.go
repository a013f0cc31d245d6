package history

import (
	"slices"
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

// TestResumedAfterAResignation has one session whose leader dies, is resumed, and
// dies again. The first one's resignation may be on its way still.
func TestResumedAfterAResignation(t *testing.T) {
	campaign := Operation{ID: 1, Client: "c1", Kind: Campaign, Call: 5, Return: 10, Outcome: Ok, Lease: 7, Token: 3}
	resign := Operation{ID: 2, Client: "c1", Kind: Resign, Call: 20, Hold: 1, Lease: 7, Token: 3}
	resume := Operation{ID: 3, Client: "c1.1", Kind: Resume, Call: 40, Return: 45, Outcome: Ok, Lease: 7, Token: 3}
	next := Operation{ID: 4, Client: "c1.1", Kind: Campaign, Call: 50, Return: 55, Outcome: Ok, Lease: 7, Token: 9}
	again := Operation{ID: 5, Client: "c1.1", Kind: Resign, Call: 60, Hold: 4, Lease: 7, Token: 9}
	last := Operation{ID: 6, Client: "c1.1.1", Kind: Resume, Call: 80, Return: 85, Outcome: Ok, Lease: 7, Token: 9}
	answered := resign
	answered.Return, answered.Outcome = 22, Fail
	elsewhere := resign
	elsewhere.Lease = 8
	tokenless := resign
	tokenless.Token = 0
	died := []Event{{Time: 30, Kind: Crashed, Client: "c1"}, {Time: 70, Kind: Crashed, Client: "c1.1"}}
	for name, c := range map[string]struct {
		operations []Operation
		events     []Event
		givenUp    []int64
	}{
		"of the leadership that is resumed":          {[]Operation{campaign, resign, resume}, died, []int64{3}},
		"of one that it did not name":                {[]Operation{campaign, tokenless, resume}, died, []int64{3}},
		"none":                                       {[]Operation{campaign, resume}, died, nil},
		"one that was answered":                      {[]Operation{campaign, answered, resume}, died, nil},
		"of another session":                         {[]Operation{campaign, elsewhere, resume}, died, nil},
		"of a client that lives":                     {[]Operation{campaign, resign, resume}, died[1:], nil},
		"before a later one of the same session":     {[]Operation{campaign, resign, resume, next, again}, died, []int64{3}},
		"both times":                                 {[]Operation{campaign, resign, resume, next, again, last}, died, []int64{3, 6}},
		"of an earlier leadership, not of the later": {[]Operation{campaign, resign, resume, next, last}, died, []int64{3}},
	} {
		h := History{Operations: c.operations, Events: c.events, End: 100}
		var givenUp []int64
		for _, hold := range h.Holds() {
			if hold.GivenUp {
				givenUp = append(givenUp, hold.Acquire)
			}
		}
		if !slices.Equal(givenUp, c.givenUp) {
			t.Errorf("%s: given up are %v, want %v", name, givenUp, c.givenUp)
		}
	}
}
