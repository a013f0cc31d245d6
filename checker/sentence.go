package checker

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// at writes an instant of the run.
func at(t time.Duration) string { return fmt.Sprintf("%.3f s", t.Seconds()) }

// span writes a length of time.
func span(d time.Duration) string {
	if d < time.Microsecond {
		return d.String()
	}
	if d < time.Millisecond {
		return fmt.Sprintf("%d µs", d.Microseconds())
	}
	if d < 10*time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// count writes a number of things: "1 key", "2 keys".
func count[N int | int64](n N, singular string) string {
	if n == 1 {
		return "1 " + singular
	}
	plural := singular + "s"
	if strings.HasSuffix(singular, "s") {
		plural = singular + "es"
	}
	return strconv.FormatInt(int64(n), 10) + " " + plural
}

// revision writes a revision with the time by which it had happened.
func (r *record) revision(rev int64) string {
	if t := r.log.Latest(rev); t != history.Never {
		return fmt.Sprintf("rev %d (%s)", rev, at(t))
	}
	return fmt.Sprintf("rev %d", rev)
}

// belief writes what an acquire claims.
func belief(op *history.Operation) string {
	switch {
	case op.Kind == history.Campaign || op.Kind == history.Resume:
		return "leads " + history.Called(op.Object)
	case op.Mode == history.ReadMode:
		return "holds " + history.Called(op.Object) + " for reading"
	case op.Mode == history.WriteMode:
		return "holds " + history.Called(op.Object) + " for writing"
	}
	return "holds " + history.Called(op.Object)
}

// token writes a create revision in brackets, or nothing.
func token(t int64) string {
	if t == 0 {
		return ""
	}
	return fmt.Sprintf(" (rev %d)", t)
}

// deletion writes how and when a life ended.
func (r *record) deletion(life *history.Life) string {
	switch {
	case life.Delete == 0:
		return fmt.Sprintf("was still there at rev %d, where the log ends", r.log.Through)
	case r.deletedBy(life) == causeLease:
		return fmt.Sprintf("was deleted at %s when its lease ended", r.revision(life.Delete))
	case r.deletedBy(life) == causeOther:
		return fmt.Sprintf("was deleted at %s, not by its lease", r.revision(life.Delete))
	}
	return fmt.Sprintf("was gone at %s", r.revision(life.Delete))
}

// milliseconds is the unit of every figure of time.
func milliseconds(d time.Duration) float64 {
	return math.Round(float64(d)/float64(time.Microsecond)) / 1000
}

// percent is part of whole, to a tenth.
func percent(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return math.Round(1000*float64(part)/float64(whole)) / 10
}

// quantile returns the smallest value that at least share q of values do not
// exceed; values are sorted on the way.
func quantile(values []time.Duration, q float64) time.Duration {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[min(len(values)-1, max(0, int(math.Ceil(q*float64(len(values))))-1))]
}
