package answers

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// jepsenPercent is the share that Jepsen's report on etcd 3.4.3 gives.
const jepsenPercent = 18

// Loss is what one lock's sets lost in all runs.
type Loss struct {
	Subject string `json:"subject"`
	Added   int    `json:"added"`
	Lost    int    `json:"lost"`
	// Share is the spread of the runs' shares of acknowledged updates that were
	// lost, and Fenced that of the fenced set.
	Share       Spread `json:"share"`
	FencedAdded int    `json:"fenced_added"`
	FencedLost  int    `json:"fenced_lost"`
	Fenced      Spread `json:"fenced_share"`
	Refused     int    `json:"fenced_refused"`
}

// Losses sums the runs up, lock by lock.
func (l *LockSet) Losses() []Loss {
	var losses []Loss
	place := make(map[string]int)
	shares, fenced := make(map[string][]float64), make(map[string][]float64)
	for i := range l.Runs {
		for _, one := range l.Runs[i].Locks {
			if _, ok := place[one.Subject]; !ok {
				place[one.Subject] = len(losses)
				losses = append(losses, Loss{Subject: one.Subject})
			}
			sum := &losses[place[one.Subject]]
			sum.Added, sum.Lost = sum.Added+one.Added, sum.Lost+one.Lost
			sum.FencedAdded, sum.FencedLost, sum.Refused = sum.FencedAdded+one.FencedAdded, sum.FencedLost+one.FencedLost, sum.Refused+one.Refused
			shares[one.Subject] = append(shares[one.Subject], percent(one.Lost, one.Added))
			fenced[one.Subject] = append(fenced[one.Subject], percent(one.FencedLost, one.FencedAdded))
		}
	}
	for i := range losses {
		losses[i].Share, losses[i].Fenced = spreadOf(shares[losses[i].Subject]), spreadOf(fenced[losses[i].Subject])
	}
	return losses
}

// MarshalJSON writes the runs and what they come to.
func (l *LockSet) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Etcd   string       `json:"etcd"`
		Locks  []Loss       `json:"locks"`
		Jepsen int          `json:"jepsen_percent"`
		Runs   []LockSetRun `json:"runs"`
	}{l.Etcd, l.Losses(), jepsenPercent, l.Runs})
}

// Answer is the answer in plain sentences, from what was measured alone.
func (l *LockSet) Answer() string {
	pauses := 0
	for i := range l.Runs {
		pauses += l.Runs[i].Pauses
	}
	losses := l.Losses()
	if pauses == 0 || len(losses) == 0 {
		return "Not answered: no pause had an effect that was seen."
	}
	var text []string
	lostFenced, addedFenced := 0, 0
	for _, one := range losses {
		name := one.Subject
		if name == Unchecked {
			name += ", which does not look at its own key after waiting, as etcd's lock did in 3.4.3 (etcd#11456),"
		}
		text = append(text, fmt.Sprintf("%s lost %d of %d acknowledged updates of the unfenced set (%.1f %%; by run %.1f to %.1f %%, median %.1f %%).",
			name, one.Lost, one.Added, percent(one.Lost, one.Added), one.Share.Min, one.Share.Max, one.Share.Median))
		lostFenced, addedFenced = lostFenced+one.FencedLost, addedFenced+one.FencedAdded
	}
	text = append(text,
		fmt.Sprintf("Jepsen's report on 3.4.3 gives about %d %%.", jepsenPercent),
		fmt.Sprintf("The fenced sets lost %d of %d.", lostFenced, addedFenced))
	return strings.Join(text, " ")
}

// lockSetNotes says what differs from Jepsen's test.
const lockSetNotes = `What differs from Jepsen's test: members are not stopped; their links keep back all bytes for 5 s, then deliver
them, so their timers run on. A client reaches all members and not one, and keeps its session over many updates. The report's
version had a defect, etcd#11456: a waiter whose lease had ended was granted the lock. The second lock has it too, under
the same faults, on the same cluster. The update that each client makes after the last pause counts too.`

// Table writes the measurement for people.
func (l *LockSet) Table(to io.Writer) error {
	const form = "%6v  %6v  %-15s  %6v  %6v  %8v  %13v  %6v  %8v\n"
	w := &strings.Builder{}
	fmt.Fprintf(w, "Acknowledged updates of a set under a lock that are not in it at the end:\n\n")
	fmt.Fprintf(w, form, "SEED", "PAUSES", "LOCK", "ADDED", "LOST", "SHARE", "FENCED: ADDED", "LOST", "REFUSED")
	for i := range l.Runs {
		r := &l.Runs[i]
		for _, one := range r.Locks {
			fmt.Fprintf(w, form, r.Seed, r.Pauses, one.Subject, one.Added, one.Lost, fmt.Sprintf("%.1f %%", percent(one.Lost, one.Added)), one.FencedAdded, one.FencedLost, one.Refused)
		}
	}
	fmt.Fprintf(w, "\n%-15s  %-7s  %8s  %8s  %8s\n", "LOCK", "SET", "MIN", "MEDIAN", "MAX")
	for _, one := range l.Losses() {
		for _, set := range []struct {
			name string
			Spread
		}{{"plain", one.Share}, {"fenced", one.Fenced}} {
			fmt.Fprintf(w, "%-15s  %-7s  %6.1f %%  %6.1f %%  %6.1f %%\n", one.Subject, set.name, set.Min, set.Median, set.Max)
		}
	}
	fmt.Fprintf(w, "\n%s\netcd %s.\n\n%s\n", wrap(lockSetNotes, 100), l.Etcd, wrap(l.Answer(), 100))
	_, err := io.WriteString(to, w.String())
	return err
}
