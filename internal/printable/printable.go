// Package printable makes text harmless to show, whoever wrote it: names, errors
// and last words come from the programs and servers under test.
package printable

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text replaces what a reader cannot see, or what drives a terminal, by its Go
// escape: control characters but for newline and tab, characters that change the
// direction of text, noncharacters, and bytes that are not UTF-8.
func Text(s string) string {
	if IsText(s) {
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
		case c < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, c)
		default:
			fmt.Fprintf(&b, `\U%08x`, c)
		}
		i += size
	}
	return b.String()
}

// IsText is true for what Text leaves as it is.
func IsText(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, hidden) < 0
}

func hidden(c rune) bool {
	if c >= ' ' && c < 0x7f || c == '\n' || c == '\t' {
		return false
	}
	return unicode.IsControl(c) || unicode.Is(unicode.Bidi_Control, c) || unicode.Is(unicode.Noncharacter_Code_Point, c) ||
		c == '\u2028' || c == '\u2029' || c == '\ufeff'
}
