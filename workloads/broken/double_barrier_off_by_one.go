package broken

import (
	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/recipes"
)

// doubleBarrierOffByOne is a double barrier that lets in one too few.
//
// Plausible: whoever comes waits for so many others, and counts itself twice: as
// one of those who have to come and as one who is there.
//
// Found by passage when one waits for the others.
func doubleBarrierOffByOne() Specimen {
	return Specimen{Breaks: []string{passage}, Twin: "double-barrier-checked", Subject: workloads.Subject{
		Name:    "double-barrier-off-by-one",
		Summary: "a double barrier that is entered by one less than it should be",
		Origin:  history.Broken,
		Layout:  history.MemberKeys,
		NewDoubleBarrier: func(s *workloads.Session, prefix string, permits int) workloads.DoubleBarrier {
			return recipes.NewCheckedDoubleBarrier(s, prefix, max(permits-1, 1)) // the bug
		},
	}}
}
