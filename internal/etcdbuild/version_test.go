package etcdbuild

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestVersions(t *testing.T) {
	for text, want := range map[string]string{"3.5.12": "3.5.12", "v3.5.12": "3.5.12", "3.6.0-rc.1": "3.6.0-rc.1"} {
		if v, err := parseVersion(text); err != nil || v.String() != want || !IsVersion(text) {
			t.Errorf("%q is %v, %v", text, v, err)
		}
	}
	for _, text := range []string{"", "3.5", "3.5.x", "./etcd", "3.5.12/etcd", "latest", "3.5.12\n", "3.5.123456"} {
		if v, err := parseVersion(text); err == nil || IsVersion(text) {
			t.Errorf("%q is taken for %v", text, v)
		}
	}
}

func TestWhereVersionsComeFrom(t *testing.T) {
	for text, want := range map[string]string{
		"3.5.0":   "go.etcd.io/etcd/server/v3 v3.5.0",
		"3.10.1":  "go.etcd.io/etcd/server/v3 v3.10.1",
		"4.0.0":   "go.etcd.io/etcd/server/v3 v4.0.0",
		"3.4.15":  "go.etcd.io/etcd v0.5.0-alpha.5.0.20210226220824-aa7126864d82",
		"3.4.16":  "",
		"3.4.0":   "",
		"3.3.27":  "",
		"2.3.8":   "",
		"0.5.100": "",
	} {
		v, err := parseVersion(text)
		if err != nil {
			t.Fatal(err)
		}
		from, err := v.origin()
		var unavailable *UnavailableError
		if got := strings.TrimSpace(from.module + " " + from.version); got != want || (want == "") != errors.As(err, &unavailable) {
			t.Errorf("%s comes from %q, %v; want %q", text, got, err, want)
		}
	}
}

func TestProgramsNameTheirServer(t *testing.T) {
	for text, want := range map[string][]string{
		"3.5.12": {"require (\n\tgo.etcd.io/etcd/server/v3 v3.5.12\n)", `"go.etcd.io/etcd/server/v3/etcdmain"`, "etcdmain.Main(os.Args)"},
		"3.4.13": {"\tgo.etcd.io/etcd v0.5.0", "\tgolang.org/x/sys ", `"go.etcd.io/etcd/etcdmain"`, "etcdmain.Main()"},
	} {
		v, _ := parseVersion(text)
		from, err := v.origin()
		if err != nil {
			t.Fatal(err)
		}
		whole := module(from, "1.26") + program(from)
		for _, part := range want {
			if !strings.Contains(whole, part) {
				t.Errorf("%s lacks %q:\n%s", text, part, whole)
			}
		}
	}
}

func TestNearVersionsAreInOrder(t *testing.T) {
	v, _ := parseVersion("3.5.30")
	got := near(v, []string{"v3.4.9", "v3.5.28", "v3.6.0", "v3.5.9", "v3.5.31-rc.0", "v3.5.33", "nonsense", "v3.5.2"})
	if want := []string{"3.4.9", "3.5.2", "3.5.9", "3.5.28", "3.5.33", "3.6.0"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
