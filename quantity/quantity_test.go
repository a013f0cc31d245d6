package quantity

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"
)

func TestQuantitiesSurviveTheirOwnYAML(t *testing.T) {
	type both struct {
		Span  Span
		Share Share
	}
	rapid.Check(t, func(t *rapid.T) {
		low := time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "low"))
		want := both{
			Span:  Span{low, low + time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "more"))},
			Share: Share(rapid.IntRange(0, 10000).Draw(t, "share")) / 10000,
		}
		text, err := yaml.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got both
		if err := yaml.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		if got.Span != want.Span || got.Share-want.Share > 1e-9 || want.Share-got.Share > 1e-9 {
			t.Errorf("%s is read as %+v", text, got)
		}
	})
}

func TestWhatIsNoQuantityIsRefusedWithItsLine(t *testing.T) {
	for text, want := range map[string]string{
		"\nspan: 5..3x":  `line 2: "5..3x" is not a range of durations such as 5ms..200ms`,
		"span: [1s, 2s]": "is not a range of durations",
		"share: most":    `line 1: "most" is not a share such as 70%`,
		"share: {a: b}":  "is not a share",
	} {
		var v struct {
			Span  Span
			Share Share
		}
		if err := yaml.Unmarshal([]byte(text), &v); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, s := range []Share{-0.1, 1.1} {
		if s.Validate() == nil {
			t.Errorf("%v is a share", s)
		}
	}
	if (Span{2, 1}).Validate() == nil || (Span{-1, 1}).Validate() == nil {
		t.Error("a range that falls or is negative is valid")
	}
}

func TestDrawsStayInTheirRange(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	s := Span{time.Second, 2 * time.Second}
	for range 1000 {
		if d := s.Draw(r); d < s.Min || d > s.Max {
			t.Fatalf("%v", d)
		}
	}
}
