package history

import (
	"math"
	"strconv"
)

// number makes a node of a token that begins as a number.
func (s *scanner) number(at place, token []byte, keep bool) error {
	if n, ok := integer(token); ok {
		if keep {
			s.node(node{kind: integerNode, integer: n})
		}
		return nil
	}
	text, ok := canonicalNumber(string(token))
	if !ok {
		return s.fault(at, "a number", excerpt(token))
	}
	if keep {
		from := len(s.forms.text)
		s.forms.text = append(s.forms.text, text...)
		s.leaf(from)
	}
	return nil
}

// integer reads an integer that an int64 can hold, with or without the N of
// arbitrary precision.
func integer(token []byte) (int64, bool) {
	digits, negative := token, false
	if len(digits) > 0 && (digits[0] == '-' || digits[0] == '+') {
		negative, digits = digits[0] == '-', digits[1:]
	}
	if len(digits) > 1 && digits[len(digits)-1] == 'N' {
		digits = digits[:len(digits)-1]
	}
	if len(digits) == 0 || len(digits) > 18 {
		return longInteger(digits, negative)
	}
	n := int64(0)
	for _, d := range digits {
		if d < '0' || d > '9' {
			return 0, false
		}
		n = n*10 + int64(d-'0')
	}
	if negative {
		n = -n
	}
	return n, true
}

func longInteger(digits []byte, negative bool) (int64, bool) {
	for _, d := range digits {
		if d < '0' || d > '9' {
			return 0, false
		}
	}
	text := string(digits)
	if negative {
		text = "-" + text
	}
	n, err := strconv.ParseInt(text, 10, 64)
	// The lowest one is Nil.
	return n, err == nil && n != math.MinInt64
}

// canonicalNumber returns one text for equal numbers of a kind: floats, those
// with an M, ratios, integers that are too long or in another base.
func canonicalNumber(text string) (string, bool) {
	digits := func(s string) bool {
		for i := range len(s) {
			if s[i] < '0' || s[i] > '9' {
				return false
			}
		}
		return len(s) > 0
	}
	unsigned, sign := text, ""
	if text[0] == '-' || text[0] == '+' {
		unsigned = text[1:]
		if text[0] == '-' {
			sign = "-"
		}
	}
	last := unsigned[len(unsigned)-1]
	if whole := unsigned; digits(whole) || last == 'N' && digits(whole[:len(whole)-1]) {
		if last == 'N' {
			whole = whole[:len(whole)-1]
		}
		for len(whole) > 1 && whole[0] == '0' {
			whole = whole[1:]
		}
		return sign + whole, true
	}
	for i := range len(unsigned) {
		if unsigned[i] == '/' {
			return sign + unsigned, digits(unsigned[:i]) && digits(unsigned[i+1:])
		}
	}
	if n, err := strconv.ParseInt(unsigned, 0, 64); err == nil {
		return sign + strconv.FormatInt(n, 10), true
	}
	if last == 'M' {
		_, err := strconv.ParseFloat(unsigned[:len(unsigned)-1], 64)
		return sign + unsigned, err == nil || isRange(err)
	}
	f, err := strconv.ParseFloat(unsigned, 64)
	if err != nil && !isRange(err) {
		return "", false
	}
	text = strconv.FormatFloat(f, 'g', -1, 64)
	if digits(text) { // 1.0 is not the integer 1
		text += ".0"
	}
	return sign + text, true
}

func isRange(err error) bool {
	e, ok := err.(*strconv.NumError)
	return ok && e.Err == strconv.ErrRange
}
