package sim

import (
	"math/rand/v2"
	"time"

	"github.com/etcd-holdfast/holdfast/quantity"
)

// Delays says how long messages are on their way, each in one direction.
type Delays struct {
	// Usual is the delay of most messages; a share Slow of them takes Long.
	Usual quantity.Span
	Slow  quantity.Share
	Long  quantity.Span
}

// draw draws the same number of values each time.
func (d *Delays) draw(r *rand.Rand) time.Duration {
	usual, slow := d.Usual.Draw(r), d.Slow > 0 && r.Float64() < float64(d.Slow)
	if slow {
		return d.Long.Draw(r)
	}
	return usual
}
