package reports

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// visible replaces what a reader cannot see or a parser may not accept by its
// Go escape: control characters but for newline and tab, characters that
// change the direction of the text, noncharacters and bytes that are not
// UTF-8. The escapes are plain letters, harmless in text, attributes and CSS.
func visible(s string) string {
	if strings.IndexFunc(s, hidden) < 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	for i := 0; i < len(s); {
		c, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case c == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case !hidden(c):
			b.WriteString(s[i : i+size])
		case c < 0x100:
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			fmt.Fprintf(&b, `\u%04x`, c)
		}
		i += size
	}
	return b.String()
}

func hidden(c rune) bool {
	if c >= ' ' && c < 0x7f || c == '\n' || c == '\t' {
		return false
	}
	return c == utf8.RuneError || unicode.IsControl(c) || unicode.Is(unicode.Bidi_Control, c) || c == '\u2028' || c == '\u2029' || c == '\ufeff' || c&0xfffe == 0xfffe
}

// oneLine is visible on one line, for a terminal or a label.
func oneLine(s string) string {
	s = strings.NewReplacer("\r\n", " ", "\n", " ", "\t", " ").Replace(s)
	return visible(s)
}

// shorten cuts s to width runes, the last of which is then an ellipsis.
func shorten(s string, width int) string {
	if utf8.RuneCountInString(s) <= width {
		return s
	}
	if width < 1 {
		return ""
	}
	return strings.TrimRight(string([]rune(s)[:width-1]), " ,;:") + "…"
}

// pad fills s with spaces up to width runes.
func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(s)))
}

// words are s at its spaces, but a unit stays with its number.
func words(s string) []string {
	var out []string
	for _, word := range strings.Fields(s) {
		n := len(out) - 1
		unit := strings.TrimRight(word, ".,;:)")
		if n >= 0 && (unit == "s" || unit == "ms" || unit == "µs" || unit == "%") && unicode.IsDigit(rune(out[n][len(out[n])-1])) {
			out[n] += " " + word
			continue
		}
		out = append(out, word)
	}
	return out
}

// wrap breaks s into lines of at most width runes, between words where it can.
func wrap(s string, width int) []string {
	var lines []string
	line := ""
	for _, word := range words(s) {
		for utf8.RuneCountInString(word) > width {
			if line != "" {
				lines, line = append(lines, line), ""
			}
			head := []rune(word)[:width]
			lines, word = append(lines, string(head)), word[len(string(head)):]
		}
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= width:
			line += " " + word
		default:
			lines, line = append(lines, line), word
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// plural is "1 fault", "2 faults".
func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// at is an instant on the run's clock: "1.204 s".
func at(t time.Duration) string { return fmt.Sprintf("%.3f s", t.Seconds()) }

// lasting is a length of time: "573 ms", "2.31 s".
func lasting(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", millis(d))
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	default:
		return fmt.Sprintf("%.2f s", d.Seconds())
	}
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
