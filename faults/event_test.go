package faults

import (
	"strings"
	"testing"

	"github.com/etcd-holdfast/holdfast/cluster/link"
)

func TestEventsAreReadAndSpeltAlike(t *testing.T) {
	for _, text := range []string{
		"waiting", "holding", "call acquire", "ok campaign", "fail try-acquire", "info release", "return close-session",
		"lost", "session", "crash", "signal heal", "request Txn", "answer Watch", "answer WatchEvent", "request Campaign",
		"created", "changed", "deleted", "lease-ended",
	} {
		if e, err := ParseEvent(text); err != nil || e.String() != text {
			t.Errorf("%s: %v, %v", text, e, err)
		}
	}
}

func TestWhatIsNoEventIsToldWhatCanBeThere(t *testing.T) {
	for text, want := range map[string]string{
		"":                   `"" is none of waiting, holding, call KIND, ok KIND`,
		"sleeping":           `"sleeping" is none of waiting`,
		"call":               `there is no operation ""; there are: acquire, try-acquire`,
		"ok aquire":          `there is no operation "aquire"; there are: acquire`,
		"holding mutex":      "nothing can follow holding",
		"crash A":            "nothing can follow crash",
		"signal":             "a signal has a name of one word",
		"signal two words":   "a signal has a name of one word",
		"request Defragment": `there is no call "Defragment"; there are: Put, Range`,
		"request WatchEvent": `there is no call "WatchEvent"`,
		"answer  Txn":        `there is no call " Txn"`,
	} {
		if _, err := ParseEvent(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// Messages that no event names are no event.
func TestMessagesHaveTheEventsOfTheirContent(t *testing.T) {
	const watch = "/etcdserverpb.Watch/Watch"
	for m, want := range map[link.Message]string{
		{Method: "/etcdserverpb.KV/Txn"}:                                                                   "request Txn",
		{Method: "/etcdserverpb.KV/Txn", Direction: link.ToDialler}:                                        "answer Txn",
		{Method: "/etcdserverpb.Lease/LeaseKeepAlive", Direction: link.ToDialler, Content: link.KeepAlive}: "answer LeaseKeepAlive",
		{Method: watch, Content: link.WatchCreate}:                                                         "request Watch",
		{Method: watch, Content: link.WatchCancel}:                                                         "",
		{Method: watch, Content: link.WatchProgress}:                                                       "",
		{Method: watch, Direction: link.ToDialler, Content: link.WatchCreated}:                             "answer Watch",
		{Method: watch, Direction: link.ToDialler, Content: link.WatchEvents}:                              "answer WatchEvent",
		{Method: watch, Direction: link.ToDialler, Content: link.WatchCanceled}:                            "",
		{Method: "/v3lockpb.Lock/Lock", Direction: link.ToDialler}:                                         "answer Lock",
		{Method: "/somebody.Else/Lock", Direction: link.ToDialler}:                                         "",
	} {
		if e, ok := eventOf(m); e.String() != want || ok != (want != "") {
			t.Errorf("%+v: %q, %t; want %q", m, e, ok, want)
		}
	}
}

func TestMomentsReadAsTheyWereWritten(t *testing.T) {
	for want, trigger := range map[string]Trigger{
		"a client of mutex is waiting for longer than 100ms":                   {Event: Waiting, Longer: 100e6, Nth: 1},
		"client B of mutex is holding for longer than 1s, 2nd after signal go": {Event: Holding, Longer: 1e9, Client: "B", Nth: 2, After: "signal go"},
		"client B of mutex: answer Txn, 1st":                                   {Event: "answer Txn", Client: "B"},
		"a client of mutex: created, 13th after lease-ended":                   {Event: "created", Nth: 13, After: "lease-ended"},
		"a client of mutex: created, 23rd":                                     {Event: "created", Nth: 23},
	} {
		if got := trigger.moment("mutex"); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
