package answers

import (
	"fmt"
	"strings"
	"time"
)

// seconds writes a time to the precision that matters.
func seconds(d time.Duration) string {
	if d < 100*time.Millisecond {
		return fmt.Sprintf("%.3f", d.Seconds())
	}
	return fmt.Sprintf("%.2f", d.Seconds())
}

// columns sets four figures of a table beside one another.
func columns(p50, p90, p99, max string) string {
	return fmt.Sprintf("  %6s  %6s  %6s  %6s", p50, p90, p99, max)
}

// columns are the percentiles of n times, in seconds.
func (q Quantiles) columns(n int) string {
	if n == 0 {
		return columns("–", "–", "–", "–")
	}
	return columns(seconds(q.P50), seconds(q.P90), seconds(q.P99), seconds(q.Max))
}

// wrap breaks text into lines of up to width characters.
func wrap(text string, width int) string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len([]rune(line))+1+len([]rune(word)) > width {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return strings.Join(append(lines, line), "\n")
}
