package printable

import "testing"

func TestText(t *testing.T) {
	for text, want := range map[string]string{
		"":                         "",
		"plain, ünïcode 漢字\n\ttoo": "plain, ünïcode 漢字\n\ttoo",
		"a\x1b[2Jb\r\x00\x7f":      `a\x1b[2Jb\x0d\x00\x7f`,
		"c1 \u009bm":               `c1 \x9bm`,
		"\xff\xfe":                 `\xff\xfe`,
		"a\u202eb\u2066c":          `a\u202eb\u2066c`,
		"\ufeff\u2028\uffff":       `\ufeff\u2028\uffff`,
		"\U0001fffe":               `\U0001fffe`,
		"\ufffd is said, not bad":  "\ufffd is said, not bad",
	} {
		if got := Text(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
		if IsText(text) != (text == want) {
			t.Errorf("IsText(%q) = %t", text, IsText(text))
		}
	}
}
