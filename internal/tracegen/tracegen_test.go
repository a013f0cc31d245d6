package tracegen

import (
	"context"
	"fmt"
	"reflect"
	"testing"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/checker/exact"
	"github.com/etcd-holdfast/holdfast/history"
)

// TestTrace: histories are what they are said to be, legal or not, with the
// share of unknown calls asked for, and the same every time.
func TestTrace(t *testing.T) {
	for _, model := range []string{"mutex", "rwmutex", "cas-register"} {
		for _, unknown := range []float64{0, 0.01, 0.1} {
			for _, violated := range []bool{false, true} {
				t.Run(fmt.Sprint(model, unknown, violated), func(t *testing.T) {
					o := Options{Model: model, Calls: 20_000, Clients: 8, Unknown: unknown, Violated: violated, Seed: 7}
					trace, err := Trace(o)
					if err != nil {
						t.Fatal(err)
					}
					lost := 0
					for i := range trace.Calls {
						if trace.Calls[i].Known == history.Unknown {
							lost++
						}
					}
					if share := float64(lost) / float64(len(trace.Calls)); share < unknown*0.8 || share > unknown*1.2+0.001 {
						t.Errorf("%v of the calls are unknown", share)
					}
					m, _ := exact.ModelNamed(model)
					want := checker.Holds
					if violated {
						want = checker.Violated
					}
					result := checker.CheckTrace(context.Background(), trace, m, exact.Parameters{}, exact.Limits{})
					if result.Verdict != want {
						t.Errorf("%s: %s", result.Verdict, result.Sentence)
					}
					again, err := Trace(o)
					if err != nil || !reflect.DeepEqual(trace, again) {
						t.Errorf("made again it is another: %v", err)
					}
				})
			}
		}
	}
	if _, err := Trace(Options{Model: "stack"}); err == nil {
		t.Error("a history of a model that is not made")
	}
}
