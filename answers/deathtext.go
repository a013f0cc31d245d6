package answers

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Answer is the answer in plain sentences, from what was measured alone.
func (h *HolderDeath) Answer() string {
	var deaths, kept int
	var stuck, unmeasured []string
	for i := range h.Cells {
		c := &h.Cells[i]
		deaths, kept = deaths+c.Deaths, kept+c.NotReleased
		if c.NotReleased > 0 {
			stuck = append(stuck, fmt.Sprintf("%s, %s, TTL %v: %d of %d", c.Subject, c.Death, c.TTL, c.NotReleased, c.Deaths))
		}
		if c.Deaths == 0 {
			unmeasured = append(unmeasured, fmt.Sprintf("%s, %s, TTL %v", c.Subject, c.Death, c.TTL))
		}
	}
	var text []string
	switch {
	case deaths == 0:
		return "Not answered: no death could be measured."
	case kept > 0:
		text = append(text, fmt.Sprintf("No, not always: after %d of %d deaths the waiter did not get the lock within its patience (%s).", kept, deaths, strings.Join(stuck, "; ")))
	default:
		text = append(text, fmt.Sprintf("Yes: after each of %d deaths the waiter got the lock.", deaths))
	}
	for _, death := range Deaths() {
		if spans := h.spans(death); spans != "" {
			text = append(text, spanSentence(death, spans))
		}
	}
	if n, believed, longest := h.believed(); n > 0 {
		text = append(text, fmt.Sprintf(
			"Of %d holders that were cut off %d (%.0f %%) were told that they had lost only after the next one had the lock, up to %.2f s after: only fencing protects against what they do meanwhile.",
			n, believed, percent(believed, n), longest.Seconds()))
	}
	if len(unmeasured) > 0 {
		text = append(text, "Not measured: "+strings.Join(unmeasured, "; ")+".")
	}
	return strings.Join(text, " ")
}

// spanSentence tells from when to when the lock went to the next.
func spanSentence(death Death, spans string) string {
	switch death {
	case Closed:
		return "A closed session frees it at once (" + spans + ")."
	case Crashed:
		return "After a crash the lease has to run out first (" + spans + ")."
	case CutOff:
		return "So it is after a cut (" + spans + ")."
	default:
		return "If the leader crashes too, a new one has to be elected, and gives every lease its whole TTL again (" + spans + ")."
	}
}

// spans are the shortest and longest times for each TTL, over all subjects.
func (h *HolderDeath) spans(death Death) string {
	var spans []string
	for i := 0; i < len(h.Cells); {
		ttl := h.Cells[i].TTL
		first, last, any := time.Duration(0), time.Duration(0), false
		for ; i < len(h.Cells) && h.Cells[i].TTL == ttl; i++ {
			c := &h.Cells[i]
			if c.Death != death || c.Deaths == c.NotReleased {
				continue
			}
			if !any || c.First < first {
				first = c.First
			}
			last, any = max(last, c.Next.Max), true
		}
		if any {
			spans = append(spans, fmt.Sprintf("TTL %v: %s–%s s", ttl, seconds(first), seconds(last)))
		}
	}
	return strings.Join(spans, ", ")
}

// believed counts the holders that were cut off and, of these, those that were
// told late.
func (h *HolderDeath) believed() (n, believed int, longest time.Duration) {
	for i := range h.Cells {
		if c := &h.Cells[i]; c.Death == CutOff {
			n += c.Deaths
			believed += c.Believed
			longest = max(longest, c.Both.Max)
		}
	}
	return n, believed, longest
}

// holderDeathNotes says what bounds the times.
const holderDeathNotes = `A client renews a lease after every third of its TTL, and looks every 500 ms whether it is time: at
a crash the lease has so much less left than its TTL. The server looks for ended leases every 500 ms: the bound is TTL + 0.5 s.
A client that is cut off looks every second whether its last renewal is a TTL old: it is told up to a second after that.
With the leader: 0.5 to 1 s until an election, longer if votes split, then every lease gets its TTL and one election timeout
(500 ms) again. Samples of one crash of the leader share its election: they are not independent.`

// Table writes the measurement for people. Times are in seconds.
func (h *HolderDeath) Table(to io.Writer) error {
	w := &strings.Builder{}
	const form = "%-11s  %4v  %-*s  %4v%s  %12v  %7v\n"
	width := h.subjectWidth()
	fmt.Fprintf(w, "Seconds from a holder's death until the acquire of the waiter behind it returned:\n\n")
	fmt.Fprintf(w, form, "HOLDER", "TTL", width, "PRIMITIVE", "N", columns("P50", "P90", "P99", "MAX"), "NOT RELEASED", "SPOILED")
	for i := range h.Cells {
		c := &h.Cells[i]
		fmt.Fprintf(w, form, c.Death, c.TTL, width, c.Subject, c.Deaths, c.Next.columns(c.Deaths-c.NotReleased), c.NotReleased, c.Spoiled)
	}
	h.toldTable(w)
	fmt.Fprintln(w)
	for _, reason := range h.spoiling() {
		fmt.Fprintln(w, reason)
	}
	fmt.Fprintln(w, wrap(holderDeathNotes, 100))
	fmt.Fprintf(w, "etcd %s, 3 members in one process; the leader crashed %d times; seed %d; %.0f s.\n\n", h.Etcd, h.LeaderCrashes, h.Seed, h.Took.Seconds())
	fmt.Fprintln(w, wrap(h.Answer(), 100))
	_, err := io.WriteString(to, w.String())
	return err
}

// toldTable writes when holders that were cut off were told.
func (h *HolderDeath) toldTable(w io.Writer) {
	const form = "%4v  %-*s  %4v%s  %8v  %4v  %6s  %6s\n"
	width, any := h.subjectWidth(), false
	for i := range h.Cells {
		c := &h.Cells[i]
		if c.Death != CutOff {
			continue
		}
		if !any {
			any = true
			fmt.Fprintf(w, "\nSeconds from the cut until the holder's session said that it was over; how often the next one\nhad the lock before, and for how long both believed:\n\n")
			fmt.Fprintf(w, form, "TTL", width, "PRIMITIVE", "N", columns("P50", "P90", "P99", "MAX"), "NOT TOLD", "BOTH", "P50", "MAX")
		}
		half, longest := "–", "–"
		if c.Believed > 0 {
			half, longest = seconds(c.Both.P50), seconds(c.Both.Max)
		}
		fmt.Fprintf(w, form, c.TTL, width, c.Subject, c.Deaths, c.Told.columns(c.Deaths-c.NotTold), c.NotTold, c.Believed, half, longest)
	}
}

func (h *HolderDeath) subjectWidth() int {
	width := len("PRIMITIVE")
	for i := range h.Cells {
		width = max(width, len(h.Cells[i].Subject))
	}
	return width
}

// spoiling has one line for each reason for which samples do not count.
func (h *HolderDeath) spoiling() []string {
	var reasons []string
	seen := make(map[string]bool)
	for i := range h.Cells {
		if c := &h.Cells[i]; c.Spoiled > 0 && !seen[c.Spoiling] {
			seen[c.Spoiling] = true
			reasons = append(reasons, "Spoiled, and not counted: "+c.Spoiling)
		}
	}
	return reasons
}
