package workloads

import (
	"hash/fnv"
	"math/rand/v2"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// Stream is the random stream for one purpose of one seed. Streams of
// different labels are independent: drawing more from one does not shift
// another.
func Stream(seed int64, label string) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(label))
	return rand.New(rand.NewPCG(uint64(seed), h.Sum64()))
}

// Decision is what a client wants to do in one round. All of it is drawn before
// the round begins and none of it depends on what happened before, so a
// client's decisions are a function of the seed, its name and the round.
type Decision struct {
	// Objects are the indexes of the objects to take, in rising order. A round
	// without any is a pause: Think.
	Objects []int
	Mode    history.Mode
	// Try asks for the lock without waiting, where the subject can.
	Try bool
	// Patience is how long an acquire may wait. Impatience, if not zero, is how
	// long it waits while there are faults; Cancel then ends it by cancelling
	// instead of by deadline.
	Patience   time.Duration
	Impatience time.Duration
	Cancel     bool
	// Hold is how long the work under the hold lasts.
	Hold time.Duration
	// Guard adds a write to etcd that is conditional on the ownership.
	Guard bool
	// Proclaims is how many times a leader replaces its value.
	Proclaims int
	// Resume continues a leadership that the client's predecessor left behind.
	Resume bool
	// Draw says which call a round makes of those that there are, Choice what it
	// is about; both are in [0, 1).
	Draw, Choice float64
	// Think is the pause after the round.
	Think time.Duration
	// Keep goes on with the session after an acquire, or whatever else the round
	// begins with, of unknown outcome, where careful code gives it up. Releases of
	// unknown outcome end the session all the same, and so does everything of a
	// double barrier: whoever has a key there counts, and would not come back to it.
	Keep bool
}

// Decisions returns the function that draws the decisions of client, one a
// round.
func Decisions(seed int64, client string, t *Traffic) func() Decision {
	r := Stream(seed, "client/"+client)
	calls := Stream(seed, "calls/"+client)
	keep := Stream(seed, "keep/"+client)
	return func() Decision {
		// Every round draws the same number of values in the same order.
		first, second, two := r.IntN(t.Objects), r.IntN(t.Objects), r.Float64()
		mode, try, impatient, cancel := r.Float64(), r.Float64(), r.Float64(), r.Float64()
		patience, impatience := t.Patience.Draw(r), t.Impatience.Draw(r)
		hold, long, longHold := t.Hold.Draw(r), r.Float64(), t.LongHold.Draw(r)
		guard, proclaim, resume := r.Float64(), r.Float64(), r.Float64()
		think := t.Think.Draw(r)

		d := Decision{
			Objects: []int{first}, Mode: history.WriteMode, Try: try < float64(t.Try),
			Patience: patience, Hold: hold, Guard: guard < 0.5, Resume: resume < 0.75, Think: think,
			Draw: calls.Float64(), Choice: calls.Float64(), Keep: keep.Float64() < float64(t.KeepSession),
		}
		if two < float64(t.Several) && first != second {
			d.Objects = []int{min(first, second), max(first, second)}
		}
		if mode < float64(t.Readers) {
			d.Mode = history.ReadMode
		}
		if impatient < float64(t.Impatient) {
			d.Impatience, d.Cancel = impatience, cancel < 0.5
		}
		if long < float64(t.Long) {
			d.Hold = longHold
		}
		for share := float64(t.Proclaim); share > 0 && proclaim < share && d.Proclaims < 3; share *= float64(t.Proclaim) {
			d.Proclaims++
		}
		return d
	}
}
