package answers

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Answer is the answer in plain sentences, from what was measured alone.
func (p *Priority) Answer() string {
	var read, write Side
	behind, waited, together := 0, 0, 0
	var longest [2]time.Duration
	for i := range p.Loads {
		l := &p.Loads[i]
		read.add(&l.Read)
		write.add(&l.Write)
		behind, waited, together = behind+l.Behind, waited+l.Waited, max(together, l.Together)
		longest[0], longest[1] = max(longest[0], l.Read.Wait.Max), max(longest[1], l.Write.Wait.Max)
	}
	var text []string
	switch p.Prefers {
	case Unmeasured:
		return fmt.Sprintf("Not answered: readers had %d chances to overtake a writer and writers %d to overtake a reader, and %d of each are needed.", read.Chances, write.Chances, enoughChances)
	case InOrder:
		text = append(text, "Neither: first come, first served, by the revision at which a request's key was created.")
	case Readers:
		text = append(text, "It prefers readers.")
	case Writers:
		text = append(text, "It prefers writers.")
	default:
		text = append(text, "Neither, but it does not keep the order of arrival.")
	}
	text = append(text, fmt.Sprintf("Readers overtook a writer that had come before them in %d of %d cases (%.1f %%), writers a reader in %d of %d (%.1f %%).",
		read.Overtook, read.Chances, percent(read.Overtook, read.Chances), write.Overtook, write.Chances, percent(write.Overtook, write.Chances)))
	if behind > 0 {
		text = append(text, fmt.Sprintf("Of %d readers that asked while others read and a writer waited, %d (%.0f %%) waited for that writer.", behind, waited, percent(waited, behind)))
	}
	text = append(text, fmt.Sprintf("Up to %d readers held at once. The longest wait was %s s for a reader and %s s for a writer.", together, seconds(longest[0]), seconds(longest[1])))
	return strings.Join(text, " ")
}

// Table writes the measurement for people. Times are in seconds.
func (p *Priority) Table(to io.Writer) error {
	const form = "%-11s  %-6s  %8v%s  %8v  %s\n"
	w := &strings.Builder{}
	fmt.Fprintf(w, "%s: seconds from the call of an acquire until its return, and who overtook whom:\n\n", p.Subject)
	fmt.Fprintf(w, form, "LOAD", "KIND", "REQUESTS", columns("P50", "P90", "P99", "MAX"), "CHANCES", "OVERTOOK")
	for i := range p.Loads {
		l := &p.Loads[i]
		l.Read.row(w, form, l.Load, "read")
		l.Write.row(w, form, l.Load, "write")
	}
	fmt.Fprintln(w)
	for i := range p.Loads {
		l := &p.Loads[i]
		fmt.Fprintln(w, wrap(fmt.Sprintf("%s (%.0f %% reads): %d readers asked while others read and a writer waited, and %d of them waited for it; up to %d read at once.",
			l.Load, 100*l.Readers, l.Behind, l.Waited, l.Together), 100))
	}
	fmt.Fprintln(w, wrap("A chance is a request that was made while one of the other kind, which had arrived before it, was not yet granted; it overtook if it was granted first.", 100))
	fmt.Fprintf(w, "etcd %s, 3 members in one process, %d clients of one lock; seed %d.\n\n", p.Etcd, p.Clients, p.Seed)
	fmt.Fprintln(w, wrap(p.Answer(), 100))
	_, err := io.WriteString(to, w.String())
	return err
}

func (s *Side) row(w io.Writer, form, load, kind string) {
	fmt.Fprintf(w, form, load, kind, s.Requests, s.Wait.columns(s.Requests), s.Chances, fmt.Sprintf("%d (%.1f %%)", s.Overtook, percent(s.Overtook, s.Chances)))
}
