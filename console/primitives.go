package console

import (
	"fmt"
	"slices"
	"strings"

	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/recipes"
)

// kind is a primitive that there can be a console for.
type kind struct {
	name string
	// open makes the primitive of a console, and says in which directory its
	// objects are; those with the same keys share one.
	open func(*Console) (p primitive, directory string)
	// withoutContext is set if etcd's calls take no context.
	withoutContext bool
	// oneKey is set if the object is one key, instead of all keys below one.
	oneKey bool
	// lie is the issue that tells of a success which is not true, if there is one.
	lie string
}

// kinds are all primitives, in the order of the alphabet.
func kinds() []kind {
	return []kind{
		{name: "barrier", open: openBarrier, withoutContext: true, oneKey: true},
		{name: "election", open: openElection, lie: "etcd#19597"},
		{name: "election-checked", open: openElection},
		{name: "locker", open: openLock, withoutContext: true},
		{name: "mutex", open: openLock},
		{name: "queue", open: openQueue, withoutContext: true},
		{name: "rwmutex", open: openRWMutex, withoutContext: true, lie: "etcd#16221"},
		{name: "rwmutex-checked", open: openRWMutex},
	}
}

// kindOf returns the primitive of that name.
func kindOf(name string) (kind, error) {
	for _, k := range kinds() {
		if k.name == name {
			return k, nil
		}
	}
	return kind{}, fmt.Errorf("there is no primitive %q; there are %s", name, strings.Join(Primitives(), ", "))
}

// Primitives lists what there can be a console for.
func Primitives() []string {
	var names []string
	for _, k := range kinds() {
		names = append(names, k.name)
	}
	return names
}

// subject returns the subject of the console's primitive.
func (c *Console) subject() workloads.Subject {
	all := recipes.Subjects()
	return all[slices.IndexFunc(all, func(s workloads.Subject) bool { return s.Name == c.config.Primitive })]
}
