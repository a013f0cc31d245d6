package link

// Direction says which way bytes travel on a link. It is relative to who
// dialled, which need not be who has something to say.
type Direction int

const (
	// ToTarget is from the party that dialled to the one that was dialled:
	// requests.
	ToTarget Direction = iota
	// ToDialler is back to the party that dialled: answers.
	ToDialler

	directions = 2
)

// String returns "to target" or "to dialler".
func (d Direction) String() string {
	if d == ToTarget {
		return "to target"
	}
	return "to dialler"
}

// Condition is the harm done to a link. The zero value is none: bytes pass.
type Condition struct {
	// Cut closes all connections and refuses new ones.
	Cut bool
	// StallToTarget keeps back all bytes that the dialler sends.
	StallToTarget bool
	// StallToDialler keeps back all bytes that the target sends.
	StallToDialler bool
}

// Stall is the condition that keeps back the bytes of one direction.
func Stall(d Direction) Condition {
	if d == ToTarget {
		return Condition{StallToTarget: true}
	}
	return Condition{StallToDialler: true}
}

func (c Condition) stalls(d Direction) bool {
	if d == ToTarget {
		return c.StallToTarget
	}
	return c.StallToDialler
}
