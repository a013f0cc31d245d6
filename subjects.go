package holdfast

import (
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/broken"
	"github.com/etcd-holdfast/holdfast/workloads/recipes"
)

// AllSubjects are the subjects that come with holdfast: etcd's own recipes,
// corrected ones, and planted bugs.
func AllSubjects() []workloads.Subject {
	return slices.Clone(ours())
}

// ours are the subjects that come with holdfast. They are never changed.
var ours = sync.OnceValue(func() []workloads.Subject {
	return slices.Concat(recipes.Subjects(), broken.Subjects(), broken.Twins())
})

// subject finds a subject by name; the scenario's own come first.
func (s *Scenario) subject(name string) (workloads.Subject, bool) {
	for _, subjects := range [][]workloads.Subject{s.Subjects, ours()} {
		for _, subject := range subjects {
			if subject.Name == name {
				if subject.Origin == "" {
					subject.Origin = history.FromUser
				}
				return subject, true
			}
		}
	}
	return workloads.Subject{}, false
}

func streams(seed int64) func(string) *rand.Rand {
	return func(label string) *rand.Rand { return workloads.Stream(seed, label) }
}
