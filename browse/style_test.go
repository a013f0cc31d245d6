package browse

import (
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// legible is the contrast that text needs (WCAG 2, level AA).
const legible = 4.5

// Whoever reads in the light, in the dark or on paper can read it.
func TestContrast(t *testing.T) {
	blocks := regexp.MustCompile(`(?s):root \{(.*?)\}`).FindAllStringSubmatch(string(styleSource), -1)
	if len(blocks) != 3 {
		t.Fatalf("the style has %d sets of colours, not 3: light, dark and print", len(blocks))
	}
	var first []string
	for i, block := range blocks {
		colours := make(map[string]string)
		for _, m := range regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6})`).FindAllStringSubmatch(block[1], -1) {
			colours[m[1]] = m[2]
		}
		names := slices.Sorted(maps.Keys(colours))
		if first == nil {
			first = names
		}
		if !slices.Equal(names, first) {
			t.Errorf("set %d has the colours %s, the first has %s", i, names, first)
		}
		for text, grounds := range map[string]string{
			"fg": "bg soft good-bg bad-bg fair-bg", "muted": "bg soft good-bg bad-bg fair-bg", "link": "bg soft good-bg bad-bg fair-bg",
			"on-link": "link", "good": "bg good-bg", "bad": "bg bad-bg", "fair": "bg fair-bg soft",
		} {
			for _, ground := range strings.Fields(grounds) {
				if c := contrast(colours[text], colours[ground]); !(c >= legible) {
					t.Errorf("set %d: %s on %s has a contrast of %.2f", i, text, ground, c)
				}
			}
		}
	}
	if c := contrast("777777", "ffffff"); c >= legible { // a grey that is just too light
		t.Errorf("the measure of contrast is wrong: %.2f", c)
	}
}

// contrast is that of two colours, as WCAG 2 defines it.
func contrast(a, b string) float64 {
	light, dark := luminance(a), luminance(b)
	return (max(light, dark) + 0.05) / (min(light, dark) + 0.05)
}

func luminance(colour string) float64 {
	total := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		value, err := strconv.ParseUint(colour[2*i:2*i+2], 16, 8)
		if err != nil {
			return math.NaN()
		}
		part := float64(value) / 255
		if part <= 0.04045 {
			part /= 12.92
		} else {
			part = math.Pow((part+0.055)/1.055, 2.4)
		}
		total += weight * part
	}
	return total
}
