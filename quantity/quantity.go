// Package quantity has the quantities that scenarios are written in: ranges of
// durations such as "5ms..200ms" and shares such as "70%".
package quantity

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Span is a range of durations, both ends included.
type Span struct{ Min, Max time.Duration }

// Draw picks a duration of the range, all equally likely.
func (s Span) Draw(r *rand.Rand) time.Duration {
	return s.Min + time.Duration(r.Float64()*float64(s.Max-s.Min))
}

// Validate reports a range that does not rise from zero or more.
func (s Span) Validate() error {
	if s.Min < 0 || s.Max < s.Min {
		return fmt.Errorf("%s is not a range that rises from zero or more", s)
	}
	return nil
}

// String writes the range as ParseSpan reads it.
func (s Span) String() string {
	if s.Min == s.Max {
		return s.Min.String()
	}
	return s.Min.String() + ".." + s.Max.String()
}

// ParseSpan reads "5ms..200ms", or "20ms" for a range of one.
func ParseSpan(text string) (Span, error) {
	low, high, ranged := strings.Cut(text, "..")
	if !ranged {
		high = low
	}
	from, err := time.ParseDuration(strings.TrimSpace(low))
	if err == nil {
		var to time.Duration
		if to, err = time.ParseDuration(strings.TrimSpace(high)); err == nil {
			return Span{from, to}, nil
		}
	}
	return Span{}, fmt.Errorf("%q is not a range of durations such as 5ms..200ms", text)
}

// MarshalYAML writes the range as text.
func (s Span) MarshalYAML() (any, error) { return s.String(), nil }

// UnmarshalYAML reads the range from text.
func (s *Span) UnmarshalYAML(node *yaml.Node) error {
	parsed, err := ParseSpan(node.Value)
	if node.Kind != yaml.ScalarNode || err != nil {
		return at(node, "%q is not a range of durations such as 5ms..200ms", node.Value)
	}
	*s = parsed
	return nil
}

// Share is a part of a whole, in [0, 1].
type Share float64

// Validate reports a share outside [0, 1].
func (s Share) Validate() error {
	if !(s >= 0 && s <= 1) {
		return fmt.Errorf("%s is not a share between 0%% and 100%%", s)
	}
	return nil
}

// String writes the share in percent, as scenarios do.
func (s Share) String() string {
	return strconv.FormatFloat(float64(s)*100, 'g', 12, 64) + "%"
}

// MarshalYAML writes the share in percent.
func (s Share) MarshalYAML() (any, error) { return s.String(), nil }

// UnmarshalYAML reads "70%" or "0.7".
func (s *Share) UnmarshalYAML(node *yaml.Node) error {
	text, percent := strings.CutSuffix(strings.TrimSpace(node.Value), "%")
	v, err := strconv.ParseFloat(text, 64)
	if node.Kind != yaml.ScalarNode || err != nil {
		return at(node, "%q is not a share such as 70%%", node.Value)
	}
	if percent {
		v /= 100
	}
	*s = Share(v)
	return nil
}

// at makes an error that the YAML decoder collects with its own.
func at(node *yaml.Node, format string, args ...any) error {
	return &yaml.TypeError{Errors: []string{fmt.Sprintf("line %d: %s", node.Line, fmt.Sprintf(format, args...))}}
}
