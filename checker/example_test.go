package checker_test

import (
	"fmt"
	"time"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/history"
)

func ExampleCheck() {
	ms := time.Millisecond
	h := &history.History{
		Header: history.Header{Subjects: []history.SubjectInfo{{Name: "lock", Primitive: history.Mutex, Origin: history.FromUser}}},
		Operations: []history.Operation{
			{ID: 1, Client: "c3", Subject: "lock", Object: "a", Kind: history.Acquire, Call: 1200 * ms, Return: 1204 * ms, Outcome: history.Ok},
			{ID: 2, Client: "c7", Subject: "lock", Object: "a", Kind: history.Acquire, Call: 1210 * ms, Return: 1377 * ms, Outcome: history.Ok},
			{ID: 3, Client: "c3", Subject: "lock", Object: "a", Kind: history.Release, Call: 1950 * ms, Return: 1960 * ms, Outcome: history.Ok, Hold: 1},
		},
		Events: []history.Event{{Time: 2000 * ms, Kind: history.PhaseBegan, Detail: history.PhaseEnd}},
		End:    2000 * ms,
	}
	result := checker.Check(h, checker.Options{})
	fmt.Println(result.Verdict, result.Exit)
	fmt.Println(result.Properties[0].Property, result.Properties[0].Violations[0].Blame)
	fmt.Println(result.Properties[0].Sentence)
	// Output:
	// violated 1
	// exclusion subject
	// c3 was told it holds a at 1.204 s and had not released at 1.950 s; c7 was told it holds a at 1.377 s: 573 ms of overlap; there is no revision log that could show the end of a lease
}
