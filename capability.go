package holdfast

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/etcd-holdfast/holdfast/faults"
)

// Support says on which kinds of cluster one fault works.
type Support struct {
	Fault string
	// On has an entry for each of ClusterKinds.
	On map[string]Availability
}

// Availability says whether a fault works on a kind of cluster.
type Availability struct {
	Works bool
	// Note is, of one that works, what it takes besides, and of one that does not, why
	// not; "" is nothing.
	Note string
}

// FaultSupport says of each fault on which kinds of cluster it works, by what the
// backends can do, whatever this machine can.
func FaultSupport() []Support {
	var table []Support
	for _, k := range faults.Kinds() {
		s := Support{Fault: k.Name, On: make(map[string]Availability)}
		for _, kind := range ClusterKinds() {
			s.On[kind] = availability(k, kind)
		}
		table = append(table, s)
	}
	return table
}

// condition is something that a fault may take besides a kind of cluster that can
// have it.
type condition struct {
	what string
	// of is the kind of cluster on which alone it matters, or "".
	of string
	// unmet makes it the reason against faults that take it.
	unmet func(can *faults.Capabilities, why error)
}

func conditions() []condition {
	return []condition{
		{"a kernel that lets calls be held up (seccomp, Linux 5.9)", "", func(can *faults.Capabilities, why error) { can.NoSlowDisk = why }},
		{"root, and `disk` in cluster", "", func(can *faults.Capabilities, why error) { can.NoFullDisk = why }},
		{"a kernel with netem", "", func(can *faults.Capabilities, why error) { can.NoPacketDelay = func() error { return why } }},
		{"clients that are processes, or programs", "", func(can *faults.Capabilities, _ error) { can.ClientPauser = false }},
		{"`fsync: true` in cluster", "", func(can *faults.Capabilities, _ error) { can.Fsync = false }},
		{"`allow: [compact]` in cluster", externalKind, func(can *faults.Capabilities, why error) { can.NoCompact = why }},
		{"`allow: [compact-here]` in cluster", externalKind, func(can *faults.Capabilities, why error) { can.NoCompactHere = why }},
		{"`allow: [move-leader]` in cluster", externalKind, func(can *faults.Capabilities, why error) { can.NoMove = why }},
	}
}

// availability finds the conditions of a fault by making each the reason against it in
// turn, with all others out of the way.
func availability(k faults.Kind, kind string) Availability {
	s := NewScenario("any")
	s.Cluster.Kind = kind
	s.Complete()
	b, _ := backendOf(kind)
	best := b.capabilities(s.Cluster)
	best.Members, best.Fsync, best.ClientPauser = 3, true, true
	best.NoSlowDisk, best.NoFullDisk, best.NoPacketLoss, best.NoPacketDelay = nil, nil, nil, nil
	best.NoCompact, best.NoCompactHere, best.NoMove = nil, nil, nil
	if err := k.Unsupported(best); err != nil {
		return Availability{Note: lacks(err)}
	}
	var takes []string
	for _, c := range conditions() {
		can := best
		c.unmet(&can, errors.New(c.what))
		if (c.of == "" || c.of == kind) && k.Unsupported(can) != nil {
			takes = append(takes, c.what)
		}
	}
	return Availability{Works: true, Note: strings.Join(takes, "; ")}
}

// lacks is what a kind of cluster has not, without who has it: the table says that.
func lacks(err error) string {
	lines := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		lines = joined.Unwrap()
	}
	var all []string
	for _, line := range lines {
		text, _, _ := strings.Cut(line.Error(), " (")
		if lack := (*faults.Lack)(nil); errors.As(line, &lack) {
			text = "it has no " + lack.What
		}
		all = append(all, text)
	}
	return strings.Join(all, "; ")
}

// WriteFaultSupport writes FaultSupport as a page in Markdown.
func WriteFaultSupport(w io.Writer) error {
	var b strings.Builder
	var notes []string
	number := func(note string) string {
		if note == "" {
			return ""
		}
		i := slices.Index(notes, note)
		if i < 0 {
			i, notes = len(notes), append(notes, note)
		}
		return fmt.Sprintf(" (%d)", i+1)
	}
	b.WriteString(`# Which fault works on which kind of cluster

Written by ` + "`holdfast list faults --markdown`" + ` from what the kinds of cluster can do. A scenario with a fault that its cluster cannot have is
refused before anything starts, or goes without it and says so, where it has ` + "`missing: skip`" + ` or the kind was chosen with ` + "`--cluster`" + `.
[scenarios.md](scenarios.md#faults) says what each fault does, and how a [hook](scenarios.md) does what no kind of cluster can.

`)
	fmt.Fprintf(&b, "| fault | %s |\n|%s\n", strings.Join(ClusterKinds(), " | "), strings.Repeat("---|", 1+len(ClusterKinds())))
	for _, s := range FaultSupport() {
		fmt.Fprintf(&b, "| %s ", s.Fault)
		for _, kind := range ClusterKinds() {
			a := s.On[kind]
			word := "no"
			if a.Works {
				word = "yes"
			}
			fmt.Fprintf(&b, "| %s%s ", word, number(a.Note))
		}
		fmt.Fprintln(&b, "|")
	}
	fmt.Fprintln(&b)
	for i, note := range notes {
		fmt.Fprintf(&b, "%d. %s\n", i+1, note)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
