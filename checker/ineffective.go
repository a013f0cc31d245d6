package checker

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/etcd-holdfast/holdfast/history"
)

// ineffective says, of each kind of fault, how many were without effect: those that
// could not be injected, with why, and those of which nothing was seen.
func (r *record) ineffective() []string {
	planned, unseen := make(map[string]int), make(map[string]int)
	refused := make(map[string][]*history.Fault)
	for i := range r.h.Faults {
		f := &r.h.Faults[i]
		planned[f.Kind]++
		switch {
		case f.Uninjected:
			refused[f.Kind] = append(refused[f.Kind], f)
		case !f.Verified:
			unseen[f.Kind]++
		}
	}
	var notes []string
	for _, kind := range slices.Sorted(maps.Keys(planned)) {
		of := count(planned[kind], kind+" fault")
		if list := refused[kind]; len(list) > 0 {
			was := "was"
			if len(list) > 1 {
				was = "were"
			}
			notes = append(notes, fmt.Sprintf("%d of %s %s not injected: %s", len(list), of, was, reasons(list)))
		}
		if n := unseen[kind]; n > 0 {
			notes = append(notes, fmt.Sprintf("%d of %s had no effect that was seen: not counted as injected", n, of))
		}
	}
	return notes
}

// reasons are why faults were not injected, each once, the first with how many others
// there are.
func reasons(list []*history.Fault) string {
	var all []string
	for _, f := range list {
		if why := strings.TrimPrefix(f.Evidence, history.NotInjected); !slices.Contains(all, why) {
			all = append(all, why)
		}
	}
	if more := len(all) - 1; more > 0 {
		return fmt.Sprintf("%s; and %s", all[0], count(more, "other reason"))
	}
	return all[0]
}

// unhealed are the faults that could not be healed.
func (r *record) unhealed() []*history.Fault {
	var all []*history.Fault
	for i := range r.h.Faults {
		if f := &r.h.Faults[i]; f.Error != "" {
			all = append(all, f)
		}
	}
	return all
}

// told says that a fault was not healed, and why.
func told(f *history.Fault) string {
	return fmt.Sprintf("%s of %s, injected at %s, could not be healed: %s", f.Kind, f.Target, at(f.From), f.Error)
}
