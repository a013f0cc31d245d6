package answers

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/broken"
	"github.com/etcd-holdfast/holdfast/workloads/recipes"
)

func named(t *testing.T, subjects []workloads.Subject, name string) workloads.Subject {
	t.Helper()
	for _, s := range subjects {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("there is no subject %q", name)
	return workloads.Subject{}
}

const s = time.Second

// mutexOnly are options with one subject and one TTL.
func mutexOnly(deaths ...Death) HolderDeathOptions {
	return HolderDeathOptions{Subjects: []workloads.Subject{{Name: "mutex"}}, TTLs: []time.Duration{s}, Deaths: deaths}
}

func TestDeathsAreSummedUp(t *testing.T) {
	cells := deathCells(mutexOnly(Crashed, CutOff), []handover{
		{subject: "mutex", death: Crashed, ttl: s, died: 10 * s, granted: true, next: 11 * s},
		{subject: "mutex", death: Crashed, ttl: s, died: 10 * s, granted: true, next: 13 * s},
		{subject: "mutex", death: Crashed, ttl: s, died: 10 * s},
		{subject: "mutex", death: Crashed, ttl: s, spoiled: "too slow"},
		{subject: "mutex", death: Crashed, ttl: 2 * s, died: 10 * s, granted: true, next: 19 * s},
		{subject: "other", death: Crashed, ttl: s, died: 10 * s, granted: true, next: 19 * s},
		// Told before, told after, never told, and told where nobody came next.
		{subject: "mutex", death: CutOff, ttl: s, died: 10 * s, granted: true, next: 12 * s, wasTold: true, told: 11 * s},
		{subject: "mutex", death: CutOff, ttl: s, died: 10 * s, granted: true, next: 12 * s, wasTold: true, told: 15 * s},
		{subject: "mutex", death: CutOff, ttl: s, died: 10 * s, granted: true, next: 12 * s},
		{subject: "mutex", death: CutOff, ttl: s, died: 10 * s, wasTold: true, told: 11 * s},
	})
	crashed := DeathCell{
		Subject: "mutex", Death: Crashed, TTL: s, Seconds: 1, Deaths: 3, NotReleased: 1, Spoiled: 1, Spoiling: "too slow",
		Next: Quantiles{s, 3 * s, 3 * s, 3 * s}, First: s,
	}
	cut := DeathCell{
		Subject: "mutex", Death: CutOff, TTL: s, Seconds: 1, Deaths: 4, NotReleased: 1,
		Next: Quantiles{2 * s, 2 * s, 2 * s, 2 * s}, First: 2 * s,
		Told: Quantiles{s, 5 * s, 5 * s, 5 * s}, NotTold: 1, Believed: 1, Both: Quantiles{3 * s, 3 * s, 3 * s, 3 * s},
	}
	if len(cells) != 2 || cells[0] != crashed || cells[1] != cut {
		t.Errorf("got  %+v\nwant [%+v %+v]", cells, crashed, cut)
	}
}

func TestTheAnswerToHolderDeathFollowsFromTheCells(t *testing.T) {
	released := handover{subject: "mutex", death: Crashed, ttl: s, died: 10 * s, granted: true, next: 11 * s}
	kept := handover{subject: "mutex", death: Crashed, ttl: s, died: 10 * s}
	late := handover{subject: "mutex", death: CutOff, ttl: s, died: 10 * s, granted: true, next: 11 * s, wasTold: true, told: 13 * s}
	for name, test := range map[string]struct {
		all       []handover
		deaths    []Death
		has, lack string
	}{
		"released": {[]handover{released}, []Death{Crashed}, "Yes: after each of 1 deaths the waiter got the lock. After a crash the lease has to run out first (TTL 1s: 1.00–1.00 s).", "No"},
		"kept":     {[]handover{released, kept}, []Death{Crashed}, "No, not always: after 1 of 2 deaths the waiter did not get the lock within its patience (mutex, crashed, TTL 1s: 1 of 2).", "Yes"},
		"spoiled":  {[]handover{{subject: "mutex", death: Crashed, ttl: s, spoiled: "x"}}, []Death{Crashed}, "Not answered", "Yes"},
		"in part":  {[]handover{released}, []Death{Crashed, CutOff}, "Not measured: mutex, cut off, TTL 1s.", "told"},
		"late":     {[]handover{late}, []Death{CutOff}, "Of 1 holders that were cut off 1 (100 %) were told that they had lost only after the next one had the lock, up to 2.00 s after", "No"},
	} {
		h := &HolderDeath{Cells: deathCells(mutexOnly(test.deaths...), test.all)}
		if got := h.Answer(); !strings.Contains(got, test.has) || strings.Contains(got, test.lack) {
			t.Errorf("%s: %s\nwant %q, and not %q", name, got, test.has, test.lack)
		}
	}
}

func TestTheTableOfHolderDeathFitsAndTellsWhatDoesNotCount(t *testing.T) {
	o := HolderDeathOptions{}.withDefaults()
	all := []handover{
		{subject: "election", death: WithLeader, ttl: 5 * s, died: s, granted: true, next: 1900 * s},
		{subject: "election", death: CutOff, ttl: 5 * s, died: s, granted: true, next: 2 * s, wasTold: true, told: 900 * s},
		{subject: "mutex", death: Closed, ttl: s, spoiled: "the machine was slow"},
	}
	h := &HolderDeath{Cells: deathCells(o, all), Etcd: "3.7.3"}
	var table strings.Builder
	if err := h.Table(&table); err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(table.String(), "\n") {
		if n := len([]rune(line)); n > 100 {
			t.Errorf("%d characters: %s", n, line)
		}
	}
	for _, want := range []string{"\nwith leader    5s  election      1  1899.00", "\nSpoiled, and not counted: the machine was slow\n", h.Etcd} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, table.String())
		}
	}
}

func TestMistakesInHolderDeathOptions(t *testing.T) {
	err := HolderDeathOptions{TTLs: []time.Duration{s, 1500 * time.Millisecond, 0}, Samples: 2000}.Validate()
	for _, want := range []string{"ttl: 1.5s", "ttl: 0s", "samples: 2000"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %q", err, want)
		}
	}
	if err := (HolderDeathOptions{}).Validate(); err != nil {
		t.Error(err)
	}
}

// Every lock of etcd's is released in every death, and all samples are
// accounted for.
func TestHolderDeathOfEtcdsLocks(t *testing.T) {
	measured(t)
	h, err := MeasureHolderDeath(t.Context(), HolderDeathOptions{TTLs: []time.Duration{s}, Samples: 2, Rounds: 1, Patience: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	if h.LeaderCrashes != 1 || len(h.Cells) != 12 {
		t.Errorf("%d crashes of the leader, %d cells", h.LeaderCrashes, len(h.Cells))
	}
	deaths := 0
	for i := range h.Cells {
		c := &h.Cells[i]
		deaths += c.Deaths
		if c.Deaths+c.Spoiled != 2 || c.NotReleased != 0 || c.NotTold != 0 {
			t.Errorf("%+v", c)
		}
		if c.Deaths > 0 && (c.First <= 0 || c.Next.Max < c.First) {
			t.Errorf("times of %+v", c)
		}
		if told := c.Told != (Quantiles{}); told != (c.Death == CutOff && c.Deaths > 0) {
			t.Errorf("told: %+v", c)
		}
	}
	if deaths == 0 || !strings.HasPrefix(h.Answer(), "Yes: ") {
		t.Errorf("%d deaths: %s", deaths, h.Answer())
	}
	if _, err := json.Marshal(h); err != nil {
		t.Error(err)
	}
}

// The measurement's own control: a lock that a dead holder keeps is found to be
// kept, beside one that is not.
func TestALockThatADeadHolderKeepsIsFoundOut(t *testing.T) {
	measured(t)
	h, err := MeasureHolderDeath(t.Context(), HolderDeathOptions{
		Subjects: []workloads.Subject{named(t, broken.Subjects(), "no-lease"), named(t, recipes.Subjects(), "mutex")},
		TTLs:     []time.Duration{2 * s}, Deaths: []Death{Crashed}, Samples: 2, Rounds: 1, Patience: 3 * s,
	})
	if err != nil {
		t.Fatal(err)
	}
	if kept := h.Cells[0]; kept.Deaths == 0 || kept.NotReleased != kept.Deaths {
		t.Errorf("%+v", kept)
	}
	if !strings.HasPrefix(h.Answer(), "No, not always") || !strings.Contains(h.Answer(), "no-lease, crashed, TTL 2s: ") {
		t.Error(h.Answer())
	}
}

func TestAMeasurementInterruptedBeforeItsFirstPartAnswersNothing(t *testing.T) {
	measured(t)
	ctx, cancel := context.WithCancel(t.Context())
	h, err := MeasureHolderDeath(ctx, HolderDeathOptions{TTLs: []time.Duration{5 * s}, Samples: 1, Progress: func(line string) {
		if strings.HasPrefix(line, "round") {
			cancel()
		}
	}})
	if h != nil || !errors.Is(err, ErrInterrupted) {
		t.Errorf("%+v, %v", h, err)
	}
}

// What was measured before an interrupt is an answer, to which nothing of the round
// that was interrupted counts.
func TestAnInterruptedMeasurementAnswersFromWhatItHas(t *testing.T) {
	measured(t)
	ctx, cancel := context.WithCancel(t.Context())
	var told []Standing
	h, err := MeasureHolderDeath(ctx, HolderDeathOptions{
		Subjects: []workloads.Subject{named(t, recipes.Subjects(), "mutex")}, TTLs: []time.Duration{s}, Deaths: []Death{Closed}, Samples: 4, Rounds: 2, Patience: time.Minute,
		Status: func(now Standing) {
			if told = append(told, now); now.Done == 1 {
				cancel()
			}
		},
	})
	if h == nil || !errors.Is(err, ErrInterrupted) {
		t.Fatalf("%+v, %v", h, err)
	}
	if c := h.Cells[0]; c.Deaths+c.Spoiled != 2 || strings.Contains(c.Spoiling, "interrupted") {
		t.Errorf("of two samples there are %+v", c)
	}
	if len(told) != 2 || told[0].Done != 0 || told[0].Planned != 2 || told[0].Now != "2 holders die: closed" || !strings.Contains(told[1].SoFar, "0 locks not released") {
		t.Errorf("it told %+v", told)
	}
}
