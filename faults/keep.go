package faults

import (
	"context"
	"errors"
	"fmt"

	"github.com/etcd-holdfast/holdfast/history"
)

// Keep injects faults that last until the function that it returns is called,
// which proves and heals them, whatever has become of them. Nothing else may be
// injected meanwhile. What was not injected has a record that says so, and is
// no error. An error means that what was injected in part could not be healed.
func (c *Conductor) Keep(ctx context.Context, plan []Planned) (release func(context.Context) error, err error) {
	type kept struct {
		effect *effect
		record history.Fault
	}
	var all []kept
	var faults []error
	for _, p := range plan {
		kind, ok := Named(p.Kind)
		if !ok {
			faults = append(faults, fmt.Errorf("fault %q: there is no such fault", p.Kind))
			continue
		}
		record := history.Fault{ID: p.ID, Kind: p.Kind, Planned: c.Clock.Now()}
		e, err := c.begin(ctx, kind, p, "", &record)
		if err != nil {
			faults = append(faults, err)
		}
		if e != nil {
			all = append(all, kept{e, record})
		}
	}
	return func(ctx context.Context) error {
		var faults []error
		for i := range all {
			faults = append(faults, c.finish(ctx, all[i].effect, &all[i].record, ""))
		}
		return errors.Join(faults...)
	}, errors.Join(faults...)
}
