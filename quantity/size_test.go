package quantity

import (
	"testing"

	"go.yaml.in/yaml/v3"
)

func TestSizes(t *testing.T) {
	for text, want := range map[string]Size{"512MiB": 512 << 20, "1GiB": 1 << 30, "3 KiB": 3 << 10, "0B": 0, "1025B": 1025} {
		got, err := ParseSize(text)
		if err != nil || got != want {
			t.Errorf("%q is %d, %v; want %d", text, got, err, want)
		}
		var back Size
		written, err := yaml.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.Unmarshal(written, &back); err != nil || back != want {
			t.Errorf("%d, written as %s, is read as %d, %v", want, written, back, err)
		}
	}
	for _, text := range []string{"", "512", "MiB", "-1MiB", "1.5GiB", "9999999999GiB", "1 TiB"} {
		if got, err := ParseSize(text); err == nil {
			t.Errorf("%q is read as %d", text, got)
		}
		var s Size
		if err := yaml.Unmarshal([]byte("'"+text+"'"), &s); err == nil {
			t.Errorf("%q is read as %d from YAML", text, s)
		}
	}
}
