package holdfast

import (
	"fmt"
	"slices"
	"strings"

	"github.com/etcd-holdfast/holdfast/faults"
)

// SkipMissing is a Scenario.Missing that leaves out what its cluster cannot have.
const SkipMissing = "skip"

// capabilities is what the scenario's cluster can do.
func (s *Scenario) capabilities() faults.Capabilities {
	can := faults.Capabilities{Kind: s.Cluster.Kind, Members: s.Cluster.Members}
	if b, ok := backendOf(s.Cluster.Kind); ok {
		can = b.capabilities(s.Cluster)
	}
	can.ClientPauser = s.Clients.As != "" || s.piped()
	s.hooksOf(&can)
	return can
}

// leaveOut takes out the faults that the cluster cannot have, if the scenario says
// so, and notes them. An entry that has none left stays, empty, so that what is drawn
// for the others does not change.
func (s *Scenario) leaveOut() {
	if s.Missing != SkipMissing {
		return
	}
	can := s.capabilities()
	unsupported := func(text string) bool {
		name, _, _ := strings.Cut(text, " ")
		kind, ok := faults.Named(name)
		if hook, is := strings.CutPrefix(name, faults.HookPrefix); is {
			_, ok = s.Hooks[hook]
		}
		if !ok { // which is refused
			return false
		}
		err := kind.Unsupported(can)
		if err == nil {
			return false
		}
		note := fmt.Sprintf("%s: %s", name, strings.ReplaceAll(err.Error(), "\n", "; "))
		if !slices.Contains(s.LeftOut, note) {
			s.LeftOut = append(s.LeftOut, note)
		}
		return true
	}
	for i := range s.Faults {
		s.Faults[i].Of = slices.DeleteFunc(s.Faults[i].Of, unsupported)
	}
	s.Survivable = slices.DeleteFunc(s.Survivable, unsupported)
}

// tellLeftOut says which faults the run goes without: it is not the scenario that its
// name says.
func (r *run) tellLeftOut() {
	var reasons []string
	names := make(map[string][]string) // by reason
	for _, note := range r.scenario.LeftOut {
		name, reason, _ := strings.Cut(note, ": ")
		if names[reason] == nil {
			reasons = append(reasons, reason)
		}
		names[reason] = append(names[reason], name)
	}
	for _, reason := range reasons {
		text := fmt.Sprintf("left out %s, which this cluster cannot have: %s", strings.Join(names[reason], ", "), reason)
		r.say("%s", text)
		r.info.Warnings = append(r.info.Warnings, text)
	}
}
