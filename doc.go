// Package holdfast runs chaos and correctness scenarios on etcd's distributed
// primitives: it launches a cluster, runs concurrent clients of elections,
// mutexes and read-write locks while it injects faults, records what every
// client was told, and decides from the record whether the primitives kept
// their promises.
//
// [Run] does all of it and returns a [Judgement]. A run is described by a
// [Scenario], a built-in one, read from YAML, or made in Go:
//
//	s := holdfast.NewScenario("mine")
//	s.Subjects = []workloads.Subject{{Name: "my-lock", NewLock: newMyLock}}
//	s.Workloads = []holdfast.Workload{holdfast.NewWorkload("my-lock")}
//	s.Faults = []holdfast.Fault{{Of: []string{"cut-client", "isolate-leader"}}}
//	judgement, err := holdfast.Run(ctx, s, holdfast.RunOptions{})
//
// What a subject is says package workloads. [TortureScenario] puts a subject
// through everything at once; [Zoo] does so with planted bugs, which it has to
// find, and with correct subjects, on which it has to find nothing.
//
// [Judge] repeats the judgement from nothing but the run directory.
package holdfast
