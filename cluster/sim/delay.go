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

// draw is the delay of one message.
func (d *Delays) draw(r *rand.Rand) time.Duration {
	usual, slow := d.Usual.Draw(r), d.Slow > 0 && r.Float64() < float64(d.Slow)
	if slow {
		return d.Long.Draw(r)
	}
	return usual
}

// grains gives a few nanoseconds that differ from one call to the next, so that no
// two things that one party does happen at one instant, even where delays are
// fixed.
type grains struct{ last time.Duration }

const mostGrains = 997 // a prime

func (g *grains) next() time.Duration {
	g.last = (g.last + 379) % mostGrains
	return g.last
}

// grainsOf begins elsewhere for each name.
func grainsOf(name string) grains {
	n := 0
	for _, b := range []byte(name) {
		n = (n*31 + int(b)) % mostGrains
	}
	return grains{time.Duration(n)}
}
